"""What the exercises of this chapter share."""

from torch import Tensor

from course_lib.classroom.exercises.probes import random


def logvars(*shape: int, seed: int) -> Tensor:
    """Positive ones: taken for a variance or a standard deviation they still give numbers, which can be named."""
    return random(*shape, seed=seed).abs() + 0.2


def wide_logvars(*shape: int, seed: int) -> Tensor:
    """Half of them negative, the first −14 and the last 12: what is cut off on either side shows."""
    values = logvars(*shape, seed=seed)
    values.view(-1)[::2] *= -1
    values.view(-1)[0], values.view(-1)[-1] = -14.0, 12.0
    return values


def bits(*shape: int, seed: int) -> Tensor:
    """Zeros and ones, of both kinds."""
    return (random(*shape, seed=seed) > 0.2).double()
