"""The exercise optimal_discriminator."""

import math

from torch import Tensor

from course_lib.classroom.exercises.probes import random
from course_lib.classroom.exercises.spec import Exercise, Mistake, Probe
from course_lib.information import divergences


def _densities(*shape: int, seed: int, dx: float) -> Tensor:
    """Positive numbers that sum to 1/dx over the last axis."""
    return random(*shape, seed=seed).softmax(-1) / dx


def _value(p, q, dx, d, not_d):
    return d, (p * d.log() + q * not_d.log()).sum(-1) * dx


ENTRY = Exercise(
    id="gan.optimal_discriminator",
    reference=divergences.optimal_discriminator,
    probes=lambda: [
        Probe((_densities(7, seed=1, dx=0.5), _densities(7, seed=2, dx=0.5), 0.5)),
        Probe((_densities(3, 5, seed=3, dx=0.25), _densities(3, 5, seed=4, dx=0.25), 0.25)),
        Probe((_densities(1, 4, seed=5, dx=0.2), _densities(1, 4, seed=6, dx=0.2), 0.2)),
    ],
    checked="both results and their gradients, for three shapes and three spacings.",
    outputs=("d", "value"),
    mistakes=(
        Mistake(
            "ratio",
            lambda p, q, dx: _value(p, q, dx, p / q, 1 - p / q),
            "d is p/q",
            "a probability lies between 0 and 1; where p = q the discriminator should say ½.",
        ),
        Mistake(
            "swapped",
            lambda p, q, dx: _value(p, q, dx, q / (p + q), p / (p + q)),
            "data and generator are exchanged in d",
            "D is the belief that x is *real*: large where p is.",
        ),
        Mistake(
            "sign",
            lambda p, q, dx: (p / (p + q), -_value(p, q, dx, p / (p + q), q / (p + q))[1]),
            "the value has the other sign: the discriminator's loss",
            "logarithms of probabilities are negative, and so is the value that D maximises.",
        ),
        Mistake(
            "no_dx",
            lambda p, q, dx: _value(p, q, 1.0, p / (p + q), q / (p + q)),
            "the sum is not multiplied by dx",
            "p is a density: p · dx is the probability of a cell.",
        ),
        Mistake(
            "mean",
            lambda p, q, dx: (p / (p + q), _value(p, q, 1.0, p / (p + q), q / (p + q))[1] / p.shape[-1]),
            "the mean over the places is taken",
            "an expectation weighs each place by its probability, p · dx, and adds up.",
        ),
        Mistake(
            "real_only",
            lambda p, q, dx: (p / (p + q), (p * (p / (p + q)).log()).sum(-1) * dx),
            "the fakes' term is left out",
            "D is paid for both: ln D on real, ln(1 − D) on fake.",
        ),
        Mistake(
            "same_term",
            lambda p, q, dx: _value(p, q, dx, p / (p + q), p / (p + q)),
            "the fakes' term has ln d in place of ln(1 − d)",
            "on a fake the discriminator is right with probability 1 − d.",
        ),
        Mistake(
            "bits",
            lambda p, q, dx: (p / (p + q), _value(p, q, dx, p / (p + q), q / (p + q))[1] / math.log(2)),
            "the logarithm has base 2",
            "nats are asked for: .log().",
        ),
        Mistake(
            "value_of",
            lambda p, q, dx: (p / (p + q), (p * (p / (p + q)).log() + q * (q / (p + q)).log()).sum() * 0.02),
            "the chapter's value_of computes the value: it sums over everything, with the grid's dx = 0.02",
            "sum over the last axis alone, and take the dx that is handed in.",
        ),
    ),
    hints=(
        "For p = q everywhere d must be ½ and the value −ln 4. What do you get?",
        "Set the derivative p/d − q/(1 − d) to zero.",
        "d = p / (p + q); value = (p * d.log() + q * (1 - d).log()).sum(-1) * dx",
    ),
    why="Each place has its own d, so the integral is largest when every summand is. The library writes q/(p + q) for "
    "1 − d, which keeps its digits where q is tiny.",
)
