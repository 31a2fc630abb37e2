"""The learner predicts which losses bring fakes home from a line beside the data's."""

from course_lib.classroom.exercises.spec import one_fault

ENTRY = one_fault(
    "gan.parallel_lines",
    "nonsaturating and wasserstein",
    {
        "wasserstein alone": "the usual story; but a trained network is no exact D*: it has a slope outside the data.",
        "nonsaturating and wasserstein": "",
        "all three": "the slope is there for all; minimax multiplies it by D(fake). How large is that where D is sure?",
        "none": "with the exact D* there is no slope to follow; a network is trained here, and it has one.",
    },
    "The network's logit slopes down from the data to the fakes. The non-saturating loss multiplies that slope by "
    "1 − D, near 1; the critic's by 1; the minimax loss by D, near 0. Adam divides a gradient by its recent "
    "size, but while D grows surer each gradient is small beside the larger ones before, so the steps become tiny; and "
    "in the end the gradient is below ε = 1e-8 too. The divergence has no part in it.",
    "What is the gradient on a fake? The loss's derivative by the logit, times the logit's slope at the fake.",
    "Which of the three derivatives is nearly zero where D is sure?",
)
