"""The exercise active_units."""

import torch

from course_lib.classroom.exercises.probes import random
from course_lib.classroom.exercises.spec import Exercise, Mistake, Probe
from course_lib.vae import latents

ENTRY = Exercise(
    id="vae.active_units",
    reference=latents.active_units,
    probes=lambda: [
        Probe((random(6, 4, seed=1) * torch.tensor([1.0, 0.05, 0.2, 0.15]).double(),)),
        Probe((random(5, 3, seed=2) * 0.1 + torch.tensor([4.0, 0.5, -3.0]).double(), 0.008)),
        Probe((torch.tensor([[0.3, 0.1, 0.7], [0.45, 0.9, 0.7]]).double(),)),
        Probe((random(4, 5, seed=4), 0.9)),
        Probe((random(4, 2, seed=5) * torch.tensor([1.0, 0.1]).double() + 2.0, 0.05)),
    ],
    checked="five sets of means, one of two examples and one with another threshold among them.",
    gradients=False,
    mistakes=(
        Mistake(
            "std",
            lambda mu, threshold=0.01: mu.std(dim=0) > threshold,
            "the standard deviation is compared",
            "the threshold is one for the variance.",
        ),
        Mistake(
            "biased",
            lambda mu, threshold=0.01: mu.var(dim=0, correction=0) > threshold,
            "the variance is taken with n, not n − 1",
            ".var() has n − 1 of itself; with two examples that is a factor of two.",
        ),
        Mistake(
            "square",
            lambda mu, threshold=0.01: (mu**2).mean(dim=0) > threshold,
            "the mean square is compared, the mean not taken off",
            "a latent that says 5 for every image says nothing.",
        ),
        Mistake(
            "dead",
            lambda mu, threshold=0.01: mu.var(dim=0) <= threshold,
            "the dead latents are marked, not the active ones",
            "an active latent's mean changes with the image: its variance is above the threshold.",
        ),
        Mistake(
            "count",
            lambda mu, threshold=0.01: (mu.var(dim=0) > threshold).sum(),
            "they are counted already",
            "one truth value a latent is asked for; .sum() comes later.",
        ),
        Mistake(
            "examples",
            lambda mu, threshold=0.01: mu.var(dim=1) > threshold,
            "the variance runs over the latents",
            "one number a latent: the variance runs over the examples, the first axis.",
        ),
    ),
    hints=(
        "What does a latent do that tells you nothing about the image?",
        "mu.var(dim=0) has one number a latent.",
        "mu.var(dim=0) > threshold",
    ),
    why="A latent that the decoder ignores costs KL for nothing, so training sets its q to the prior: mean 0, "
    "variance 1, whatever the image. Its mean does not move. The threshold of 0.01 is Burda's.",
)
