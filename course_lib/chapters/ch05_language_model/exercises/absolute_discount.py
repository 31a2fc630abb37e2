"""The learner writes absolute_discount: how much to take off every count, from the counts of one and two."""

import torch

from course_lib.classroom.exercises.spec import Exercise, Mistake, Probe
from course_lib.information import ngram

_counts = [[1, 1, 1, 2, 5], [1, 2, 2, 2, 3, 3, 9, 1], [1, 0, 0, 1, 2, 4, 1, 1, 7, 2, 2], [3, 1, 6, 1]]


ENTRY = Exercise(
    id="language.absolute_discount",
    reference=ngram.absolute_discount,
    probes=lambda: [Probe((torch.tensor(c),), says=f"counts = {c}") for c in _counts],
    checked="four lists of counts, one with zeros, one without a two.",
    gradients=False,
    mistakes=(
        Mistake(
            "twos_once",
            {"2 * twos": "twos"},
            "n₂ enters the denominator once",
            "it is n₁ + 2 n₂: each n-gram seen twice has two occurrences.",
        ),
        Mistake(
            "n2_above",
            {"return ones": "return twos"},
            "n₂ stands in the numerator",
            "the discount is the larger, the more n-grams were seen only once.",
        ),
        Mistake(
            "share_of_ones",
            {"(ones + 2 * twos)": "len(counts)"},
            "the share of n-grams seen once is taken, among all of them",
            "only those seen once and twice enter.",
        ),
        Mistake(
            "share_of_occurrences",
            {"(ones + 2 * twos)": "int(counts.sum())"},
            "n₁ is divided by all occurrences",
            "that is Good and Turing's share of the unseen, a neighbour of D. Only n₁ and n₂ enter here.",
        ),
    ),
    hints=(
        "n₁ is a count of counts: how many entries are equal to 1?",
        "(counts == 1).sum().item() counts them; the discount is a plain number then.",
        "n1 / (n1 + 2 * n2)",
    ),
    why="Of n-grams seen once and twice one expects, in as much new text, about r − D occurrences each; leaving one "
    "occurrence out at a time gives this estimate of D from n₁ and n₂ alone.",
)
