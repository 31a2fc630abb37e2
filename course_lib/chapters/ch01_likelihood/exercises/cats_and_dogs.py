"""The learner predicts where one Gaussian puts its top when the data have two humps."""

from course_lib.classroom.exercises.spec import Answer

ENTRY = Answer(
    id="likelihood.cats_and_dogs",
    right="between",
    wrong={
        "cats_only": "that is what KL(model‖data) does from some starts; by likelihood every dog would cost such a "
        "Gaussian dearly.",
        "both_apart": "a Gaussian has no way to leave a valley between two.",
        "copies": "that takes a model that can store each photo; this one has a mean and a spread.",
    },
    hints=(
        "Maximum likelihood minimises KL(data‖model). What does a dog cost a model that has cats alone?",
        "Which mean and which spread give the data the smallest mean of (x − μ)²/2σ² + ln σ?",
    ),
    why="every photo must get some density, cats and dogs alike, and a Gaussian that covers both has its top between "
    "them, at their mean.",
)
