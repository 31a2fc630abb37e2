"""The learner names the shape of points[:, None, :] less centres."""

from course_lib.classroom.exercises.spec import Answer

ENTRY = Answer(
    id="start.broadcast_shape",
    right="(400, 16, 2)",
    wrong={
        "(400, 16)": "that is how many pairs there are; what does each pair hold?",
        "(400, 2)": "then all centres would have to be subtracted from the same point at once.",
        "(6400, 2)": "as many numbers, but axes are kept apart, not run together.",
        "(16, 2)": "the points are still there: an axis of 400 does not disappear without a sum.",
    },
    hints=(
        "Write both shapes below each other, right-aligned: (400, 1, 2) and (16, 2).",
        "An axis of length 1, or one that is not there, is repeated as often as the other side needs.",
    ),
    why="right-aligned, 2 meets 2, 1 meets 16, and 400 meets nothing: (400, 16, 2), every point less every centre.",
)
