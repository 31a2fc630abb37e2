"""The learner writes guidance: more of what makes a class this class."""

import torch
from torch import Tensor

from course_lib.classroom.exercises.probes import random
from course_lib.classroom.exercises.spec import Exercise, Mistake, Probe
from course_lib.diffusion import guidance

_SAYS = random(6, seed=1)  # what the model says of the labels 0 … 5


def _model(x_t: Tensor, t: Tensor, labels: Tensor) -> Tensor:
    """Return a velocity of each row's own place, time and label (batch,)."""
    axes = (len(x_t), *(1,) * (x_t.dim() - 1))
    return torch.sin(x_t * _SAYS[labels].view(axes)) + t.view(axes) * _SAYS[labels].view(axes)


def _probe(*shape: int, labels: list[int], any_class: int, weight: float, seed: int) -> Probe:
    times = random(shape[0], seed=seed + 1).abs() / 4
    says = f"a model, x_t {shape}, t and labels ({shape[0]},), any_class {any_class}, weight {weight}"
    return Probe((_model, random(*shape, seed=seed), times, torch.tensor(labels), any_class, weight), says)


def _both(model, x_t, t, labels, any_class):
    return model(x_t, t, torch.full_like(labels, any_class)), model(x_t, t, labels)


def _of(combine):
    return lambda model, x_t, t, labels, any_class, weight: combine(*_both(model, x_t, t, labels, any_class), weight)


def _variation(generator: torch.Generator) -> Probe:
    x_t, t = (torch.randn(*shape, generator=generator, dtype=torch.float64) for shape in ((4, 3), (4,)))
    labels, weight = torch.randint(5, (4,), generator=generator), float(torch.rand((), generator=generator) * 5)
    return Probe((_model, x_t, t.sigmoid(), labels, 5, weight))


ENTRY = Exercise(
    id="diffusion.guided",
    reference=guidance.guided,
    probes=lambda: [
        _probe(3, 2, labels=[2, 0, 4], any_class=5, weight=2.5, seed=11),
        _probe(4, 1, 3, 3, labels=[1, 1, 0, 2], any_class=3, weight=4.0, seed=13),
        _probe(1, 5, labels=[1], any_class=4, weight=0.0, seed=15),
        _probe(2, 3, labels=[3, 2], any_class=5, weight=1.0, seed=17),
        _probe(2, 4, labels=[0, 3], any_class=5, weight=0.5, seed=19),
    ],
    checked="weights 0, 0.5, 1, 2.5 and 4, points and images, with other labels for any.",
    gradients=False,
    variations=_variation,
    mistakes=(
        Mistake(
            "from_the_class",
            _of(lambda any_, asked, w: asked + w * (asked - any_)),
            "the weight counts from the class on: what you call w is w + 1 here",
            "in this course weight 0 asks nothing, and 1 asks for the class. (Ho and Salimans count your way.)",
        ),
        Mistake(
            "exchanged",
            _of(lambda any_, asked, w: asked + w * (any_ - asked)),
            "the two velocities are exchanged: weight 0 asks for the class, and more leads away from it",
            "start from any class, and go towards the one asked for.",
        ),
        Mistake(
            "away",
            _of(lambda any_, asked, w: any_ - w * (asked - any_)),
            "the difference is taken off",
            "which way leads from any class to the one asked for?",
        ),
        Mistake(
            "difference_alone",
            _of(lambda any_, asked, w: w * (asked - any_)),
            "only the difference is followed",
            "at weight 0 the velocity of any class should be left.",
        ),
        Mistake(
            "asked_scaled",
            _of(lambda any_, asked, w: w * asked),
            "the class's velocity is multiplied by the weight",
            "that makes everything faster, the removal of noise, too. Multiply what the class changes.",
        ),
        Mistake(
            "added",
            _of(lambda any_, asked, w: any_ + w * asked),
            "both velocities are added up",
            "their sum counts what they share twice; only the difference is the class's.",
        ),
        Mistake(
            "any_is_zero",
            lambda model, x_t, t, labels, any_class, weight: guidance.guided(model, x_t, t, labels, 0, weight),
            "the label 0 stands for any class",
            "0 is a class of its own, the zeros; the label for any is handed over.",
        ),
    ),
    hints=(
        "Ask the model twice. What does the class change?",
        "torch.full_like(labels, any_class) are labels that ask nothing.",
        "of_any = model(x_t, t, torch.full_like(labels, any_class))\nasked = model(x_t, t, labels)\n"
        "return of_any + weight * (asked - of_any)",
    ),
    why="On the path the difference of the two velocities is a positive multiple of ∇ ln p(y | x_t), by Bayes' rule: "
    "the network serves as its own classifier. At weights other than 0 and 1 the result is no velocity of any noised "
    "data, so that no theorem says what the flow ends in.",
)
