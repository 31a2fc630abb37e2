"""What the exercises of this chapter share."""

from torch import Tensor
from torch.nn import functional as F

from course_lib.classroom.exercises.probes import random


def logvars(*shape: int, seed: int) -> Tensor:
    """Positive ones: taken for a variance or a standard deviation they still give numbers, which can be named."""
    return random(*shape, seed=seed).abs() + 0.2


def bits(*shape: int, seed: int) -> Tensor:
    """Zeros and ones, of both kinds."""
    return (random(*shape, seed=seed) > 0.2).double()


def kl_terms(mu, variance, log_variance, factor=0.5):
    """Return the terms of KL(N(mu, variance) ‖ N(0, 1)), one a latent, from what somebody takes for its parts."""
    return factor * (mu**2 + variance - 1 - log_variance)


def nats(x, logits):
    """Return ln p(x) of each pixel."""
    return x * logits - F.softplus(logits)
