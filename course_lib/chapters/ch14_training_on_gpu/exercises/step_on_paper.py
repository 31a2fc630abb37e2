"""The learner predicts a step's milliseconds from the model's sizes and one measured rate."""

from course_lib.classroom.exercises.spec import Answer

ENTRY = Answer(
    id="together.step_on_paper",
    right=434.0,
    wrong={
        130.0: "that is forward alone. Backward takes twice as much again: 6 operations for each number and token.",
        259.0: "that is backward alone, 4 operations for each number and token. Forward takes 2.",
        194.0: "a multiplication and an addition are two operations, and a step is three times forward.",
        48.6: "one sequence of 128 tokens would take so long. The step has eight.",
        0.38: "that is one token. The step has 8 × 128.",
    },
    rtol=0.125,
    hints=(
        "How many numbers have the matrices, and how many operations are there for each of them and each token?",
        "N = 12 · 2 · 512² + 65 · 512 = 6.32 million; 2 operations for each and a token forward, 4 back; 1,024 tokens.",
        "6 · 6.32e6 · 1024 / 100e9 seconds.",
    ),
    why="6 operations for each of 6.32 million numbers and each of 1,024 tokens are 38.9 G: 389 ms. The library's sum "
    "adds 28 for attention's pairs and 11 for all that is moved and called: 428 were told, 434 measured.",
    unit="milliseconds",
)
