"""The exercise auroc."""

from torch import Tensor

from course_lib.classroom.exercises.probes import numbers, random
from course_lib.classroom.exercises.spec import Exercise, Mistake, Probe
from course_lib.evaluation import auroc as auroc_


def _above(normal: Tensor, anomalous: Tensor, tie: float = 0.5) -> Tensor:
    n, a = normal[:, None], anomalous[None]
    return (a > n).double() + tie * (a == n).double()


ENTRY = Exercise(
    id="vae.auroc",
    reference=auroc_.auroc,
    probes=lambda: [
        Probe((numbers(1, 3, 4, 4, 7), numbers(2, 4, 4, 9))),
        Probe((random(6, seed=1), random(9, seed=2) + 0.4)),
        Probe((numbers(0.5), numbers(0.5, -1.0, 2.0, 3.0, 4.0))),
        Probe((numbers(5, 6, 7, 6), numbers(6, 1, 2))),
    ],
    checked="four pairs of sets of different sizes, with ties and without.",
    gradients=False,
    mistakes=(
        Mistake(
            "reversed",
            lambda normal, anomalous: float(_above(anomalous, normal).mean()),
            "it is the probability that the normal score is above",
            "a good detector gives anomalies the higher scores and should get 1.",
        ),
        Mistake(
            "ties_lost",
            lambda normal, anomalous: float(_above(normal, anomalous, 0.0).mean()),
            "ties count nothing",
            "a detector that gives everything the same score is chance: ½.",
        ),
        Mistake(
            "ties_won",
            lambda normal, anomalous: float(_above(normal, anomalous, 1.0).mean()),
            "ties count as won",
            "a detector that gives everything the same score is chance: ½.",
        ),
        Mistake(
            "count",
            lambda normal, anomalous: float(_above(normal, anomalous).sum()),
            "the pairs are counted and not divided by their number",
            "a probability is at most 1: there are n · m pairs.",
        ),
        Mistake(
            "gini",
            lambda normal, anomalous: float(2 * _above(normal, anomalous).mean() - 1),
            "it runs from −1 to 1: twice the area, minus 1",
            "chance is to be ½ here.",
        ),
        Mistake(
            "against_mean",
            lambda normal, anomalous: float((anomalous > normal.mean()).double().mean()),
            "the anomalous scores are compared with the normal ones' mean",
            "every normal score is a threshold of its own.",
        ),
        Mistake(
            "against_maximum",
            lambda normal, anomalous: float((anomalous > normal.max()).double().mean()),
            "only what is above all normal scores counts",
            "that is one threshold, with no false alarms; the area is over all of them.",
        ),
        Mistake(
            "in_order",
            lambda normal, anomalous: float(
                _above(normal, anomalous).diagonal().sum() / min(len(normal), len(anomalous))
            ),
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
