"""The learner writes join_heads: the heads' outputs side by side again."""

from course_lib.attention import multi_head
from course_lib.classroom.exercises.probes import random
from course_lib.classroom.exercises.spec import Exercise, Mistake, Probe

ENTRY = Exercise(
    id="attention.join_heads",
    reference=multi_head.join_heads,
    probes=lambda: [
        Probe((random(2, 3, 5, 4, seed=1),)),
        Probe((random(1, 2, 4, 3, seed=2),)),
        Probe((random(3, 4, 7, 2, seed=3),)),
        Probe((random(2, 1, 5, 3, seed=4),)),
        Probe((random(2, 5, 3, 1, seed=5),)),
    ],
    checked="five shapes, a batch of one, one head and heads of one number among them, and the gradients.",
    mistakes=(
        Mistake(
            "no_transpose_back",
            {"x.transpose(1, 2)": "x"},
            "the heads are not moved back behind the time before the reshape",
            "which two axes must be neighbours before they can become one?",
        ),
        Mistake(
            "interleaved_back",
            {"x.transpose(1, 2)": "x.permute(0, 2, 3, 1)"},
            "the features of the heads are interleaved",
            "head 0 comes first, whole; then head 1.",
        ),
        Mistake(
            "heads_summed",
            {"x.transpose(1, 2).reshape(B, T, H * d)": "x.sum(1).repeat(1, 1, H)"},
            "the heads are added up",
            "the heads lie side by side; mixing them is left to the output projection.",
        ),
    ),
    hints=(
        "split_heads(join_heads(x), n_heads) must be x again.",
        "x.transpose(1, 2) has shape (batch, time, heads, d_head).",
    ),
    why="After the transpose the memory is no longer in order, so this reshape copies; .view would refuse.",
)
