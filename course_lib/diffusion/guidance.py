"""From a trained network to a velocity that samplers follow: of any class, of the one asked for, or more than asked.

Ho and Salimans 2022, *Classifier-free diffusion guidance*.
"""

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from course_lib.diffusion.samplers import Velocity


def network_velocity(model: nn.Module, bfloat16: bool = False) -> Velocity:
    """Return the velocity of a network without classes, for samplers; in float32 whatever the network computes in."""

    def velocity(x_t: Tensor, t: Tensor) -> Tensor:
        with torch.autocast(x_t.device.type, torch.bfloat16, enabled=bfloat16):
            predicted = model(x_t, t)
        return predicted.float() if predicted.dtype == torch.bfloat16 else predicted

    return velocity


def guided_velocity(
    model: nn.Module, labels: Int[Tensor, "batch"], weight: float = 1.0, bfloat16: bool = False
) -> Velocity:
    """Return v_any + weight · (v_asked − v_any): 0 asks nothing, 1 for the class, more goes beyond (equation 6).

    Equation 6 of the paper counts from the class on: its w is weight − 1. At 0 and 1 the network is evaluated once,
    else for both in one batch. model: with ``n_classes``, the label that means any. labels: of the images sampled.
    """
    anything = torch.full_like(labels, _any_class(model))

    def velocity(x_t: Float[Tensor, "batch *shape"], t: Float[Tensor, "batch"]) -> Tensor:
        with torch.autocast(x_t.device.type, torch.bfloat16, enabled=bfloat16):
            if weight in (0, 1):
                predicted = model(x_t, t, labels if weight else anything)
                return predicted.float() if predicted.dtype == torch.bfloat16 else predicted
            both = model(torch.cat([x_t, x_t]), torch.cat([t, t]), torch.cat([anything, labels]))
        if both.dtype == torch.bfloat16:
            both = both.float()
        of_any, asked = both.chunk(2)
        return of_any + weight * (asked - of_any)

    return velocity


def _any_class(model: nn.Module) -> int:
    """Return the label that stands for any class, also of a model that an average wraps."""
    n_classes = getattr(model, "n_classes", None) or getattr(getattr(model, "module", None), "n_classes", 0)
    if not n_classes:
        raise ValueError("model: expected one with classes, n_classes above 0")
    return int(n_classes)
