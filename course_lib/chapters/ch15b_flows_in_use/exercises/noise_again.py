"""The learner makes a sample noisier again, by just as much as it takes to be at an earlier time."""

from torch import Tensor

from course_lib.classroom.exercises.probes import numbers, random
from course_lib.classroom.exercises.spec import Exercise, Mistake, Probe
from course_lib.diffusion import inpainting


def _at(alpha: float, sigma: float) -> tuple[Tensor, Tensor]:
    return numbers(alpha)[0], numbers(sigma)[0]


def _probe(shape: tuple[int, ...], seed: int, now: tuple[float, float], then: tuple[float, float]) -> Probe:
    args = (random(*shape, seed=seed), random(*shape, seed=seed + 1), _at(*now), _at(*then))
    return Probe(args, says=f"(α, σ) from {then} back to {now}")


ENTRY = Exercise(
    id="diffusion.noise_again",
    reference=inpainting.noise_again,
    probes=lambda: [
        _probe((4, 3), 1, (0.4, 0.6), (0.5, 0.5)),
        _probe((1, 2, 3), 3, (0.6, 0.8), (0.8, 0.6)),
        _probe((2, 5), 5, (0.0, 1.0), (0.25, 0.75)),
        _probe((3, 2), 7, (0.7, 1.4), (1.1, 0.3)),
    ],
    checked="values and gradients on four pieces of three paths, one of them from pure noise.",
    mistakes=(
        Mistake(
            "not_shrunk",
            {"return shrink * x": "return x"},
            "x keeps the signal that it has",
            "x holds α' of the data, and at the earlier time there is only α of it.",
        ),
        Mistake(
            "whole_noise",
            {"(sigma**2 - (shrink * sigma_then) ** 2).sqrt()": "sigma"},
            "as much noise is added as there is to be in all",
            "x is noisy already: variances add up.",
        ),
        Mistake(
            "old_noise_not_shrunk",
            {"(shrink * sigma_then) ** 2": "sigma_then**2"},
            "the noise that is there is counted as if it were not shrunk with x",
            "multiplying by α/α' shrinks data and noise alike: what is left of σ'?",
        ),
        Mistake(
            "spreads_subtracted",
            {"(sigma**2 - (shrink * sigma_then) ** 2).sqrt()": "(sigma - shrink * sigma_then)"},
            "standard deviations are subtracted",
            "independent noises add by their variances.",
        ),
        Mistake(
            "variance",
            {"(sigma**2 - (shrink * sigma_then) ** 2).sqrt()": "(sigma**2 - (shrink * sigma_then) ** 2)"},
            "eps is multiplied by the variance",
            "a standard normal number times c has variance c².",
        ),
        Mistake(
            "taken_as_clean",
            lambda x, eps, now, then: now[0] * x + now[1] * eps,
            "x is taken for the data themselves",
            "x is noisy as at then: it holds α' of the data, and noise of its own.",
        ),
        Mistake(
            "sum_of_squares_one",
            {"(sigma**2 - (shrink * sigma_then) ** 2).sqrt()": "(1 - shrink**2).sqrt()"},
            "α² + σ² is taken to be 1 at both ends",
            "that holds on some paths, not on the straight one: what is missing from σ² there?",
        ),
    ),
    hints=(
        "x = α' data + σ' noise. What must x be multiplied by, so that α of the data is left?",
        "After that its noise has variance (α/α')² σ'². How much variance is missing from σ²?",
        "(α/α') x + (σ² − (α/α')² σ'²)^½ eps.",
    ),
    why="Chapter 15's noising in one step, from any time to any noisier one. Had the noise not been filled up to "
    "exactly σ², the network would be asked about a picture that is cleaner or noisier than it is told.",
)
