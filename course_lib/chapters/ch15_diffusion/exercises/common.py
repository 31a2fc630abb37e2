"""What the exercises on paths are tried with: two tensors, times and a path."""

import torch
from torch import Tensor

from course_lib.classroom.exercises.probes import random
from course_lib.classroom.exercises.spec import Probe
from course_lib.diffusion.paths import COSINE, LINEAR_BETA, STRAIGHT, Path


def probe(names: str, *shape: int, times: Tensor, path: Path, seed: int) -> Probe:
    """Return a call with two tensors of one shape; names: what they are called."""
    says = f"{names} {shape}, t ({len(times)},), the {path.name} path"
    return Probe((random(*shape, seed=seed), random(*shape, seed=seed + 1, shift=-0.4), times, path), says)


def variation(generator: torch.Generator) -> Probe:
    """Return a call with four rows of up to four numbers, on one of three paths, away from its ends."""
    d, path = int(torch.randint(1, 5, (), generator=generator)), int(torch.randint(3, (), generator=generator))
    one, other = torch.randn(2, 4, d, generator=generator, dtype=torch.float64)
    times = torch.rand(4, generator=generator, dtype=torch.float64) * 0.9 + 0.05
    return Probe((one, other, times, (STRAIGHT, COSINE, LINEAR_BETA)[path]))
