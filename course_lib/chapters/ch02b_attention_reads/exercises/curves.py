"""The learner names the fault of an attention model from its loss, three times."""

from course_lib.classroom.exercises.spec import one_fault

_faults = {
    "no_mask": "then the character that is to be predicted could simply be looked up: hardly any loss is left.",
    "wrong_axis": "then the future would be felt through a denominator alone: less loss than honest, yet not none.",
    "no_scale": "then nothing could be seen that should not be; it would only learn worse.",
    "no_step": "then the loss would stay where an untrained model is, at about 6 bits.",
}


ENTRIES = (
    one_fault(
        "attention.curve_a", "wrong_axis", _faults,
        "the softmax ran over the queries: each weight is divided by a sum over later queries as well.",
        "No honest model of this size comes near a loss of 1 bit; something is seen that should not be.",
        "Could it copy the next character outright, it would need less still.",
    ),
    one_fault(
        "attention.curve_b", "no_scale", _faults,
        "the scores were not divided by √d: it learns, but needs more bits than with the scale.",
        "Is this better or worse than the honest model?",
        "It learns, so the optimizer steps; it is no better than honest, so nothing leaks.",
    ),
    one_fault(
        "attention.curve_c", "no_mask", _faults,
        "the mask is missing: the next character is seen and copied.",
        "What would a model need that can see the character it is to predict?",
        "All but the last position of a window can look one place ahead.",
    ),
)  # fmt: skip
