"""The memory layout that convolutions are fastest in."""

import torch
from torch import Tensor, nn


def as_convolved(model: nn.Module, x: Tensor) -> Tensor:
    """Return x in the memory layout of the model's convolutions."""
    last = any(p.ndim == 4 and p.is_contiguous(memory_format=torch.channels_last) for p in model.parameters())
    return x.contiguous(memory_format=torch.channels_last) if last and x.ndim == 4 else x
