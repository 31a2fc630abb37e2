"""The generative adversarial network: losses from logits, penalties, spectral norm, and the training step.

Goodfellow et al. 2014, *Generative adversarial nets*. The discriminator gives logits, never probabilities: D(x) =
σ(logit) is its belief that x is real. Losses are means over the batch, in nats where they are log-probabilities, and
are minimised by whoever they name. The networks for images stand in ``dcgan.py``.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.swa_utils import AveragedModel

from course_lib.gan.dcgan import given_labels
from course_lib.gan.losses import OBJECTIVES, Objective, discriminator_loss, nonsaturating_generator_loss
from course_lib.gan.penalties import r1_penalty
from course_lib.training.memory_format import as_convolved


@dataclass(frozen=True)
class Turns:
    """One batch: real images and noise for each of n_critic turns of the discriminator; the last noise serves both.

    real (n_critic, batch, 1, 28, 28), z (n_critic, batch, latent), labels (n_critic, batch) of both, or None.
    """

    real: Tensor
    z: Tensor
    labels: Tensor | None = None


def draw_turns(
    images: Float[Tensor, "n 1 28 28"],
    labels: Int[Tensor, "n"] | None,
    batch: int,
    latent_dim: int,
    n_critic: int = 1,
) -> Callable[[torch.Generator], Turns]:
    """Return the function that ``fit`` draws batches with, on the device of the images; the generator is a CPU's.

    labels: of the images, for class-conditional models; the same labels are asked of the generator.
    """

    def draw(generator: torch.Generator) -> Turns:
        chosen = torch.randint(len(images), (n_critic, batch), generator=generator).to(images.device)
        z = torch.randn(n_critic, batch, latent_dim, generator=generator).to(images.device)
        return Turns(images[chosen], z, None if labels is None else labels[chosen])

    return draw


def training_step(
    generator: nn.Module,
    discriminator: nn.Module,
    g_optimizer: Optimizer,
    d_optimizer: Optimizer,
    real: Float[Tensor, "batch *shape"],
    z: Float[Tensor, "batch latent"],
) -> tuple[Float[Tensor, ""], Float[Tensor, ""]]:
    """Take one step of the discriminator, then one of the generator; return (d_loss, g_loss) as they were before each.

    Goodfellow et al. 2014, algorithm 1 with k = 1 and the non-saturating loss; both turns see the same fakes.
    ``adversarial_step`` is this step with classes, penalties, more turns, an average and bfloat16.
    """
    fake = generator(z)
    d_optimizer.zero_grad()
    d_loss = discriminator_loss(discriminator(real), discriminator(fake.detach()))  # detached: ends at the pixels
    d_loss.backward()
    d_optimizer.step()

    g_optimizer.zero_grad()
    g_loss = nonsaturating_generator_loss(discriminator(fake))  # by way of the discriminator as it is now
    g_loss.backward()
    g_optimizer.step()
    d_optimizer.zero_grad()  # g_loss.backward() left gradients in the discriminator, too
    return d_loss.detach(), g_loss.detach()


def adversarial_step(
    generator: nn.Module,
    discriminator: nn.Module,
    g_optimizer: Optimizer,
    d_optimizer: Optimizer,
    objective: Objective = OBJECTIVES["nonsaturating"],
    r1_weight: float = 0.0,
    average: AveragedModel | None = None,
    bfloat16: bool = False,
) -> Callable[[Turns], dict[str, Tensor]]:
    """Return the step for ``fit``: the discriminator's turns, each an update, then one of the generator.

    r1_weight: γ of ½ γ E‖∇D(real)‖². average: follows the generator after each update. bfloat16: convolutions and
    products in bfloat16 under autocast; weights and losses stay in float32. Real and fake images go through the
    discriminator one after the other, so that batch norm keeps their statistics apart. The fakes of the last turn
    are made once and serve both players, as in PyTorch's DCGAN example. Scalars: d_loss, g_loss, r1 where it is used.
    """

    def mixed(model: nn.Module, x: Tensor, labels: Tensor | None) -> Tensor:
        with torch.autocast(x.device.type, torch.bfloat16, enabled=bfloat16):
            return model(x, *given_labels(labels)).float()

    def step(turns: Turns) -> dict[str, Tensor]:
        scalars: dict[str, Tensor] = {}
        n_critic = len(turns.real)
        labels: list[Tensor | None] = [None] * n_critic if turns.labels is None else list(turns.labels)
        for turn, given in enumerate(labels):
            real = as_convolved(discriminator, turns.real[turn])
            with torch.set_grad_enabled(turn == n_critic - 1):
                fake = mixed(generator, turns.z[turn], given)
            d_loss = objective.discriminator(
                mixed(discriminator, real, given), mixed(discriminator, fake.detach(), given)
            )
            total = d_loss
            if r1_weight:
                scalars["r1"] = r1_penalty(partial(mixed, discriminator, labels=given), real)
                total = d_loss + 0.5 * r1_weight * scalars["r1"]
            total.backward()
            _update(d_optimizer)
        discriminator.requires_grad_(False)  # its weights need no gradient now, and get none
        g_loss = objective.generator(mixed(discriminator, fake, given))
        g_loss.backward()
        discriminator.requires_grad_(True)
        _update(g_optimizer)
        if average is not None:
            average.update_parameters(generator)
        return {"d_loss": d_loss, "g_loss": g_loss, **scalars}

    return step


def _update(optimizer: Optimizer) -> None:
    """Take the step and clear the gradients: none is left for the next turn."""
    optimizer.step()
    optimizer.zero_grad()
