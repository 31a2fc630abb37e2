"""The learner says how many bits a day a code wastes on weather that it was not made for."""

from course_lib.classroom.exercises.spec import Answer

ENTRY = Answer(
    id="likelihood.wasted_bits",
    right=0.625,
    wrong={
        2.375: "that is what the wrong code takes, the cross-entropy; how much of it would the right code have needed?",
        1.75: "that is what the right code takes, the entropy; the question is what the wrong one takes beyond it.",
        0.5: "that is the waste of the first code on the second weather: KL is not symmetric.",
        0.433: "those are nats; lengths of code words are counted in bits.",
        0.0: "the code words are as long as before, but the long ones are now used more often.",
    },
    hints=(
        "Average the lengths of the four code words of q, each weighted by how often p has that weather.",
        "½·3 + ¼·1 + ⅛·2 + ⅛·3 bits, less the 1.75 bits that the code made for p takes.",
    ),
    why="the code for q takes 2.375 bits a day on p's weather, the code for p 1.75; the difference is KL(p‖q).",
    rtol=0.01,
    unit="bits",
)
