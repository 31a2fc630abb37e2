"""The learner names what is wrong with two uses of a sound drawer, from its drawings and what is right in them."""

from course_lib.classroom.exercises.spec import one_fault

_faults = {
    "caption_of_another": "then digits and colours would hardly ever be right, and the four drawings of a caption "
    "would agree with another caption of the sheet.",
    "words_sorted": "then the words of each sentence would be drawn, but at either thing: more colours exchanged, "
    "and sizes and places wrong with them.",
    "too_much_guidance": "then broken strokes and specks would fill the pictures, and the count would be wrong more "
    "often than right.",
    "codebook_collapsed": "then all would be black: the six entries that are used most are kinds of black.",
    "column_by_column": "then each drawing would be mirrored along its diagonal: what should be above is at the left, "
    "and no digit is upright.",
    "temperature_zero": "then the four drawings of a caption would be one and the same, and no worse than the sound "
    "ones.",
}


symptom_1 = one_fault(
    "text.symptom_1",
    "words_sorted",
    _faults,
    "the words are all there, and their order is what binds a colour to a digit. With the order gone, the model has "
    "'blue, large, red, seven, small, two' and can but guess who is what.",
    "Which of the shares fell, and which one rose?",
    "Are the colours of the sentence drawn? At which digit?",
)


symptom_2 = one_fault(
    "text.symptom_2",
    "column_by_column",
    _faults,
    "the symbols are those of a sound drawing, and the grid they are laid out in is its transpose: rows have become "
    "columns. A symbol is a patch of 4 × 4 pixels and is not itself transposed, so that strokes break.",
    "Count and colours are as sound; what of the places?",
    "Compare a drawing of 'above' with one of 'left of'.",
)


ENTRIES = (symptom_1, symptom_2)
