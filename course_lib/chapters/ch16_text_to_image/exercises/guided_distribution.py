"""The learner writes guidance where symbols are drawn: more of what the caption changes."""

import torch

from course_lib.chapters.ch16_text_to_image import guiding
from course_lib.classroom.exercises.probes import random
from course_lib.classroom.exercises.spec import Exercise, Mistake, Probe, Property


def _probe(*shape: int, weight: float, seed: int) -> Probe:
    return Probe((random(*shape, seed=seed), random(*shape, seed=seed + 1, shift=-0.4), weight))


def _variation(generator: torch.Generator) -> Probe:
    asked, anything = torch.randn(2, 3, 5, generator=generator, dtype=torch.float64)
    return Probe((asked, anything, float(torch.rand((), generator=generator) * 5)))


def _of(combine):
    return lambda asked, anything, weight: combine(asked, anything, weight).softmax(dim=-1)


def _mixed(asked, anything, weight):
    a, u = asked.softmax(dim=-1), anything.softmax(dim=-1)
    return u + weight * (a - u)


def _mixed_and_cut(asked, anything, weight):
    mixed = _mixed(asked, anything, weight).clamp(min=0)
    return mixed / mixed.sum(dim=-1, keepdim=True)


ENTRY = Exercise(
    id="text.guided_distribution",
    reference=guiding.guided_distribution,
    probes=lambda: [
        _probe(3, 5, weight=2.5, seed=1),
        _probe(1, 7, weight=4.0, seed=3),
        _probe(4, 6, weight=0.5, seed=5),
        _probe(2, 3, 4, weight=0.0, seed=7),
        _probe(2, 8, weight=1.0, seed=9),
        _probe(3, 4, weight=8.0, seed=11),
    ],
    checked="weights 0, 0.5, 1, 2.5, 4 and 8: probabilities of the next symbol, and the gradients.",
    variations=_variation,
    mistakes=(
        Mistake(
            "mixed",
            _mixed,
            "the two distributions are mixed, and not their logarithms",
            "p(y | k)^w is a power, so the weight stands on a logarithm. At weight 4 your mixture falls below 0.",
        ),
        Mistake(
            "mixed_and_cut",
            _mixed_and_cut,
            "the two distributions are mixed and cut off at 0",
            "p(y | k)^w is a power, so the weight stands on a logarithm.",
        ),
        Mistake(
            "from_asked",
            _of(lambda asked, anything, w: asked + w * (asked - anything)),
            "the weight counts from the caption on: what you call w is w + 1 here",
            "in this course weight 0 asks nothing, and 1 asks for the caption.",
        ),
        Mistake(
            "exchanged",
            _of(lambda asked, anything, w: asked + w * (anything - asked)),
            "the two are exchanged: weight 0 asks for the caption, and more leads away from it",
            "start from what is drawn without a caption.",
        ),
        Mistake(
            "away",
            _of(lambda asked, anything, w: anything - w * (asked - anything)),
            "the difference is taken off",
            "which way leads from any picture to one of this caption?",
        ),
        Mistake(
            "asked_scaled",
            _of(lambda asked, anything, w: w * asked),
            "the caption's logits are multiplied by the weight",
            "that is a temperature of 1/w: it makes the likely likelier, with the caption and without it.",
        ),
        Mistake(
            "difference_alone",
            _of(lambda asked, anything, w: w * (asked - anything)),
            "only the difference counts: p(y | k)^w without p(k)",
            "at weight 0 what is drawn without a caption should be left.",
        ),
        Mistake(
            "added",
            _of(lambda asked, anything, w: anything + w * asked),
            "both are added up",
            "their sum counts what they share twice; only the difference is the caption's.",
        ),
        Mistake(
            "across",
            lambda asked, anything, w: (anything + w * (asked - anything)).softmax(dim=0),
            "the softmax runs over the pictures",
            "each picture has a distribution of its own, over the last axis.",
        ),
    ),
    properties=(
        Property(
            "sums_to_one",
            lambda output, asked, anything, weight: bool(torch.allclose(output.sum(-1), output.new_ones(()))),
            "the probabilities of each row sum to 1",
        ),
    ),
    hints=(
        "Take the logarithm of equation (16.5): two terms, one of them times the weight.",
        "Logits are log-probabilities but for a constant in each row, and the softmax does not see a constant.",
        "log p(y | k) is log p(k | y) − log p(k), but for a constant: asked − anything.",
    ),
    why="By Bayes' rule the model serves as its own judge: p(y | k) is in proportion to p(k | y) / p(k). Each symbol "
    "is guided by itself, given those before. The product of the 64 is no power of the whole picture's p(y | k): each "
    "step is normalised anew, so that what is drawn is not exactly the sharpened distribution.",
)
