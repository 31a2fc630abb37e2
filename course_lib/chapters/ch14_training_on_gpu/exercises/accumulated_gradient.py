"""The learner writes accumulated_gradient: the whole batch's gradient from those of unequal parts."""

import torch

from course_lib.classroom.exercises.probes import random
from course_lib.classroom.exercises.spec import Exercise, Mistake, Probe
from course_lib.training import accumulate


def _sizes(*sizes: int) -> torch.Tensor:
    return torch.tensor(sizes, dtype=torch.float64)


ENTRY = Exercise(
    id="together.accumulated_gradient",
    reference=accumulate.accumulated_gradient,
    probes=lambda: [
        Probe((random(3, 5, seed=1), _sizes(4, 9, 2))),
        Probe((random(2, 4, 3, seed=2), _sizes(7, 1))),
        Probe((random(1, 6, seed=3), _sizes(5))),
    ],
    data=("sizes",),
    checked="three, two parts and one, of unequal sizes, for a vector and a matrix of weights.",
    mistakes=(
        Mistake(
            "sum",
            lambda gradients, sizes: gradients.sum(0),
            "the parts' gradients are added up",
            "two equal parts with the same gradient: what is the whole's? This is backward() after backward() with "
            "nothing that divides.",
        ),
        Mistake(
            "mean_of_means",
            lambda gradients, sizes: gradients.mean(0),
            "every part counts alike, however many examples it has",
            "an example in a part of one then counts as much as all examples of the other part together.",
        ),
        Mistake(
            "weighted_sum",
            {"sizes / sizes.sum()": "sizes"},
            "each gradient is multiplied by its examples, and nothing divides",
            "that is the gradient of a sum over all examples. Of how many is the mean?",
        ),
        Mistake(
            "divided_by_examples",
            lambda gradients, sizes: gradients.sum(0) / sizes.sum(),
            "the sum of the means is divided by the number of examples",
            "each gradient is one of a mean already: it was divided by the examples of its part.",
        ),
        Mistake(
            "divided_by_parts",
            lambda gradients, sizes: torch.tensordot(sizes.to(gradients.dtype), gradients, dims=1) / len(sizes),
            "the weighted sum is divided by the number of parts",
            "how many examples are there in all?",
        ),
        Mistake(
            "wrong_way_round",
            {"sizes / sizes.sum()": "(1 / sizes) / (1 / sizes).sum()"},
            "small parts count more than large ones",
            "which part says more about the whole batch?",
        ),
    ),
    hints=(
        "Take a part of 3 examples and a part of 1. Which share of the whole mean has each example?",
        "A part's gradient times its size is the gradient of its *sum*. Sums add up; then divide by all examples.",
        "shares = sizes / sizes.sum(); the sum over the parts of shares[i] · gradients[i].",
    ),
    why="The mean over all is a sum of every example's term over the number of all. A part's mean has been divided by "
    "its own number, so it counts with its share. For equal parts all shares are one over the number of parts.",
)
