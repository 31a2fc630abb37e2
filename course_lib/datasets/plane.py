"""Points on the plane whose true density is known: a firefly that circles outwards from a lamp.

Nobody filmed one. The points come from a fixed generator, so that a model of them can be held against the truth.
"""

import math

import torch
from jaxtyping import Float
from torch import Tensor

LAMP = (120.0, 80.0)  # cm


NOISE = 5.0  # cm, the standard deviation around the track


TURNS, INNER, OUTER = 1.25, 12.0, 80.0  # of the spiral; its first and last distance from the lamp in cm


PLACES = 2000  # on the track, in the middle of as many equal parts of t


def track(t: Float[Tensor, "n"]) -> Float[Tensor, "n 2"]:
    """Return the place on the spiral at t in 0 … 1, in cm. t is its share of the way: √t evens out the pace."""
    u = t.sqrt()
    angle, distance = math.pi * (0.5 + 2 * TURNS * u), INNER + (OUTER - INNER) * u
    lamp = torch.tensor(LAMP, dtype=t.dtype, device=t.device)
    return torch.stack([distance * angle.cos(), distance * angle.sin()], dim=-1) + lamp


def fireflies(n: int, seed: int = 0) -> Float[Tensor, "n 2"]:
    """Return n flashes in cm: places on the track, t even in 0 … 1, with round Gaussian noise; float64."""
    generator = torch.Generator().manual_seed(seed)
    t = torch.rand(n, dtype=torch.float64, generator=generator)
    return track(t) + NOISE * torch.randn(n, 2, dtype=torch.float64, generator=generator)


def true_log_density(points: Float[Tensor, "n 2"]) -> Float[Tensor, "n"]:
    """Return the logarithm of the density that the flashes are drawn from, in nats per cm².

    p(x) = ∫ N(x; track(t), NOISE² I) dt over 0 … 1: the midpoint rule makes it a mixture of 2,000 equal parts.
    Float64, on the processor, wherever the points lie.
    """
    log_bells = -(_to_track(points) ** 2) / (2 * NOISE**2) - math.log(2 * math.pi * NOISE**2)
    return log_bells.logsumexp(-1) - math.log(PLACES)


def off_track(points: Float[Tensor, "n 2"]) -> Float[Tensor, ""]:
    """Return the share of points that lie more than three standard deviations of the noise from the track."""
    return (_to_track(points).amin(-1) > 3 * NOISE).double().mean()


def _to_track(points: Tensor) -> Tensor:
    """Return the distances (n, PLACES) in cm to places all along the track, in float64 on the processor."""
    places = track((torch.arange(PLACES, dtype=torch.float64) + 0.5) / PLACES)
    return torch.cdist(points.cpu().double(), places)


def standardise(points: Float[Tensor, "n d"]) -> Float[Tensor, "n d"]:
    """Return the points with mean 0 and standard deviation 1 (torch's own, over n − 1) in every column."""
    return (points - points.mean(dim=0)) / points.std(dim=0)
