"""The way of random draws to the device: they are made on the CPU, where a seed gives the same on every machine."""

import torch
from torch import Tensor

ALIGNED = 16  # bytes: where a tensor begins in what is sent, a multiple of every number's size


def to_device(device: torch.device | str, *tensors: Tensor) -> tuple[Tensor, ...]:
    """Return CPU tensors of any shapes and types on the device, to which they travel together, in one copy.

    On the CPU they come back as they are. A GPU's copy starts from pinned memory, and nobody waits for it.
    """
    device = torch.device(device)
    if device.type == "cpu" or not tensors:
        return tensors
    parts = [tensor.contiguous().view(-1).view(torch.uint8) for tensor in tensors]
    starts, size = [], 0
    for part in parts:
        starts.append(size)
        size += -(-len(part) // ALIGNED) * ALIGNED
    packed = torch.empty(size, dtype=torch.uint8, pin_memory=device.type == "cuda" and torch.cuda.is_available())
    for start, part in zip(starts, parts, strict=True):
        packed[start : start + len(part)] = part
    sent = packed.to(device, non_blocking=True)
    return tuple(
        sent[start : start + len(part)].view(tensor.dtype).view(tensor.shape)
        for start, part, tensor in zip(starts, parts, tensors, strict=True)
    )
