"""One step of gradient descent, written out, and the loop around it for the first model."""

from collections.abc import Callable, Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from course_lib.chapters.ch00_start_here.mixture import mixture_log_density, mixture_start


def gradient_step(loss_of: Callable[..., Tensor], parameters: Sequence, rate: float) -> float:
    """Move every parameter, in place, by −rate times its gradient of loss_of(*parameters); return the loss before.

    The gradients are gone afterwards, so that the next step starts from none, and the number that comes back
    holds no graph.
    """
    loss = loss_of(*parameters)
    loss.backward()
    with torch.no_grad():  # the update is no part of the function that is differentiated
        for parameter in parameters:
            parameter -= rate * parameter.grad
            parameter.grad = None  # backward() adds to what it finds
    return loss.item()


def fit_mixture(
    points: Float[Tensor, "n 2"], n_components: int, steps: int = 600, rate: float = 0.3, seed: int = 0
) -> tuple[list[Tensor], Float[Tensor, "steps"]]:
    """Return the parameters after gradient descent on the mean of −log p over all points, and the losses in nats."""
    theta = mixture_start(points, n_components, torch.Generator().manual_seed(seed))

    def loss_of(*theta: Tensor) -> Tensor:
        return -mixture_log_density(points, *theta).mean()

    losses = [gradient_step(loss_of, theta, rate) for _ in range(steps)]
    return [p.detach() for p in theta], torch.tensor(losses, dtype=points.dtype)
