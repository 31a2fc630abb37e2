"""The learner predicts where a model with one hump puts its top when the data have two."""

from course_lib.classroom.exercises.spec import Answer

ENTRY = Answer(
    id="likelihood.cats_and_dogs",
    right="between",
    wrong={
        "cats_only": "that is what KL(model‖data) does from some starts; by likelihood every dog would cost this model "
        "dearly.",
        "both_apart": "a model with one hump has no way to leave a valley between two.",
        "copies": "that takes a model that can store each photo; this one has a mean and a spread.",
    },
    hints=(
        "Maximum likelihood minimises KL(data‖model). What does a dog cost a model that has cats alone?",
        "Which mean and which spread give the data the smallest mean of (x − μ)²/2σ² + ln σ?",
    ),
    why="every photo must get some density, cats and dogs alike, and one hump that covers both has its top between "
    "them. It is one reason why weak models trained by likelihood look blurred.",
)
