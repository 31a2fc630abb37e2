"""The learner puts LoRA's two thin matrices into the one that they were added to."""

from course_lib.chapters.ch17_chat import low_rank
from course_lib.classroom.exercises.probes import random
from course_lib.classroom.exercises.spec import Exercise, Mistake, Probe


def _probe(out: int, into: int, rank: int, alpha: float, seed: int) -> Probe:
    shapes = (out, into), (rank, into), (out, rank)
    return Probe((*(random(*shape, seed=seed + i) for i, shape in enumerate(shapes)), alpha))


def _scaled(scale):
    """With another factor in front of the product."""
    return lambda weight, down, up, alpha: weight + scale(weight, down, up, alpha) * (up @ down)


ENTRY = Exercise(
    id="chat.merged_weight",
    reference=low_rank.merged_weight,
    probes=lambda: [_probe(5, 7, 3, 16.0, 1), _probe(4, 4, 2, 3.0, 11), _probe(6, 2, 1, 0.7, 21)],
    checked="three sizes, a square matrix and rank 1 among them, three α: the matrix, and the gradients.",
    mistakes=(
        Mistake(
            "scale_forgotten",
            _scaled(lambda weight, down, up, alpha: 1.0),
            "α and the rank are left out",
            "what stands in front of B A in equation (17.5)?",
        ),
        Mistake(
            "not_divided",
            _scaled(lambda weight, down, up, alpha: alpha),
            "the product is not divided by the rank",
            "what does the factor do when the rank is doubled?",
        ),
        Mistake(
            "twice",
            _scaled(lambda weight, down, up, alpha: (alpha / down.shape[0]) ** 2),
            "α / r comes in twice",
            "each of the thin matrices scaled by α / r, or their product?",
        ),
        Mistake(
            "other_axis",
            _scaled(lambda weight, down, up, alpha: alpha / down.shape[1]),
            "the product is divided by the number of inputs, not by the rank",
            "which axis of the thin matrices do they share?",
        ),
        Mistake(
            "outputs",
            _scaled(lambda weight, down, up, alpha: alpha / up.shape[0]),
            "the product is divided by the number of outputs, not by the rank",
            "which axis of the thin matrices do they share?",
        ),
        Mistake(
            "root",
            _scaled(lambda weight, down, up, alpha: alpha / down.shape[0] ** 0.5),
            "the product is divided by the root of the rank",
            "there are such variants; equation (17.5) is another.",
        ),
        Mistake(
            "taken_off",
            _scaled(lambda weight, down, up, alpha: -alpha / down.shape[0]),
            "the product is taken off",
            "that would undo a merge.",
        ),
        Mistake(
            "product_alone",
            lambda weight, down, up, alpha: alpha / down.shape[0] * (up @ down),
            "the matrix itself is left out",
            "what did the layer compute before anything was learned, when B was 0?",
        ),
        Mistake(
            "transposed",
            lambda weight, down, up, alpha: weight + alpha / down.shape[0] * (up @ down).T,
            "the product is transposed; where the matrix is not square it does not even fit",
            "B A has the shape of W. Which of the two is applied to x first?",
        ),
    ),
    hints=(
        "Write equation (17.5) with its shapes: (out, rank) times (rank, in).",
        "The rank is the length of the axis that both thin matrices have.",
        "weight + alpha / rank * (up @ down)",
    ),
    why="A product of two matrices is one matrix, so the merged layer costs what the layer cost before, and nobody who "
    "uses it can see how it was trained. What is added has rank r at most, for its columns are sums of the r columns "
    "of B. Before the merge it can be taken off again: one model, and a small file for each of its uses.",
)
