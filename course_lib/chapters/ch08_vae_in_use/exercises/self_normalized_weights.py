"""The learner writes weights that sum to one over the draws, and how many equal draws they are worth."""

import torch

from course_lib.classroom.exercises.probes import random
from course_lib.classroom.exercises.spec import Exercise, Mistake, Probe
from course_lib.vae import inpainting


def _one_maximum(log_w: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Shift the logarithms of all images by one and the same number."""
    w = (log_w - log_w.max()).exp()
    weights = w / w.sum(0)
    return weights, 1 / (weights**2).sum(0)


def _not_divided(log_w: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Shift each image's logarithms and leave the sum as it comes."""
    w = (log_w - log_w.amax(0)).exp()
    return w, 1 / (w**2).sum(0)


ENTRY = Exercise(
    id="vae.self_normalized_weights",
    reference=inpainting.self_normalized_weights,
    probes=lambda: [
        Probe((random(5, 3, seed=1),)),
        Probe((2 * random(4, 2, seed=2) - 2000,)),
        Probe((random(3, 1, seed=3) + 2000,)),
        Probe((random(7, 4, seed=4),)),
        Probe((random(1, 3, seed=5),)),
        Probe((random(4, 3, seed=6) + torch.tensor([-2000.0, 0.0, 2000.0]),)),  # images beside each other
    ],
    checked="weights, effective sizes and gradients for 1 to 7 draws, near −2,000, 0 and +2,000 in one call too.",
    outputs=("weights", "ess"),
    mistakes=(
        Mistake(
            "images_axis",
            {"log_w.softmax(0)": "log_w.softmax(1)"},
            "the weights are normalised over the images",
            "the draws, on the first axis, compete with each other; images do not.",
        ),
        Mistake(
            "all_together",
            {"log_w.softmax(0)": "log_w.flatten().softmax(0).view_as(log_w)"},
            "the weights sum to 1 over draws and images together",
            "every image needs weights that sum to 1.",
        ),
        Mistake(
            "one_maximum",
            _one_maximum,
            "the largest logarithm of all images together is subtracted",
            "an image whose own logarithms all lie 1,000 below it has no weight left: each image has its own maximum.",
        ),
        Mistake(
            "not_divided",
            _not_divided,
            "the weights are not divided by their sum",
            "they are to sum to 1 over the draws; then the formula for ess holds.",
        ),
        Mistake(
            "not_inverted",
            {"1 / (weights**2)": "(weights**2)"},
            "ess is the sum of squares itself",
            "k equal weights give k · 1/k² = 1/k; k was wanted.",
        ),
        Mistake(
            "plain_sum",
            {"weights**2": "weights"},
            "ess is one over the sum of the weights",
            "that sum is always 1: square the weights first.",
        ),
        Mistake(
            "as_a_share",
            {"1 / (weights**2)": "1 / len(log_w) / (weights**2)"},
            "ess is divided by k",
            "a number of draws is asked for, from 1 to k.",
        ),
        Mistake(
            "entropy",
            {"1 / (weights**2).sum(0)": "(-(weights * log_w.log_softmax(0)).sum(0)).exp()"},
            "ess is the exponential of the weights' entropy",
            "that counts draws, too, but the variance of a weighted mean goes with the sum of squares.",
        ),
        Mistake(
            "largest",
            {"1 / (weights**2).sum(0)": "1 / weights.amax(0)"},
            "ess is one over the largest weight",
            "the others count as well: the sum of all squares.",
        ),
        Mistake(
            "log_weights",
            {"return weights": "return log_w.log_softmax(0)"},
            "the logarithms of the weights come back",
            "weights are wanted, numbers between 0 and 1.",
        ),
        Mistake(
            "mean_one",
            {"log_w.softmax(0)": "log_w.softmax(0) * len(log_w)"},
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
