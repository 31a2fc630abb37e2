"""The learner predicts which change of the recipe gains most."""

from course_lib.classroom.exercises.spec import Answer

ENTRY = Answer(
    id="language.ladder_prediction",
    right="rate",
    wrong={
        "muon": "the other optimizer is second; a simpler knob was further from its best.",
        "rotary": "over learned positions it gains a few hundredths here; how much it costs to do without comes later.",
        "batch": "more text per step helps in the middle of the ladder, by about half as much.",
        "activation": "a different activation gains nothing here.",
    },
    hints=("Which of them did nanoGPT set for a training several times as long?", "Chapter 02 trained with 1e-2."),
    why="the published rate was set for a larger model and 5,000 steps. With one minute, one four times as large gains "
    "most of all rungs: tune what you have before you change what you have.",
)
