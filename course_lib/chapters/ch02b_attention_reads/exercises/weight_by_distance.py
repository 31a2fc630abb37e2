"""The learner writes weight_by_distance: a head's mean weight on the key so many places back."""

from torch import Tensor

from course_lib.chapters.ch02b_attention_reads import heads
from course_lib.classroom.exercises.probes import random
from course_lib.classroom.exercises.spec import Exercise, Mistake, Probe


def _weights(*shape: int, seed: int) -> Tensor:
    """Weights of every query on every key, future included: a reader of the wrong half is found."""
    return random(*shape, shape[-1], seed=seed).softmax(-1)


ENTRY = Exercise(
    id="attention.weight_by_distance",
    reference=heads.weight_by_distance,
    probes=lambda: [
        Probe((_weights(2, 3, 7, seed=1), 4)),
        Probe((_weights(1, 6, seed=2), 5)),
        Probe((_weights(9, seed=3), 3)),
        Probe((_weights(2, 2, 2, 5, seed=4), 1)),
    ],
    checked="four shapes, with 0 to 3 leading axes and 1 to 5 distances.",
    gradients=False,
    mistakes=(
        Mistake(
            "transposed",
            {"weights.diagonal": "weights.mT.diagonal"},
            "queries and keys have changed places",
            "rows are queries: which index of weights[i, j] is the one that looks back?",
        ),
        Mistake(
            "every_query",
            {"[..., n - 1 - back :]": ""},
            "each distance is averaged over every query that reaches so far",
            "then the n means are of different queries; the first ones have few keys, and so large weights.",
        ),
        Mistake(
            "over_all_positions",
            {"[..., n - 1 - back :].mean(-1)": ".sum(-1) / weights.shape[-1]"},
            "the sum is divided by the number of all positions",
            "a query without such a key is then counted as one that gives it nothing.",
        ),
        Mistake(
            "sum_for_mean",
            {".mean(-1)": ".sum(-1)"},
            "the weights are added up, not averaged",
            "a mean weight lies between 0 and 1 for any length of text.",
        ),
        Mistake(
            "from_one",
            {"diagonal(-back": "diagonal(-back - 1"},
            "the distances begin at 1",
            "distance 0 is the query's own position.",
        ),
        Mistake(
            "farthest_first",
            {"for back in range(n)": "for back in reversed(range(n))"},
            "the farthest key comes first",
            "entry 0 belongs to distance 0.",
        ),
    ),
    hints=(
        "Query i finds the key at distance b at weights[..., i, i - b].",
        "Only queries i ≥ n − 1 have keys at all of the distances 0 … n − 1.",
        "weights.diagonal(-b, -2, -1) runs over the queries b, b + 1, …: leave out the first n − 1 − b of them.",
    ),
    why="A diagonal of the table holds all pairs at one distance. The early queries are left out because they have "
    "fewer keys to share their 1 among: with them, near distances would look brighter than they are.",
)
