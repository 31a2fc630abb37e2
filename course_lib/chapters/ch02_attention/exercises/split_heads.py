"""The learner writes split_heads: the features of every position cut into heads."""

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
        Probe((random(2, 4, 5, seed=4), 1)),
        Probe((random(2, 3, 5, seed=5), 5)),
    ],
    checked="five shapes with 1 to 5 heads, a batch of one, and the gradients.",
    mistakes=(
        Mistake(
            "no_transpose",
            {".transpose(1, 2)": ""},
            "the heads stay behind the time",
            "attention works on the last two axes, which must be (time, d_head).",
        ),
        Mistake(
            "one_reshape",
            {"reshape(B, T, n_heads, C // n_heads).transpose(1, 2)": "reshape(B, n_heads, T, C // n_heads)"},
            "one reshape goes straight to (batch, heads, time, d_head)",
            "the shape is right but the numbers are shuffled between positions: reshape keeps the order in memory.",
        ),
        Mistake(
            "interleaved",
            {"n_heads, C // n_heads)": "C // n_heads, n_heads)", ".transpose(1, 2)": ".permute(0, 3, 1, 2)"},
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
    "move by a transpose. Where x is contiguous nothing is copied: a head is a view of the same memory.",
)
