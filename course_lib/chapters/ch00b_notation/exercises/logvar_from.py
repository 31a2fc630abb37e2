"""The learner writes logvar_from: log σ² of a spread in any of the writings that sources use."""

import torch

from course_lib.chapters.ch00b_notation import conventions
from course_lib.classroom.exercises.probes import numbers, random
from course_lib.classroom.exercises.spec import Exercise, Mistake, Probe


def _probes() -> list[Probe]:
    spreads = numbers(0.3, 1.7, 2.5)
    return [
        Probe((random(2, 3, seed=1), "logvar")),
        Probe((random(4, seed=2), "log_std")),
        Probe((spreads, "std")),
        Probe((spreads[:2], "variance")),
        Probe((spreads[None], "precision")),
        Probe((numbers(1e-200, 0.4), "std"), says="value = [1e-200, 0.4] and meaning = 'std'"),
    ]


def _variation(generator: torch.Generator) -> Probe:
    meaning = ("std", "variance", "log_std", "logvar", "precision")[int(torch.randint(5, (), generator=generator))]
    value = torch.randn(3, generator=generator, dtype=torch.float64)
    return Probe((value if meaning.startswith("log") else value.exp(), meaning))


ENTRY = Exercise(
    id="notation.logvar_from",
    reference=conventions.logvar_from,
    probes=_probes,
    checked="all five meanings, a standard deviation of 1e-200, and the gradients.",
    variations=_variation,
    mistakes=(
        Mistake(
            "std_unsquared",
            {'"std": 2 * value.log()': '"std": value.log()'},
            "the logarithm of a standard deviation is taken for that of a variance",
            "σ = 3 means σ² = 9: which of the two logarithms is asked for?",
        ),
        Mistake(
            "log_std_kept",
            {'"log_std": 2 * value': '"log_std": value'},
            "log σ is handed on as if it were log σ²",
            "how do log σ² and log σ differ?",
        ),
        Mistake(
            "variance_squared",
            {'"variance": value.log()': '"variance": 2 * value.log()'},
            "a variance is squared once more",
            "a variance is σ² already.",
        ),
        Mistake(
            "precision_upright",
            {"-value.log()": "value.log()"},
            "a precision is read as a variance",
            "the precision is 1/σ²: what is the logarithm of a reciprocal?",
        ),
        Mistake(
            "never_zero",
            {
                '"std": 2 * value.log()': '"std": 2 * (value + 1e-8).log()',
                '"variance": value.log()': '"variance": (value + 1e-8).log()',
                '"precision": -value.log()': '"precision": -(value + 1e-8).log()',
            },
            "1e-8 is added before each logarithm",
            "a standard deviation of 1e-200 has a logarithm, −460.5; what does 1e-200 + 1e-8 have?",
        ),
        Mistake(
            "std_never_zero",
            {'"std": 2 * value.log()': '"std": 2 * (value + 1e-8).log()'},
            "1e-8 is added to a standard deviation before its logarithm",
            "a standard deviation of 1e-200 has a logarithm, −460.5; what does 1e-200 + 1e-8 have?",
        ),
        Mistake(
            "square_underflows",
            {'"std": 2 * value.log()': '"std": (value**2).log()'},
            "the square is taken before the logarithm: of 1e-200 it is 0 in the computer",
            "log σ² can be had without σ².",
        ),
    ),
    hints=(
        "Take σ = 3 and write down its variance, its precision and the logarithms: log σ² must be log 9 each time.",
        "log σ² = 2 log σ, and log(1/σ²) = −log σ².",
        'One line a meaning: "std" 2 * value.log(), "variance" value.log(), "log_std" 2 * value, "logvar" value, '
        '"precision" -value.log().',
    ),
    why="All five say the same about a bell, and a network's raw output may be any of them. A factor of two in a "
    "logarithm is a square in the spread, which no shape and no error message reveals.",
)
