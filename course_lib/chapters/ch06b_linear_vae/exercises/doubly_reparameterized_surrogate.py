"""The learner writes a number whose gradient is the doubly reparameterised one."""

import torch

from course_lib.classroom.exercises.probes import random
from course_lib.classroom.exercises.spec import Exercise, Mistake, Probe
from course_lib.vae import bounds

ENTRY = Exercise(
    id="vae.doubly_reparameterized_surrogate",
    reference=bounds.doubly_reparameterized_surrogate,
    probes=lambda: [
        Probe((random(4, 3, seed=1),)),
        Probe((3 * random(7, 2, seed=2) - 1000,)),
        Probe((random(1, 5, seed=3),)),
        Probe((random(5, 1, seed=4) - torch.tensor(2000.0).double(),)),
    ],
    checked="values and gradients for 1, 4, 5 and 7 draws, weights near e^−2000 among them.",
    mistakes=(
        Mistake(
            "once",
            {"shares**2": "shares"},
            "the shares are not squared",
            "with w̄ itself only the path through z is counted; the part of the score turned into −(w̄ − w̄²).",
        ),
        Mistake(
            "alive",
            {".detach()": ""},
            "the gradient also runs through the shares",
            "in equation (6b.6) the derivative stands on ln w alone: w̄ is a number there.",
        ),
        Mistake(
            "batch_axis",
            {"softmax(0)": "softmax(1)"},
            "the shares sum to 1 over the batch",
            "they compare the k draws of one example: the first axis.",
        ),
        Mistake(
            "raw",
            {"log_w.softmax(0)": "log_w.exp()"},
            "the weights themselves are squared, not their shares",
            "e^−2000 is 0: divide by their sum, as a softmax does.",
        ),
        Mistake(
            "averaged",
            {".sum(0)": ".mean(0)"},
            "the mean over the draws is taken",
            "the shares sum to 1 already: with k equal ones the squares sum to 1/k.",
        ),
        Mistake(
            "dead",
            {"return (shares**2 * log_w).sum(0)": "return (shares**2 * log_w).sum(0).detach()"},
            "no gradient is left",
            "the weights are constants, ln w is not.",
        ),
    ),
    hints=(
        "A sum Σ c_i ln w_i with constant c_i has the gradient Σ c_i ∂ ln w_i.",
        "log_w.softmax(0) are the shares, stable for weights of any size; .detach() makes constants of them.",
        "(log_w.softmax(0).detach() ** 2 * log_w).sum(0)",
    ),
    why="Autograd differentiates whatever is written; a surrogate is written so that its derivative is the wanted one. "
    "Its value means nothing, so the bound is still reported by importance_weighted_bound.",
)
