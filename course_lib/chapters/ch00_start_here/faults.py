"""Trainings of the first model with one fault each, for the reader to tell apart by their curves."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from course_lib.chapters.ch00_start_here.mixture import mixture_log_density, mixture_start
from course_lib.datasets.plane import fireflies

SEEDS = 5
FAULTS: Mapping[str, Mapping[str, Any]] = {"a": {"rate": 0.003}, "b": {"cleared": False}, "c": {"n": 40}}


def curves(
    seed: int, n: int = 400, rate: float = 0.05, cleared: bool = True, steps: int = 300
) -> Float[Tensor, "steps 2"]:
    """Return the losses in nats before each step, on the training points and on 300 others.

    16 components on n standardised flashes of this seed; cleared: whether gradients are set to None after a step.
    """
    points, others = fireflies(n, seed=seed), fireflies(300, seed=1000)
    mean, std = points.mean(dim=0), points.std(dim=0)
    z, z_others = (points - mean) / std, (others - mean) / std
    theta: Sequence = mixture_start(z, 16, torch.Generator().manual_seed(seed))
    found = []
    for _ in range(steps):
        loss = -mixture_log_density(z, *theta).mean()
        loss.backward()
        with torch.no_grad():
            found.append([loss.item(), -mixture_log_density(z_others, *theta).mean().item()])
            for p in theta:
                p -= rate * p.grad
                p.grad = None if cleared else p.grad
    return torch.tensor(found, dtype=z.dtype)


def all_curves() -> tuple[Float[Tensor, "seeds steps 2"], dict[str, Float[Tensor, "seeds steps 2"]]]:
    """Return the curves of trainings without a fault, and letter → those with that fault, for the same seeds."""
    found = {letter: torch.stack([curves(seed, **fault) for seed in range(SEEDS)]) for letter, fault in FAULTS.items()}
    return torch.stack([curves(seed) for seed in range(SEEDS)]), found
