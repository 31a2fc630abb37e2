"""The learner writes paired_difference: two arms on the same seeds, their mean difference and its standard error."""

from course_lib.classroom.exercises.probes import numbers, random
from course_lib.classroom.exercises.spec import Exercise, Mistake, Probe
from course_lib.evaluation import comparisons

ENTRY = Exercise(
    id="attention.paired_difference",
    reference=comparisons.paired_difference,
    probes=lambda: [
        Probe((random(5, seed=1), random(5, seed=2))),
        Probe((random(3, seed=3, shift=2.8), random(3, seed=4, shift=3.1))),
        Probe((numbers(3.1, 4.2, 2.9, 3.6, 5.0, 4.4, 3.9), numbers(2.6, 3.9, 2.3, 3.4, 4.3, 4.1, 3.2))),
        Probe((random(8, seed=5), random(8, seed=6, shift=-1.0))),
    ],
    checked="3, 5, 7 and 8 seeds, one of them with arms that rise and fall together.",
    outputs=("mean", "standard_error"),
    gradients=False,
    mistakes=(
        Mistake(
            "unpaired",
            {"differences.std() / math.sqrt(len(differences))": "((first.var() + second.var()) / len(first)).sqrt()"},
            "the spreads of the two arms are added, as if no seed were shared",
            "where a seed is hard for both arms, what of it is left in first − second?",
        ),
        Mistake(
            "spread",
            {" / math.sqrt(len(differences))": ""},
            "the spread of the differences is returned, not the standard error of their mean",
            "how does the uncertainty of a mean shrink with the number of seeds?",
        ),
        Mistake(
            "divided_by_n",
            {"math.sqrt(len(differences))": "len(differences)"},
            "the spread is divided by the number of seeds, not by its square root",
            "the variance of a mean is the variance over n; and its root?",
        ),
        Mistake(
            "divisor_n",
            {".std()": ".std(correction=0)"},
            "the variance is taken with the divisor n",
            "the mean was estimated from the same n numbers; which divisor makes up for that?",
        ),
        Mistake(
            "one_too_few",
            {"math.sqrt(len(differences))": "math.sqrt(len(differences) - 1)"},
            "n − 1 is used twice, in the variance and again under the root",
            "n − 1 belongs into the variance; the mean is over n seeds.",
        ),
        Mistake(
            "reversed",
            {"first - second": "second - first"},
            "the difference is second − first",
            "which of the two is to come out positive where the first needs more bits?",
        ),
        Mistake(
            "absolute",
            {"first - second": "(first - second).abs()"},
            "the sign of each difference is dropped",
            "seeds that point in opposite directions should cancel.",
        ),
    ),
    hints=(
        "Make one list of numbers out of the two before you do anything else.",
        "The standard error of a mean of n numbers is their standard deviation, with divisor n − 1, over √n.",
        "d = first - second; return d.mean(), d.std() / len(d) ** 0.5",
    ),
    why="A seed that draws a hard start or hard batches may be hard for both arms. Where it is, the arms go together, "
    "the seed cancels in the differences, and a small effect shows with few seeds. Where they do not go together, "
    "pairing gains nothing, and the standard error of the differences says so.",
)
