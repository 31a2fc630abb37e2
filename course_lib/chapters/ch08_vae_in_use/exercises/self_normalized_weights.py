"""The exercise self_normalized_weights."""

from torch import Tensor

from course_lib.classroom.exercises.probes import random
from course_lib.classroom.exercises.spec import Exercise, Mistake, Probe
from course_lib.vae import inpainting


def _share(log_w: Tensor) -> Tensor:
    return log_w.softmax(0)


ENTRY = Exercise(
    id="vae.self_normalized_weights",
    reference=inpainting.self_normalized_weights,
    probes=lambda: [
        Probe((random(5, 3, seed=1),)),
        Probe((2 * random(4, 2, seed=2) - 2000,)),
        Probe((random(3, 1, seed=3) + 2000,)),
        Probe((random(7, 4, seed=4),)),
    ],
    checked="weights, effective sizes and gradients for 3 to 7 draws, logarithms near ±2,000 among them.",
    outputs=("weights", "ess"),
    mistakes=(
        Mistake(
            "images_axis",
            lambda log_w: (log_w.softmax(1), 1 / (log_w.softmax(1) ** 2).sum(0)),
            "the weights are normalised over the images",
            "the draws, on the first axis, compete with each other; images do not.",
        ),
        Mistake(
            "all_together",
            lambda log_w: (
                log_w.flatten().softmax(0).view_as(log_w),
                1 / (log_w.flatten().softmax(0).view_as(log_w) ** 2).sum(0),
            ),
            "the weights sum to 1 over draws and images together",
            "every image needs weights that sum to 1.",
        ),
        Mistake(
            "not_inverted",
            lambda log_w: (_share(log_w), (_share(log_w) ** 2).sum(0)),
            "ess is the sum of squares itself",
            "k equal weights give k · 1/k² = 1/k; k was wanted.",
        ),
        Mistake(
            "plain_sum",
            lambda log_w: (_share(log_w), 1 / _share(log_w).sum(0)),
            "ess is one over the sum of the weights",
            "that sum is always 1: square the weights first.",
        ),
        Mistake(
            "as_a_share",
            lambda log_w: (_share(log_w), 1 / (_share(log_w) ** 2).sum(0) / len(log_w)),
            "ess is divided by k",
            "a number of draws is asked for, from 1 to k.",
        ),
        Mistake(
            "entropy",
            lambda log_w: (_share(log_w), (-(_share(log_w) * log_w.log_softmax(0)).sum(0)).exp()),
            "ess is the exponential of the weights' entropy",
            "that counts draws, too, but the variance of a weighted mean goes with the sum of squares.",
        ),
        Mistake(
            "largest",
            lambda log_w: (_share(log_w), 1 / _share(log_w).amax(0)),
            "ess is one over the largest weight",
            "the others count as well: the sum of all squares.",
        ),
        Mistake(
            "log_weights",
            lambda log_w: (log_w.log_softmax(0), 1 / (_share(log_w) ** 2).sum(0)),
            "the logarithms of the weights come back",
            "weights are wanted, numbers between 0 and 1.",
        ),
        Mistake(
            "mean_one",
            lambda log_w: (_share(log_w) * len(log_w), 1 / ((_share(log_w) * len(log_w)) ** 2).sum(0)),
            "the weights have the mean 1 over the draws, not the sum 1",
            "Σ weights · value is to be an average: the weights sum to 1.",
        ),
    ),
    hints=(
        "What should ess be where all weights are equal? And where one of them has everything?",
        "log_w.softmax(0) divides by the sum over the draws, whatever the size of the logarithms.",
        "weights = log_w.softmax(0); return weights, 1 / (weights**2).sum(0)",
    ),
    why="p(observed) is unknown, and cancels in w / Σ w. Of k independent values with the same variance the weighted "
    "mean has Σ weights² times that variance, as if it were the plain mean of 1 / Σ weights² values.",
)
