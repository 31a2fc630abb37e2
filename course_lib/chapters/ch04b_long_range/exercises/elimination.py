"""The learner computes what one gets who knows the values but not whose they are."""

from course_lib.classroom.exercises.spec import Answer

ENTRY = Answer(
    id="long_range.elimination",
    right=25 / 48,
    wrong={
        0.25: "that is right for the first question. After each, one value is out: how many are left?",
        1 / 16: "that is for one who has not even heard the values.",
        1.0: "only the last is certain; for the first there are four to choose from.",
        0.57: "that is what our sequences give, where two keys may have the same value. Here the four are different.",
        52.08: "that is in per cent. The share, between 0 and 1, is asked for.",
        0.5: "near it. Take the four questions one by one: 1/4, 1/3, …",
        25 / 12: "these are the right answers expected in one sequence; what share of four questions is it?",
        1 / 24: "that is the chance to have all four right. The share of right answers is asked for.",
    },
    hints=(
        "With four values left the chance is 1/4. The right one is then shown. How many are left for the second?",
        "(1/4 + 1/3 + 1/2 + 1) / 4",
    ),
    why="One of four, then of three, of two, of one: (1/4 + 1/3 + 1/2 + 1)/4 = 25/48 = 0.52. More than half of the "
    "answers, and not one value is known to belong to its key.",
    rtol=0.005,
)
