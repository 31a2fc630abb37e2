"""The learner turns a velocity into the data and the noise that it implies, on any path."""

from torch import Tensor

from course_lib.chapters.ch15_diffusion.exercises.common import probe, variation
from course_lib.classroom.exercises.probes import numbers
from course_lib.classroom.exercises.spec import Exercise, Mistake
from course_lib.diffusion import paths
from course_lib.diffusion.paths import COSINE, LINEAR_BETA, STRAIGHT


def _beside(t: Tensor, x: Tensor) -> Tensor:
    return t.view(-1, *(1,) * (x.dim() - 1))


def _as_straight(velocity, x_t, t, path, sign=1.0):
    t = _beside(t, x_t)
    return x_t + sign * (1 - t) * velocity, x_t - sign * t * velocity


def _negated(velocity, x_t, t, path):
    data, noise = paths.data_and_noise(velocity, x_t, t, path)
    return -data, -noise


def _swapped(velocity, x_t, t, path):
    data, noise = paths.data_and_noise(velocity, x_t, t, path)
    return noise, data


ENTRY = Exercise(
    id="diffusion.data_and_noise",
    reference=paths.data_and_noise,
    probes=lambda: [
        probe("velocity and x_t", 3, 2, times=numbers(0.1, 0.45, 0.8), path=COSINE, seed=11),
        probe("velocity and x_t", 4, 1, 5, 5, times=numbers(0.7, 0.2, 0.95, 0.4), path=STRAIGHT, seed=13),
        probe("velocity and x_t", 1, 4, times=numbers(0.3), path=LINEAR_BETA, seed=15),
        probe("velocity and x_t", 3, 3, times=numbers(0.25, 0.6, 0.9), path=LINEAR_BETA, seed=17),
        probe("velocity and x_t", 2, 5, times=numbers(0.0, 1.0), path=STRAIGHT, seed=21),
        probe("velocity and x_t", 2, 3, times=numbers(0.0, 1.0), path=COSINE, seed=19),
    ],
    checked="points and images on three paths, both ends of two of them included.",
    outputs=("data", "noise"),
    gradients=False,
    variations=variation,
    rtol=1e-8,
    atol=1e-9,  # other orders of the solution lose some digits
    mistakes=(
        Mistake(
            "as_if_straight",
            _as_straight,
            "the path is taken for straight",
            "x_t + (1 − t) v solves the two equations for α = t and σ = 1 − t. Solve them for any four coefficients.",
        ),
        Mistake(
            "backwards",
            lambda velocity, x_t, t, path: paths.data_and_noise(-velocity, x_t, t, path),
            "the velocity is taken to point from the data to the noise",
            "on straight paths v = x − ε: from x_t it leads to the data.",
        ),
        Mistake(
            "straight_and_backwards",
            lambda velocity, x_t, t, path: _as_straight(velocity, x_t, t, path, -1.0),
            "the path is taken for straight, and the velocity to point to the noise",
            "v = x − ε on straight paths; and the path need not be straight.",
        ),
        Mistake(
            "swapped",
            _swapped,
            "the two come back in the other order",
            "data first, then noise.",
        ),
        Mistake(
            "negated",
            _negated,
            "both have the wrong sign: the determinant's terms are exchanged",
            "of a x̂ + b ε̂ = p and c x̂ + d ε̂ = q the determinant is ad − bc.",
        ),
        Mistake(
            "whole_way",
            lambda velocity, x_t, t, path: (x_t + velocity, x_t - velocity),
            "the whole velocity is added and taken off",
            "from x_t at time t it is only 1 − t to the data on a straight path, and t back to the noise.",
        ),
    ),
    hints=(
        "Two equations, two unknowns: x_t = α x̂ + σ ε̂ and v = α' x̂ + σ' ε̂. Solve them as a system, for dividing by "
        "σ or by α alone fails at an end.",
        "Cramer's rule: the determinant is α σ' − σ α', and x̂ is (x_t σ' − σ v) over it.",
        "a, s, da, ds = path.at(t.view(-1, *[1] * (x_t.dim() - 1)))\nd = a * ds - s * da\n"
        "return (ds * x_t - s * velocity) / d, (a * velocity - da * x_t) / d",
    ),
    why="With place and velocity the whole way is known, as for a stone that is thrown. The other predictions lack "
    "something at an end: noise says nothing of the data at t = 0, nor data of the noise at t = 1.",
)
