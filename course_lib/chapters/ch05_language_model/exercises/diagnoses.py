"""The learner tells from two loss curves what happened in a training, twice."""

from course_lib.classroom.exercises.spec import one_fault

_curves = {
    "overfitting": "then validation falls, turns, and rises while training goes on falling.",
    "underfitting": "a sound run, stopped early, falls as the honest one does up to there, validation beside it.",
    "rate_too_high": "then training itself would jump or stay high.",
    "leak": "then training would fall abruptly where the sound run at the same step does not, and validation with it.",
}


ENTRIES = (
        one_fault(
            "language.curve_a", "overfitting", _curves,
            "training goes on falling while validation turns upwards: the model learns its text by heart.",
            "Compare the two curves' directions at the end.", "Which curve knows only text that was seen?",
        ),
        one_fault(
            "language.curve_c", "leak", _curves,
            "training falls abruptly where the sound run at the same step does not, and validation falls with it: the "
            "answer is in view.",
            "Compare with run b at the same steps.", "What did chapter 02 say about losses that are too good?",
        ),
    )  # fmt: skip
