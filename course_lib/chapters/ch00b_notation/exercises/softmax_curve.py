"""The learner names the fault of a classifier whose loss has a floor."""

from course_lib.classroom.exercises.spec import one_fault

ENTRY = one_fault(
    "notation.floor_of_the_loss",
    "softmaxed_twice",
    {
        "softmaxed_twice": "then the loss would stop high above 0 while every example is classified rightly.",
        "labels_shuffled": "then a linear model could not get nearly all of 200 examples right.",
        "rate_too_small": "then loss and accuracy would still be on their way at the end.",
        "loss_summed": "then the loss of 200 examples would start near 460, 200 times ln 10.",
    },
    "the cross-entropy takes a softmax itself; shares in 0 … 1 as its inputs can differ by 1 at most, so the right "
    "class never gets more than e/(e + 9) of the second softmax, however sure the model is.",
    "Every example is classified rightly, and the loss has stopped falling far above 0. Who keeps it up?",
    "How sure can a softmax be whose inputs all lie between 0 and 1?",
)
