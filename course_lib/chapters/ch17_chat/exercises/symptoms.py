"""The learner names what is wrong with two assistants, from their answers and their losses."""

from course_lib.classroom.exercises.spec import one_fault

_faults = {
    "end_not_learned": "then answers would begin as rightly as the sound one's, and some of them not end: a role, and "
    "more and more text, up to the last token that is drawn.",
    "no_mask": "then both losses would start and stay far above the sound one's, for questions have to be predicted, "
    "too; and fewer answers would be right.",
    "roles_as_text": "then the losses would be those of the sound one, and nearly all answers a mark or a word: no "
    "special token says that an answer is wanted.",
    "overfitted": "then the training loss would be next to 0 and the held-out loss rise from early on; more answers "
    "would be about something else than was asked.",
    "temperature_3": "then the losses would be those of the sound one, and the answers letters and words in a jumble, "
    "another one each time.",
    "question_cut": "then answers would be fluent and of the right kind, more often about something else than was "
    "asked, and all would end.",
}


symptom_1 = one_fault(
    "chat.symptom_1",
    "end_not_learned",
    _faults,
    "as many answers begin with the right sentence, so the questions were understood. But <end> was never asked for: "
    "36 of 200 answers run on until the loop gives up. That the others end may be a loan: <end> began with the line "
    "break's vector, and in the books a line break follows each sentence.",
    "Is the beginning of each answer right?",
    "What should have come behind it, and who taught that?",
)


symptom_2 = one_fault(
    "chat.symptom_2",
    "overfitted",
    _faults,
    "the training loss is next to nothing and the held-out loss has risen since step 20: the weights hold a hundred "
    "questions and have lost what was general. Of 200 answers 29 are right, of the sound one's 86.",
    "Compare both losses.",
    "Are the answers nonsense, or answers to something else?",
)


ENTRIES = (symptom_1, symptom_2)
