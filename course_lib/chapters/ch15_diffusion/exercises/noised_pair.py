"""The learner writes what a network sees and what it is to predict."""

from course_lib.chapters.ch15_diffusion.exercises.common import probe, variation
from course_lib.classroom.exercises.probes import numbers
from course_lib.classroom.exercises.spec import Exercise, Mistake
from course_lib.diffusion import paths
from course_lib.diffusion.paths import COSINE, LINEAR_BETA, STRAIGHT

PLACE, TARGET = "return alpha * x + sigma * eps", "d_alpha * x + d_sigma * eps"


ENTRY = Exercise(
    id="diffusion.noised_pair",
    reference=paths.noised_pair,
    probes=lambda: [
        probe("x and eps", 3, 2, times=numbers(0.1, 0.45, 0.8), path=COSINE, seed=1),
        probe("x and eps", 4, 1, 5, 5, times=numbers(0.7, 0.2, 0.95, 0.4), path=STRAIGHT, seed=3),
        probe("x and eps", 3, 3, times=numbers(0.15, 0.6, 0.9), path=STRAIGHT, seed=5),
        probe("x and eps", 1, 4, times=numbers(0.3), path=LINEAR_BETA, seed=7),
        probe("x and eps", 2, 3, 4, times=numbers(0.85, 0.35), path=LINEAR_BETA, seed=9),
    ],
    checked="points, images and a batch of one, each row at its own time, on three paths.",
    outputs=("x_t", "target"),
    gradients=False,
    variations=variation,
    mistakes=(
        Mistake(
            "noise_at_one",
            {PLACE: "return sigma * x + alpha * eps", TARGET: "d_sigma * x + d_alpha * eps"},
            "data and noise have exchanged their shares: x at t = 0, noise at t = 1",
            "that is the time of papers on diffusion. Here α(1) = 1, and α is the share of the data.",
        ),
        Mistake(
            "one_minus_t",
            lambda x, eps, t, path: paths.noised_pair(x, eps, 1 - t, path),
            "the path is asked at 1 − t",
            "path.at(t) knows this course's time already: noise at 0, data at 1.",
        ),
        Mistake(
            "backwards",
            {TARGET: "-d_alpha * x - d_sigma * eps"},
            "the velocity points from the data to the noise",
            "t grows towards the data; what is the derivative of α(t) x + σ(t) ε?",
        ),
        Mistake(
            "sigma_sign",
            {TARGET: "d_alpha * x - d_sigma * eps"},
            "σ' has lost its sign, as if noise grew",
            "σ falls, so that σ' is negative already: on straight paths σ' = −1.",
        ),
        Mistake(
            "target_noise",
            {TARGET: "eps"},
            "the target is the noise",
            "that trains another of the four predictions; asked for is dx_t/dt.",
        ),
        Mistake(
            "target_data",
            {TARGET: "x"},
            "the target is the data",
            "that trains another of the four predictions; asked for is dx_t/dt.",
        ),
        Mistake(
            "straight_target",
            {TARGET: "x - eps"},
            "the target is x − ε on every path",
            "that is the derivative where α = t and σ = 1 − t. What is it for any α and σ?",
        ),
        Mistake(
            "place_in_target",
            {TARGET: "alpha * x + sigma * eps"},
            "place and velocity are the same: α and σ stand where their derivatives belong",
            "path.at(t) returns four things.",
        ),
        Mistake(
            "variance_one",
            {PLACE: "return alpha * x + (1 - alpha**2).sqrt() * eps"},
            "the noise's share is taken as √(1 − α²)",
            "so it is on paths that keep the variance; on straight ones α + σ = 1. The path says σ.",
        ),
        Mistake(
            "one_time",
            lambda x, eps, t, path: paths.noised_pair(x, eps, t[:1].expand(len(x)), path),
            "all rows are noised to the first row's time",
            "every row of the batch has a time of its own.",
        ),
        Mistake(
            "times_across",
            {"_beside(t, x)": "t if len(t) == x.shape[-1] else _beside(t, x)"},
            "where a batch has as many rows as numbers in a row, t runs along the wrong axis",
            "t (batch,) beside x (batch, d) is taken for a row. Give it as many axes as x has, of size 1.",
        ),
    ),
    hints=(
        "Two weighted sums with the same x and ε. What differs are the weights.",
        "t.view(-1, *[1] * (x.dim() - 1)) has as many axes as x; path.at of it returns α, σ, α', σ', which broadcast.",
        "alpha, sigma, d_alpha, d_sigma = path.at(t.view(-1, *[1] * (x.dim() - 1)))\n"
        "return alpha * x + sigma * eps, d_alpha * x + d_sigma * eps",
    ),
    why="These two lines are all that distinguishes this training from any regression. A paper with another time, "
    "another schedule or another target changes nothing but the four coefficients, or which sum of x and ε is asked "
    "for.",
)
