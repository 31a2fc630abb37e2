"""Numbers for probes: away from zero and without symmetry, which would hide faults."""

import torch
from torch import Tensor


def random(*shape: int, seed: int, shift: float = 0.3) -> Tensor:
    """Return Gaussian numbers about shift, in float64; a seed gives the same ones everywhere. No shape: one number."""
    return torch.randn(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed)) + shift


def numbers(*values: float) -> Tensor:
    """Return these numbers as a vector in float64."""
    return torch.tensor(values, dtype=torch.float64)
