"""The learner tells from two loss curves what is wrong with a training, three times."""

from course_lib.classroom.exercises.spec import one_fault

_faults = {
    "not_zeroed": "then the loss would fall quickly at first and then swing without ever settling.",
    "too_few_points": "then the training loss would fall and fall while the held-out one turns upwards.",
    "rate_too_small": "then both losses would creep down together, still falling at the end.",
    "ascent": "then the loss would rise from the first step.",
}


ENTRIES = (
    one_fault(
        "start.fault_a", "rate_too_small", _faults,
        "both curves go down together and are not level at the end: more steps, or larger ones.",
        "Has the loss stopped falling?", "Is it falling on both kinds of points?",
    ),
    one_fault(
        "start.fault_b", "not_zeroed", _faults,
        "every step adds all earlier gradients to its own, so it overshoots like a swing.",
        "How do the first ten steps compare with those of an honest run?", "Does it ever come to rest?",
    ),
    one_fault(
        "start.fault_c", "too_few_points", _faults,
        "the model learns its few points by heart, and finds all others less and less likely.",
        "Which of the two curves would you show a friend?", "What differs between the two kinds of points?",
    ),
)  # fmt: skip
