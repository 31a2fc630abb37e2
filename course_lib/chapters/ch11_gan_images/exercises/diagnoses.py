"""The learner names what went wrong with three GANs, from their losses and samples."""

from course_lib.classroom.exercises.spec import one_fault

_faults = {
    "strong_discriminator": "then D's loss would lie at 0, G's would be high, and the samples would be stripes.",
    "not_cleared": "then each update would carry the gradients of all before: losses that leap by whole nats, samples "
    "of nothing but black and white.",
    "sigmoid_twice": "then D's loss could not fall below softplus(−1) + ln 2 = 1.006, nor G's leave 0.313 … 0.693, "
    "however sure D is.",
    "wrong_range": "then the background of every sample would be mid-grey, where it should be at the end of the scale.",
    "mixed_statistics": "then the samples would look sound; D's loss would begin near 0, most likely because its batch "
    "norm tells the halves of a batch apart, and then look sound, too.",
    "collapse": "then D's loss would lie far above ln 4 and G's near 0: one image that fools D, over and over.",
}


symptom_1 = one_fault(
    "gan.symptom_1",
    "sigmoid_twice",
    _faults,
    "a D that ends in a sigmoid gives 0 … 1, and the loss puts a second one on top: a belief between 0.5 and 0.731. "
    "So D's loss stays above softplus(−1) + ln 2 = 1.006 and G's between 0.313 and 0.693, even where D is perfect.",
    "Between which two values does G's loss stay, whatever happens?",
    "What are softplus(−x) and softplus(x) for x between 0 and 1?",
)


symptom_2 = one_fault(
    "gan.symptom_2",
    "wrong_range",
    _faults,
    "the data lie in 0 … 1, and G's tanh, which could reach −1, learns to stop at 0. Shown on −1 … 1, as everything "
    "else takes it, 0 is mid-grey. The losses cannot tell: for D both sides look alike.",
    "Look at the paper, not at the digits.",
    "Which number is the background, and which would it be in the data of chapter 11?",
)


symptom_3 = one_fault(
    "gan.symptom_3",
    "collapse",
    _faults,
    "G makes nearly the same image of every z. One image fools a D that is too slow: G's loss is near 0, and "
    "D's lies far above ln 4, worse than a coin's. Coverage counts the reals that are met: hardly any.",
    "Compare the samples with each other, not with digits.",
    "Which measure falls if a generator repeats one good image?",
)


ENTRIES = (symptom_1, symptom_2, symptom_3)
