"""Points of known distributions, which the tests of image measures share."""

import torch
from made import seeded


def normal(n, d, seed, scale=1.0, shift=0.0):
    return torch.randn(n, d, generator=seeded(seed), dtype=torch.float64) * scale + shift


def modes(n, seed, which=range(10)):
    """n points in narrow clusters, as many in each, far from one another."""
    centres = 20 * normal(10, 6, seed=99)
    chosen = torch.tensor(list(which))[torch.arange(n) % len(which)]
    return centres[chosen] + normal(n, 6, seed)
