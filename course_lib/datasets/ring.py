"""A ring of eight Gaussians (Metz et al. 2017) and how much of it samples cover."""

import math

import torch
from jaxtyping import Float, Int
from torch import Tensor

MODES, RADIUS, STD = 8, 2.0, 0.02


def centres() -> Float[Tensor, "modes 2"]:
    """Return the centres of the modes, on a circle of radius 2 about the origin, the first at (2, 0)."""
    angle = torch.arange(MODES) * (2 * math.pi / MODES)
    return RADIUS * torch.stack([angle.cos(), angle.sin()], dim=1)


def draw_ring(seeds: int, n: int, generator: torch.Generator) -> Float[Tensor, "seeds n 2"]:
    """Return n points for each seed: a mode with equal chances, then a Gaussian of standard deviation 0.02 about it."""
    chosen = torch.randint(MODES, (seeds, n), generator=generator)
    return centres()[chosen] + STD * torch.randn(seeds, n, 2, generator=generator)


def modes_and_quality(samples: Float[Tensor, "*seeds n 2"]) -> tuple[Int[Tensor, "*seeds"], Float[Tensor, "*seeds"]]:
    """Return (modes, quality): how many modes hold at least 1 % of the samples, and the share of samples in any.

    A sample is in a mode within three standard deviations, 0.06, of its centre: of the data's own points
    1 − e^(−9/2) = 98.9 % are. Both are on the processor, quality in float64, wherever the samples lie.
    """
    # differences, not products of matrices: those cancel, and a GPU may round them to 10 bits
    distance = torch.cdist(samples, centres().to(samples), compute_mode="donot_use_mm_for_euclid_dist")
    near = distance <= 3 * STD  # (..., n, 8)
    share = near.cpu().double().mean(-2)
    return (share >= 0.01).sum(-1), share.sum(-1)
