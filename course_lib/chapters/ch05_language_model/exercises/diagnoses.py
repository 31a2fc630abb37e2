"""The learner tells from two loss curves what happened in a training, twice."""

from course_lib.classroom.exercises.spec import one_fault

_curves = {
    "overfitting": "then validation falls, turns, and rises while training goes on falling.",
    "underfitting": "a sound run, stopped early, falls as the honest one does up to there, validation beside it.",
    "rate_too_high": "then training itself would jump or stay high.",
    "leak": "then both would fall far under every baseline, at once.",
}


ENTRIES = (
        one_fault(
            "language.curve_a", "overfitting", _curves,
            "training goes on falling while validation turns upwards: the model learns its text by heart.",
            "Compare the two curves' directions at the end.", "Which curve knows only text that was seen?",
        ),
        one_fault(
            "language.curve_c", "leak", _curves,
            "a loss far under every baseline within a few hundred steps is no success but a view of the answer.",
            "Compare with the best baseline.", "What did chapter 02 say about losses that are too good?",
        ),
    )  # fmt: skip
