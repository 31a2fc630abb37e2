"""The learner says how many GiB the keys and values of a long context take."""

from course_lib.classroom.exercises.spec import Answer

ENTRY = Answer(
    id="positions.long_context",
    right=16.0,
    wrong={
        17.179869184: "that is in units of 10^9 bytes; a gibibyte is 2^30.",
        17179869184.0: "those are the bytes; divide by 2^30.",
        8.0: "keys and values are both kept: twice that.",
        64.0: "only 8 heads have keys and values; four query heads share each.",
        32.0: "a bfloat16 has two bytes.",
        0.5: "that is one layer; there are 32.",
        128.0: "that is the share of one position in KiB, not the whole in GiB.",
    },
    hints=(
        "Numbers for one position in one layer: keys and values, of 8 heads, 128 numbers each.",
        "2 · 8 · 128 numbers · 2 bytes · 32 layers = 131,072 bytes a position, and there are 131,072 positions.",
    ),
    why="2 (k and v) · 32 layers · 8 heads · 128 numbers · 2 bytes = 128 KiB a position; times 131,072 positions is "
    "2^34 bytes, 16 GiB.",
    unit="GiB",
)
