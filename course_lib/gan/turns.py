"""The two turns of which every GAN's training is made: one update of the discriminator, one of the generator.

Each moves one player along the gradient of its own loss and leaves no gradient behind, with either of them. A step of
training is some turns of the first and one of the second (Goodfellow et al. 2014, algorithm 1).
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import NamedTuple

from torch import Tensor
from torch.optim import Optimizer

Logits = Callable[[Tensor], Tensor]  # of a batch, real or fake: a discriminator, its labels or its seeds bound


class Penalty(NamedTuple):
    """What is added to the discriminator's loss: weight times a function of (real, fake)."""

    weight: float
    of: Callable[[Tensor, Tensor], Tensor]


class Judged(NamedTuple):
    """What the discriminator's turn found before its update: all without a graph, penalties without their weights."""

    loss: Tensor
    real_logits: Tensor
    fake_logits: Tensor
    penalties: dict[str, Tensor]


def discriminator_turn(
    discriminator: Logits,
    loss: Callable[[Tensor, Tensor], Tensor],
    real: Tensor,
    fake: Tensor,
    optimizer: Optimizer,
    penalties: Mapping[str, Penalty] = MappingProxyType({}),
    games: int = 1,
) -> Judged:
    """Update the discriminator's parameters, those of its optimizer, alone.

    loss: of (real_logits, fake_logits). Real and fake are judged one after the other, so that batch norm keeps their
    statistics apart. games: how many are played side by side; the loss is their mean, and is taken that many times, so
    that each is trained as it would be alone.
    """
    fake = fake.detach()  # ends at the pixels: the generator learns nothing in this turn
    real_logits, fake_logits = discriminator(real), discriminator(fake)
    d_loss = total = loss(real_logits, fake_logits)
    values = {}
    for name, penalty in penalties.items():
        value = penalty.of(real, fake)
        total, values[name] = total + penalty.weight * value, value.detach()
    _update(optimizer, games * total)
    return Judged(d_loss.detach(), real_logits.detach(), fake_logits.detach(), values)


def generator_turn(
    discriminator: Logits, loss: Callable[[Tensor], Tensor], fake: Tensor, optimizer: Optimizer, games: int = 1
) -> Tensor:
    """Update the generator's parameters alone, by way of the discriminator as it stands; return the loss before.

    fake: with its graph. loss: of the fake's logits. games: as for ``discriminator_turn``.
    """
    g_loss = loss(discriminator(fake))
    _update(optimizer, games * g_loss)
    return g_loss.detach()


def _update(optimizer: Optimizer, total: Tensor) -> None:
    """Take one step of the optimizer, by the gradient of total by its own parameters and no others."""
    own = [p for group in optimizer.param_groups for p in group["params"] if p.requires_grad]
    _clear(own)
    total.backward(inputs=own)
    optimizer.step()
    _clear(own)


def _clear(parameters: list[Tensor]) -> None:
    """Forget the gradients, as ``optimizer.zero_grad()`` does, which takes longer than a small network's layer."""
    for parameter in parameters:
        parameter.grad = None
