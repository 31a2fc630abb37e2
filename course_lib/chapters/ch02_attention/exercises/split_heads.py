"""The exercise split_heads."""

from course_lib.attention import multi_head
from course_lib.classroom.exercises.probes import random
from course_lib.classroom.exercises.spec import Exercise, Mistake, Probe

ENTRY = Exercise(
    id="attention.split_heads",
    reference=multi_head.split_heads,
    probes=lambda: [
        Probe((random(2, 5, 12, seed=1), 3)),
        Probe((random(1, 4, 6, seed=2), 2)),
        Probe((random(3, 7, 8, seed=3), 4)),
    ],
    checked="three shapes with 2, 3 and 4 heads, a batch of one among them, and the gradients.",
    mistakes=(
        Mistake(
            "no_transpose",
            lambda x, n_heads: x.reshape(*x.shape[:2], n_heads, -1),
            "the heads stay behind the time",
            "attention works on the last two axes, which must be (time, d_head).",
        ),
        Mistake(
            "one_reshape",
            lambda x, n_heads: x.reshape(x.shape[0], n_heads, x.shape[1], -1),
            "one reshape goes straight to (batch, heads, time, d_head)",
            "the shape is right but the numbers are shuffled between positions: reshape keeps the order in memory.",
        ),
        Mistake(
            "interleaved",
            lambda x, n_heads: x.reshape(*x.shape[:2], -1, n_heads).permute(0, 3, 1, 2),
            "head h gets every n_heads-th feature",
            "in (heads, d_head) the features of one head lie side by side.",
        ),
    ),
    hints=(
        "Put 0, 1, 2, … into x with torch.arange and look at where the numbers go.",
        "The last axis is heads · d_head: which of the two must vary slowest?",
        "x.reshape(B, T, n_heads, C // n_heads).transpose(1, 2)",
    ),
    why="A reshape reads the numbers in memory order; only the axis that is cut may be reshaped, and the new axes "
    "move by a transpose. It copies nothing: a head is a view of the same memory.",
)
