"""Optimizers and learning-rate schedules of the course."""

import math

import torch
from torch import nn
from torch.optim import Optimizer


def warmup_then_linear(share: float, warmup: float = 0.02, decay: float = 0.6) -> float:
    """Return the factor on the learning rate at a share of the training: up to 1, level, down to 0, all linear.

    warmup: share of the steps spent rising; decay: share spent falling at the end. Outside their ranges: ValueError.
    """
    if not 0 <= share <= 1:
        raise ValueError(f"share: expected 0 to 1, got {share}")
    if warmup < 0 or decay < 0 or warmup + decay > 1:
        raise ValueError(f"warmup, decay: expected shares that sum to at most 1, got {warmup} and {decay}")
    rise = share / warmup if share < warmup else 1.0
    return min(rise, (1 - share) / decay) if decay else rise


def warmup_then_cosine(share: float, warmup: float = 0.02, floor: float = 0.1) -> float:
    """Return the factor at a share of the training: linear up to 1, then half a cosine down to floor."""
    if not 0 <= share <= 1:
        raise ValueError(f"share: expected 0 to 1, got {share}")
    if not 0 <= warmup < 1:
        raise ValueError(f"warmup: expected a share below 1, got {warmup}")
    if share < warmup:
        return share / warmup
    return floor + (1 - floor) * (1 + math.cos(math.pi * (share - warmup) / (1 - warmup))) / 2


def adamw(
    model: nn.Module, rate: float, weight_decay: float = 0.1, betas: tuple[float, float] = (0.9, 0.99)
) -> Optimizer:
    """Return AdamW, fused, with decay on matrices and none on vectors (Loshchilov and Hutter 2019)."""
    groups = [
        {"params": [p for p in model.parameters() if p.ndim >= 2], "weight_decay": weight_decay},
        {"params": [p for p in model.parameters() if p.ndim < 2], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=rate, betas=betas, fused=True)


def muon_and_adamw(
    blocks: nn.Module, model: nn.Module, rate: float = 0.02, adamw_rate: float = 0.01
) -> dict[str, Optimizer]:
    """Return Muon for the matrices of blocks (Jordan et al. 2024) and AdamW for all other parameters of the model."""
    matrices = [p for p in blocks.parameters() if p.ndim == 2]
    taken = {id(p) for p in matrices}
    rest = [p for p in model.parameters() if id(p) not in taken]
    return {
        "muon": torch.optim.Muon(matrices, lr=rate, weight_decay=0.0),
        "adamw": torch.optim.AdamW(rest, lr=adamw_rate, betas=(0.9, 0.95), weight_decay=0.0, fused=True),
    }
