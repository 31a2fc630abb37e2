"""The learner says what a row of the record carries."""

from course_lib.classroom.exercises.spec import Answer

ENTRY = Answer(
    id="long_range.verdict",
    right="not_found_here",
    wrong={
        "cannot": "one training with more steps or another start might refute it; no such training is in the record.",
        "needs_more_steps": "it may, and it may not: no training with more steps is in the record.",
        "too_small": "its state would hold four pairs in 32 bits; that no training found the way says nothing of room.",
        "rate_too_low": "three rates were tried at this distance, the largest ten times the smallest.",
    },
    hints=(
        "Which of the five could be refuted by a training that is not in the record?",
        "What was done: three rates, 3,000 steps, one layer of 123 numbers. What came out: elimination.",
    ),
    why="A training that fails says that this search, with these rates, steps and sizes, found no way. That is worth "
    "reporting, with the search beside it.",
)
