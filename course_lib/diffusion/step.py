"""Batches of noise and images, and the training step: a regression on the velocity of the way between them.

Lipman et al. 2023, equation 9, and Liu et al. 2023, equation 1, on straight paths; Salimans and Ho 2022 on others.
"""

from collections.abc import Callable, Iterable
from typing import NamedTuple

import torch
from jaxtyping import Float, Int, UInt8
from torch import Tensor, nn
from torch.optim import Optimizer

from course_lib.diffusion.paths import STRAIGHT, Path, noised_pair
from course_lib.training.fit import Draw, Step
from course_lib.training.memory_format import as_convolved
from course_lib.training.moving_average import MovingAverage
from course_lib.training.transfer import to_device

Times = Callable[[int, torch.Generator], Tensor]


class Pairs(NamedTuple):
    """Images x and noise eps (batch, *shape), times t (batch,), and labels (batch,), tokens (batch, length) or None."""

    x: Tensor
    eps: Tensor
    t: Tensor
    labels: Tensor | None = None


def uniform_times(n: int, generator: torch.Generator) -> Float[Tensor, "n"]:
    """Return n times, all equally likely."""
    return torch.rand(n, generator=generator)


def logit_normal_times(n: int, generator: torch.Generator, mean: float = 0.0) -> Float[Tensor, "n"]:
    """Return n times σ(u) with normal u: most in the middle, none at the ends (Esser et al. 2024, equation 19).

    mean: of u; below 0 more of the times are noisy ones.
    """
    return (torch.randn(n, generator=generator) + mean).sigmoid()


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
    _check_told("labels", labels, images, unasked)
    kinds = None if labels is None else labels.to(images.device)

    def draw(generator: torch.Generator) -> Pairs:
        chosen, eps, t, any_class = drawn(images, batch, unasked, times, generator)
        if kinds is None:
            return Pairs(images[chosen], eps, t)
        return Pairs(images[chosen], eps, t, kinds[chosen].masked_fill(any_class, n_classes))

    return draw


def draw_captioned(
    images: UInt8[Tensor, "n *shape"],
    tokens: Int[Tensor, "n length"],
    batch: int,
    unasked: float = 0.1,
    times: Times = logit_normal_times,
) -> Draw[Pairs]:
    """Return the function that ``fit`` draws batches of captioned images with, as ``draw_pairs`` does with labels.

    images: bytes, which take a quarter of the room; a batch of them is brought to [−1, 1]. A share ``unasked`` of the
    captions is replaced by the empty one, token 0 at each place. ValueError as for ``draw_pairs``.
    """
    _check_told("tokens", tokens, images, unasked)
    words = tokens.to(images.device)

    def draw(generator: torch.Generator) -> Pairs:
        chosen, eps, t, silent = drawn(images, batch, unasked, times, generator)
        return Pairs(as_floats(images[chosen]), eps, t, words[chosen].masked_fill(silent[:, None], 0))

    return draw


def _check_told(name: str, told: Tensor | None, data: Tensor, unasked: float) -> None:
    """Raise ValueError where not each example is told something, and for a share outside [0, 1]."""
    if told is not None and len(told) != len(data):
        raise ValueError(f"{name}: expected one for each of {len(data)} images, got {len(told)}")
    if not 0 <= unasked <= 1:
        raise ValueError(f"unasked: expected a share from 0 to 1, got {unasked}")


def as_floats(data: Tensor) -> Tensor:
    """Return bytes as numbers in [−1, 1], and other numbers as they are."""
    return data.float() / 127.5 - 1 if data.dtype == torch.uint8 else data


def drawn(
    data: Tensor, batch: int, unasked: float, times: Times, generator: torch.Generator
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return which examples, their noise and times, and of which nothing is asked."""
    chosen = torch.randint(len(data), (batch,), generator=generator)
    eps = torch.randn(batch, *data.shape[1:], generator=generator)
    t, silent = times(batch, generator), torch.rand(batch, generator=generator) < unasked
    chosen, eps, t, silent = to_device(data.device, chosen, eps, t, silent)
    return chosen, eps, t, silent


def flow_step(
    model: nn.Module,
    optimizers: Optimizer | Iterable[Optimizer],
    path: Path = STRAIGHT,
    average: MovingAverage | None = None,
    weight: Callable[[Tensor], Tensor] | None = None,
    bfloat16: bool = False,
) -> Step[Pairs]:
    """Return the step for ``fit``: the mean square between predicted and true velocity, its gradient, one update.

    average: follows the model after each update. weight: a factor on the square of each example by its time. bfloat16:
    the network's products under autocast; weights, the difference and its mean stay in float32. Scalar: loss.
    """

    together = [optimizers] if isinstance(optimizers, Optimizer) else list(optimizers)

    def step(pairs: Pairs) -> dict[str, Tensor]:
        x, eps, t, labels = pairs
        x_t, target = noised_pair(x, eps, t, path)
        x_t = as_convolved(model, x_t)
        with torch.autocast(x.device.type, torch.bfloat16, enabled=bfloat16):
            predicted = model(x_t, t) if labels is None else model(x_t, t, labels)
        squares = (predicted.float() - target).square().flatten(1).mean(1)
        loss = (squares if weight is None else weight(t) * squares).mean()
        for optimizer in together:
            optimizer.zero_grad()
        loss.backward()
        for optimizer in together:
            optimizer.step()
        if average is not None:
            average.update_parameters(model)
        return {"loss": loss}

    return step
