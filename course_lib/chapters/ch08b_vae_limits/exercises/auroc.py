"""The learner writes the probability that an anomalous score is above a normal one, ties counting half."""

from torch import Tensor

from course_lib.classroom.exercises.probes import numbers, random
from course_lib.classroom.exercises.spec import Exercise, Mistake, Probe
from course_lib.evaluation import auroc as auroc_


def _in_order(normal: Tensor, anomalous: Tensor) -> float:
    """Compare the first with the first, the second with the second, as far as both go."""
    pairs = list(zip(normal.tolist(), anomalous.tolist(), strict=False))
    return sum((a > n) + 0.5 * (a == n) for n, a in pairs) / len(pairs)


ENTRY = Exercise(
    id="vae.auroc",
    reference=auroc_.auroc,
    probes=lambda: [
        Probe((numbers(1, 3, 4, 4, 7), numbers(2, 4, 4, 9))),
        Probe((20 * random(6, seed=1) - 16, 20 * random(9, seed=2) - 8)),
        Probe((numbers(0.5), numbers(0.5, -1.0, 2.0, 3.0, 4.0))),
        Probe((numbers(5, 6, 7, 6), numbers(6, 1, 2))),
    ],
    checked="four pairs of sets of different sizes, with ties and without.",
    gradients=False,
    mistakes=(
        Mistake(
            "reversed",
            {"return int": "return 1 - int"},
            "it is the probability that the normal score is above",
            "a good detector gives anomalies the higher scores and should get 1.",
        ),
        Mistake(
            "ties_lost",
            {"below + up_to": "below + below"},
            "ties count nothing",
            "a detector that gives everything the same score is chance: ½.",
        ),
        Mistake(
            "ties_won",
            {"below + up_to": "up_to + up_to"},
            "ties count as won",
            "a detector that gives everything the same score is chance: ½.",
        ),
        Mistake(
            "count",
            {" / (2 * len(normal) * len(anomalous))": " / 2"},
            "the pairs are counted and not divided by their number",
            "a probability is at most 1: there are n · m pairs.",
        ),
        Mistake(
            "divided_by_one",
            {" / (2 * len(normal) * len(anomalous))": " / (2 * len(normal))"},
            "the pairs are divided by the number of normal scores alone",
            "a probability is at most 1: there are n · m pairs.",
        ),
        Mistake(
            "gini",
            {"return int": "return 2 * int", "* len(anomalous))": "* len(anomalous)) - 1"},
            "it runs from −1 to 1: twice the area, minus 1",
            "chance is to be ½ here.",
        ),
        Mistake(
            "against_mean",
            lambda normal, anomalous: (anomalous > normal.mean()).double().mean(),
            "the anomalous scores are compared with the normal ones' mean",
            "every normal score is a threshold of its own.",
        ),
        Mistake(
            "against_maximum",
            lambda normal, anomalous: (anomalous > normal.max()).double().mean(),
            "only what is above all normal scores counts",
            "that is one threshold, with no false alarms; the area is over all of them.",
        ),
        Mistake(
            "in_order",
            _in_order,
            "only pairs with the same number are compared",
            "every anomalous score meets every normal one: normal[:, None] makes a column.",
        ),
    ),
    hints=(
        "What must come out where all scores are the same?",
        "anomalous > normal[:, None] compares all pairs.",
        "((anomalous > normal[:, None]).double() + 0.5 * (anomalous == normal[:, None]).double()).mean()",
    ),
    why="Sweeping a threshold draws the ROC curve; the area under it is this probability, so no threshold need be "
    "chosen. The library sorts once and counts by bisection, so that 10,000 against 10,000 need no table of 10⁸ pairs.",
)
