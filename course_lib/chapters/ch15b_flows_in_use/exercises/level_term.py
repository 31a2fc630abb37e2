"""The learner writes the KL of one level of a chain, from the squared error of its guess."""

from torch import Tensor

from course_lib.classroom.exercises.probes import numbers, random
from course_lib.classroom.exercises.spec import Exercise, Mistake, Probe
from course_lib.diffusion import levels


def _at(alpha: float, sigma: float) -> tuple[Tensor, Tensor]:
    return numbers(alpha)[0], numbers(sigma)[0]


ENTRY = Exercise(
    id="diffusion.level_term",
    reference=levels.level_term,
    probes=lambda: [
        Probe((random(5, seed=1) ** 2, _at(0.3, 0.8), _at(0.45, 0.6)), says="(α, σ) from (0.3, 0.8) to (0.45, 0.6)"),
        Probe((random(1, seed=2) ** 2, _at(0.6, 0.8), _at(0.96, 0.28)), says="(α, σ) from (0.6, 0.8) to (0.96, 0.28)"),
        Probe((random(3, 2, seed=3) ** 2, _at(0.02, 1.3), _at(0.5, 1.7)), says="(α, σ) from (0.02, 1.3) to (0.5, 1.7)"),
    ],
    checked="values and gradients at three levels, two of them with α² + σ² other than 1.",
    mistakes=(
        Mistake(
            "no_half",
            {" / 2": ""},
            "the half is missing",
            "the density of a Gaussian has the square over *twice* its variance.",
        ),
        Mistake(
            "not_squared",
            {"(alpha / sigma) ** 2": "alpha / sigma"},
            "α/σ is taken in place of its square",
            "a mean that is off by α(x − x̂) counts by its square, over the variance σ².",
        ),
        Mistake(
            "reversed",
            {"(ratio_then - ratio)": "(ratio - ratio_then)"},
            "the ratios are subtracted the other way round",
            "a KL is at least 0; which of the two ends has less noise?",
        ),
        Mistake(
            "one_end",
            {"(ratio_then - ratio)": "ratio_then"},
            "what was known before this level is not taken off",
            "sum your terms over two levels: should the first one's gain be paid twice?",
        ),
        Mistake(
            "difference_of_alphas",
            lambda squares, now, then: ((then[0] - now[0]) / then[1]) ** 2 * squares / 2,
            "the means are taken α x apart, and the variance is σ² at the end",
            "the chain draws x_then given x_now, which is nearer to where it comes from than σ says: use Bayes' rule.",
        ),
        Mistake(
            "variance",
            {"(alpha / sigma) ** 2": "alpha**2 / sigma"},
            "σ is taken for a variance",
            "σ is a standard deviation: the signal-to-noise ratio is α²/σ².",
        ),
    ),
    hints=(
        "Put equations (15b.2) and (15b.3) together. What does not depend on x̂ cancels in the difference of the means.",
        "With s = α²/σ² before and s' = α'²/σ'² after: κ = s/s', the means are α'(1 − κ)(x − x̂) apart, and the "
        "variance is σ'²(1 − κ).",
        "½ α'²(1 − κ)²‖x − x̂‖² / (σ'²(1 − κ)) = ½ s'(1 − s/s')‖x − x̂‖².",
    ),
    why="The square has (1 − κ)², the variance (1 − κ): one of them is left, and s'(1 − s/s') = s' − s. So a level "
    "costs half of what the signal-to-noise ratio gains, times the squared error of the guess, whatever the path.",
)
