"""The learner says from which batch on decoding can use all of a card."""

from course_lib.classroom.exercises.spec import Answer

ENTRY = Answer(
    id="together.batch_at_the_ridge",
    right=295.0,
    wrong={
        590.0: "bfloat16 has 2 bytes a number and each weight takes 2 operations a sequence: how many operations "
        "a byte is that for one sequence?",
        148.0: "a multiplication and an addition are two operations, and a number has two bytes.",
        1.0: "with one sequence each weight is used once: 2 operations for 2 bytes, far below the ridge.",
        1180.0: "that is for numbers of 8 bytes; bfloat16 has 2.",
    },
    rtol=0.03,
    hints=(
        "The ridge is the peak divided by the bandwidth. How many operations a byte has (B, C) times (C, C)?",
        "2 B C² operations; the weights alone are 2 C² bytes, and beside them x and y are small: B operations a byte.",
        "B = 989e12 / 3.35e12.",
    ),
    why="2 B C² operations for 2 C² bytes of weights are B operations a byte, so B must reach the ridge, 989 / 3.35 = "
    "295. A card that writes for one reader uses a third of a percent of its products; as far as the "
    "weights go, 295 readers at a time cost hardly more. Each reader's own keys and values come on top.",
    unit="sequences",
)
