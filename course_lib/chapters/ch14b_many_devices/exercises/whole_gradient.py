"""The learner writes whole_gradient: the gradient of everything from the gradients of parts that count differently."""

from course_lib.chapters.ch14b_many_devices import parts
from course_lib.classroom.exercises.probes import numbers, random
from course_lib.classroom.exercises.spec import Exercise, Mistake, Probe

ENTRY = Exercise(
    id="together.whole_gradient",
    reference=parts.whole_gradient,
    probes=lambda: [
        Probe((random(3, 5, seed=1), numbers(7, 2, 4))),
        Probe((random(2, 4, seed=2), numbers(1, 30))),
        Probe((random(1, 6, seed=3), numbers(5))),
        Probe((random(4, 3, seed=4), numbers(6, 6, 9, 2))),
    ],
    checked="one to four devices with different counts, and the gradient for the gradients.",
    data=("counts",),
    mistakes=(
        Mistake(
            "equal_weights",
            {"(counts[:, None] * gradients).sum(0) / counts.sum()": "gradients.mean(0)"},
            "all devices weigh the same, whatever they counted",
            "a device whose mean is over one token: how much of the whole mean is that token?",
        ),
        Mistake(
            "not_divided",
            {" / counts.sum()": ""},
            "the weighted gradients are added and not divided",
            "if all devices found the same gradient, what should come out?",
        ),
        Mistake(
            "divided_by_devices",
            {"counts.sum()": "len(counts)"},
            "the weighted sum is divided by the number of devices",
            "the weights should sum to 1: what do the counts sum to?",
        ),
        Mistake(
            "divided_twice",
            {"(counts[:, None] * gradients).sum(0)": "(counts[:, None] * gradients).mean(0)"},
            "the weights sum to 1, and the weighted gradients are averaged once more",
            "weights that sum to 1 have divided already: what is left to do with the gradients?",
        ),
        Mistake(
            "sum",
            {"(counts[:, None] * gradients).sum(0) / counts.sum()": "gradients.sum(0)"},
            "the gradients are added as they are",
            "is the whole loss the sum of the parts' means, or a mean of them?",
        ),
        Mistake(
            "inverse_weights",
            {"(counts[:, None] *": "(1 / counts[:, None] *", "counts.sum()": "(1 / counts).sum()"},
            "the weights are one over the counts",
            "who counted more should weigh more.",
        ),
    ),
    hints=(
        "Turn each device's mean back into a sum. What do you multiply it with?",
        "The sums of all devices may be added. What is the whole mean then divided by?",
        "(counts[:, None] * gradients).sum(0) / counts.sum()",
    ),
    why="A mean over a part is a sum divided by the part's count. Multiplying by the count gives the sum back, sums "
    "may be added, and the whole mean divides once, by the count of everything. With equal counts it is the plain "
    "mean.",
)  # fmt: skip
