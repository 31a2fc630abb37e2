"""The learner writes the best discriminator at every place, and what the game is worth with it."""

import math

import torch
from torch import Tensor

from course_lib.classroom.exercises.probes import random
from course_lib.classroom.exercises.spec import Exercise, Mistake, Probe
from course_lib.information import divergences


def _densities(*shape: int, seed: int, dx: float, sharp: float = 1.0) -> Tensor:
    """Positive numbers that sum to 1/dx over the last axis; the sharper, the more they differ."""
    return (sharp * random(*shape, seed=seed)).softmax(-1) / dx


def _twice_js(p: Tensor, q: Tensor, dx: float) -> Tensor:
    m = (p + q) / 2
    return (torch.xlogy(p, p / m) + torch.xlogy(q, q / m)).sum(-1) * dx


ENTRY = Exercise(
    id="gan.optimal_discriminator",
    reference=divergences.optimal_discriminator,
    probes=lambda: [
        Probe((_densities(7, seed=1, dx=0.5), _densities(7, seed=2, dx=0.5), 0.5)),
        Probe((_densities(3, 5, seed=3, dx=0.25), _densities(3, 5, seed=4, dx=0.25), 0.25)),
        Probe((_densities(1, 4, seed=5, dx=0.2), _densities(1, 4, seed=6, dx=0.2), 0.2)),
        Probe((_densities(2, 6, seed=7, dx=0.5, sharp=4), _densities(2, 6, seed=8, dx=0.5, sharp=4), 0.5)),
    ],
    checked="both results and their gradients, for four shapes and three spacings, with d from 4·10⁻⁵ to 0.9994.",
    outputs=("d", "value"),
    mistakes=(
        Mistake(
            "ratio",
            {"p / total, q / total": "p / q, 1 - p / q"},
            "d is p/q",
            "a probability lies between 0 and 1; where p = q the discriminator should say ½.",
        ),
        Mistake(
            "swapped",
            {"p / total, q / total": "q / total, p / total"},
            "data and generator are exchanged in d",
            "D is the belief that x is *real*: large where p is.",
        ),
        Mistake(
            "sign",
            {"return d, (": "return d, -("},
            "the value has the other sign: the discriminator's loss",
            "logarithms of probabilities are negative, and so is the value that D maximises.",
        ),
        Mistake(
            "no_dx",
            {" * dx": ""},
            "the sum is not multiplied by dx",
            "p is a density: p · dx is the probability of a cell.",
        ),
        Mistake(
            "mean",
            {".sum(-1) * dx": ".mean(-1)"},
            "the mean over the places is taken",
            "an expectation weighs each place by its probability, p · dx, and adds up.",
        ),
        Mistake(
            "real_only",
            {" + torch.special.xlogy(q, not_d)": ""},
            "the fakes' term is left out",
            "D is paid for both: ln D on real, ln(1 − D) on fake.",
        ),
        Mistake(
            "same_term",
            {"xlogy(q, not_d)": "xlogy(q, d)"},
            "the fakes' term has ln d in place of ln(1 − d)",
            "on a fake the discriminator is right with probability 1 − d.",
        ),
        Mistake(
            "value_swapped",
            {"xlogy(p, d)": "xlogy(q, d)", "xlogy(q, not_d)": "xlogy(p, not_d)"},
            "p and q are exchanged in the value",
            "ln D is averaged over the data, ln(1 − D) over the fakes.",
        ),
        Mistake(
            "divergence",
            lambda p, q, dx: (p / (p + q), _twice_js(p, q, dx) / 2),
            "the value is the Jensen–Shannon divergence",
            "asked is V with this d, equation (9.1): −ln 4 where p = q.",
        ),
        Mistake(
            "constant",
            lambda p, q, dx: (p / (p + q), _twice_js(p, q, dx) - math.log(4)),
            "the value is written as 2·JSD − ln 4, with ln 4 a constant",
            "right for densities; but V as a function of p and q has ln 2 · (∫p + ∫q) there, as the gradient "
            "shows. Put your d into equation (9.1).",
        ),
        Mistake(
            "bits",
            {"* dx": "* dx / math.log(2)"},
            "the logarithm has base 2",
            "nats are asked for: .log().",
        ),
        Mistake(
            "value_of",
            {".sum(-1) * dx": ".sum() * 0.02"},
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
