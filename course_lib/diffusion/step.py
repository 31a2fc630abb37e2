"""Batches of noise and images, and the training step: a regression on the velocity of the way between them.

Lipman et al. 2023, equation 9, and Liu et al. 2023, equation 1, on straight paths; Salimans and Ho 2022 on others.
"""

from collections.abc import Callable
from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.optim import Optimizer

from course_lib.diffusion.paths import STRAIGHT, Path, noised_pair
from course_lib.training.fit import Draw, Step
from course_lib.training.memory_format import as_convolved
from course_lib.training.moving_average import MovingAverage
from course_lib.training.transfer import to_device

Times = Callable[[int, torch.Generator], Tensor]


class Pairs(NamedTuple):
    """Images x and noise eps (batch, *shape), times t (batch,), and labels (batch,) or None."""

    x: Tensor
    eps: Tensor
    t: Tensor
    labels: Tensor | None = None


def uniform_times(n: int, generator: torch.Generator) -> Float[Tensor, "n"]:
    """Return n times, all equally likely."""
    return torch.rand(n, generator=generator)


def logit_normal_times(n: int, generator: torch.Generator) -> Float[Tensor, "n"]:
    """Return n times σ(u) with normal u: most in the middle, none at the ends (Esser et al. 2024, equation 19)."""
    return torch.randn(n, generator=generator).sigmoid()


def draw_pairs(
    images: Float[Tensor, "n *shape"],
    batch: int,
    labels: Int[Tensor, "n"] | None = None,
    unasked: float = 0.1,
    n_classes: int = 10,
    times: Times = logit_normal_times,
) -> Draw[Pairs]:
    """Return the function that ``fit`` draws batches with, on the device of the images; the generator is a CPU's.

    labels: of the images, for a model with classes; a share ``unasked`` of them is replaced by n_classes, which
    stands for any class. ValueError for another number of labels than images, and a share outside [0, 1].
    """
    if labels is not None and len(labels) != len(images):
        raise ValueError(f"labels: expected one for each of {len(images)} images, got {len(labels)}")
    if not 0 <= unasked <= 1:
        raise ValueError(f"unasked: expected a share from 0 to 1, got {unasked}")
    kinds = None if labels is None else labels.to(images.device)

    def draw(generator: torch.Generator) -> Pairs:
        chosen = torch.randint(len(images), (batch,), generator=generator)
        eps = torch.randn(batch, *images.shape[1:], generator=generator)
        t, any_class = times(batch, generator), torch.rand(batch, generator=generator) < unasked
        chosen, eps, t, any_class = to_device(images.device, chosen, eps, t, any_class)
        if kinds is None:
            return Pairs(images[chosen], eps, t)
        return Pairs(images[chosen], eps, t, kinds[chosen].masked_fill(any_class, n_classes))

    return draw


def flow_step(
    model: nn.Module,
    optimizer: Optimizer,
    path: Path = STRAIGHT,
    average: MovingAverage | None = None,
    weight: Callable[[Tensor], Tensor] | None = None,
    bfloat16: bool = False,
) -> Step[Pairs]:
    """Return the step for ``fit``: the mean square between predicted and true velocity, its gradient, one update.

    average: follows the model after each update. weight: a factor on the square of each example by its time. bfloat16:
    the network's products under autocast; weights, the difference and its mean stay in float32. Scalar: loss.
    """

    def step(pairs: Pairs) -> dict[str, Tensor]:
        x, eps, t, labels = pairs
        x_t, target = noised_pair(x, eps, t, path)
        x_t = as_convolved(model, x_t)
        with torch.autocast(x.device.type, torch.bfloat16, enabled=bfloat16):
            predicted = model(x_t, t) if labels is None else model(x_t, t, labels)
        squares = (predicted.float() - target).square().flatten(1).mean(1)
        loss = (squares if weight is None else weight(t) * squares).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if average is not None:
            average.update_parameters(model)
        return {"loss": loss}

    return step
