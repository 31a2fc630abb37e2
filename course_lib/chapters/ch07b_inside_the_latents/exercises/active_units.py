"""The learner marks the latents whose mean varies over the examples by more than a threshold."""

import torch
from torch import Tensor

from course_lib.classroom.exercises.probes import random
from course_lib.classroom.exercises.spec import Exercise, Mistake, Probe
from course_lib.vae import latents


def _of_variances(n: int, *variances: float, seed: int) -> Tensor:
    """Return n means of each latent, about 0.7, with these variances over the examples."""
    means = random(n, len(variances), seed=seed)
    means = (means - means.mean(0)) / means.std(0)
    return 0.7 + means * torch.tensor(variances).double().sqrt()


ENTRY = Exercise(
    id="vae.active_units",
    reference=latents.active_units,
    probes=lambda: [
        Probe((random(6, 4, seed=1) * torch.tensor([1.0, 0.05, 0.2, 0.15]).double(),)),
        Probe((random(5, 3, seed=2) * 0.1 + torch.tensor([4.0, 0.5, -3.0]).double(), 0.008)),
        Probe((torch.tensor([[0.3, 0.1, 0.7], [0.45, 0.9, 0.7]]).double(),)),
        Probe((random(4, 5, seed=4), 0.9)),
        Probe((random(4, 2, seed=5) * torch.tensor([1.0, 0.1]).double() + 2.0, 0.05)),
        Probe((_of_variances(6, 0.0099, 0.0101, 0.006, 0.03, seed=6),)),
        Probe((torch.tensor([[1.0, 4.0], [2.0, 4.75]]).double(), 0.5)),
    ],
    checked="seven sets of means: of two examples, with other thresholds, and with variances just beside them.",
    gradients=False,
    mistakes=(
        Mistake(
            "std",
            {"mu.var": "mu.std"},
            "the standard deviation is compared",
            "the threshold is one for the variance.",
        ),
        Mistake(
            "biased",
            {"dim=0": "dim=0, correction=0"},
            "the variance is taken with n, not n − 1",
            ".var() has n − 1 of itself; with two examples that is a factor of two.",
        ),
        Mistake(
            "square",
            {"mu.var(dim=0)": "(mu**2).mean(dim=0)"},
            "the mean square is compared, the mean not taken off",
            "a latent that says 5 for every image says nothing.",
        ),
        Mistake(
            "dead",
            {"> threshold": "<= threshold"},
            "the dead latents are marked, not the active ones",
            "an active latent's mean changes with the image: its variance is above the threshold.",
        ),
        Mistake(
            "rim",
            {"> threshold": ">= threshold"},
            "a variance equal to the threshold counts as well",
            "exceeds: above it, not at it.",
        ),
        Mistake(
            "fixed",
            {"> threshold": "> 0.01"},
            "0.01 is compared with, whatever the argument threshold says",
            "0.01 is only the default: use the argument.",
        ),
        Mistake(
            "count",
            {"mu.var(dim=0) > threshold": "(mu.var(dim=0) > threshold).sum()"},
            "they are counted already",
            "one truth value a latent is asked for; .sum() comes later.",
        ),
        Mistake(
            "examples",
            {"dim=0": "dim=1"},
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
