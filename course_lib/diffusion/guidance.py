"""From a trained network to a velocity that samplers follow: of any image, of what is asked for, or more than asked.

Ho and Salimans 2022, *Classifier-free diffusion guidance*.
"""

from collections.abc import Callable

import torch
from jaxtyping import Float, Shaped
from torch import Tensor, nn

from course_lib.diffusion.samplers import Velocity, even_times, heun_euler_last
from course_lib.training.eval_mode import evaluating
from course_lib.training.memory_format import as_convolved


def network_velocity(model: nn.Module, bfloat16: bool = False) -> Callable[..., Tensor]:
    """Return a network's velocity, in float32 whatever it computes in; with classes it is told the labels, too."""

    def velocity(x_t: Tensor, *told: Tensor) -> Tensor:
        with torch.autocast(x_t.device.type, torch.bfloat16, enabled=bfloat16):
            predicted = model(x_t, *told)
        return predicted.float() if predicted.dtype == torch.bfloat16 else predicted

    return velocity


def guided(
    model: Callable[[Tensor, Tensor, Tensor], Tensor],
    x_t: Float[Tensor, "batch *shape"],
    t: Float[Tensor, "batch"],
    labels: Shaped[Tensor, "batch *told"],
    any_class: int,
    weight: float,
) -> Float[Tensor, "batch *shape"]:
    """Return v_any + weight · (v_asked − v_any), both evaluated in one batch (Ho and Salimans 2022, equation 6).

    Equation 6 counts from the class on: its w is weight − 1. model(x_t, t, labels); any_class: the label for any,
    and for captions, whose words stand in place of labels, the token 0.
    """
    anything = torch.full_like(labels, any_class)
    both = model(torch.cat([x_t, x_t]), torch.cat([t, t]), torch.cat([anything, labels]))
    of_any, asked = both.chunk(2)
    return of_any + weight * (asked - of_any)


def guided_velocity(
    model: nn.Module, labels: Shaped[Tensor, "batch *told"], weight: float = 1.0, bfloat16: bool = False
) -> Velocity:
    """Return the velocity for samplers that ``guided`` gives: 0 asks nothing, 1 for the class, more goes beyond.

    At 0 and 1 the network is evaluated once, else for both in one batch. model: a ``UNet`` with classes or a
    ``TextUNet``; its ``unasked`` is what asks nothing. labels: of the images sampled, or the tokens of their captions.
    """
    any_class = _unasked(model)
    anything, in_float32 = torch.full_like(labels, any_class), network_velocity(model, bfloat16)

    def velocity(x_t: Float[Tensor, "batch *shape"], t: Float[Tensor, "batch"]) -> Tensor:
        if weight in (0, 1):
            return in_float32(x_t, t, labels if weight else anything)
        return guided(in_float32, x_t, t, labels, any_class, weight)

    return velocity


@torch.no_grad()
def sample(
    model: nn.Module,
    noise: Float[Tensor, "n *shape"],
    labels: Shaped[Tensor, "n *told"] | None = None,
    weight: float = 1.0,
    steps: int = 10,
    sampler: Callable[[Velocity, Tensor, Tensor], Tensor] = heun_euler_last,
    at_once: int = 250,
    bfloat16: bool = False,
) -> Float[Tensor, "n *shape"]:
    """Return what the sampler makes of the noise in evenly spaced steps, the model in eval mode meanwhile.

    labels, weight: what is asked, as for ``guided_velocity``; wanted where the model can be asked. at_once: images
    followed together. What comes back is not cut off at black and white.
    """
    made, times = [noise[:0]], even_times(steps, noise.device, noise.dtype)
    kinds = None if labels is None else labels.to(noise.device)
    with evaluating(model):
        for first in range(0, len(noise), at_once):
            some = slice(first, first + at_once)
            v = (
                network_velocity(model, bfloat16)
                if kinds is None
                else guided_velocity(model, kinds[some], weight, bfloat16)
            )
            made.append(sampler(v, as_convolved(model, noise[some]), times))
    return torch.cat(made)


def _unasked(model: nn.Module) -> int:
    """Return the label or token that asks nothing, also of a model that an average wraps."""
    unasked: int | None = getattr(getattr(model, "module", model), "unasked", None)
    if unasked is None:
        raise ValueError("model: expected one with classes or captions, got one that cannot be asked for anything")
    return unasked
