"""Batches and the training step of a GAN of images: as in the textbook, and as it is used, with all that helps.

Goodfellow et al. 2014, *Generative adversarial nets*. The discriminator gives logits, never probabilities: D(x) =
σ(logit) is its belief that x is real. Losses are means over the batch, in nats where they are log-probabilities, and
are minimised by whoever they name. The networks for images stand in ``dcgan.py``.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.optim import Optimizer

from course_lib.gan.dcgan import given_labels
from course_lib.gan.losses import OBJECTIVES, Objective, discriminator_loss, nonsaturating_generator_loss
from course_lib.gan.penalties import r1_penalty
from course_lib.gan.turns import Judged, Penalty, discriminator_turn, generator_turn
from course_lib.training.fit import Draw, Step
from course_lib.training.memory_format import as_convolved
from course_lib.training.moving_average import MovingAverage
from course_lib.training.transfer import to_device


@dataclass(frozen=True)
class Turns:
    """One batch: real images and noise for each of n_critic turns of the discriminator; the last noise serves both.

    real (n_critic, batch, 1, 28, 28), z (n_critic, batch, latent), labels (n_critic, batch) of both, or None.
    """

    real: Tensor
    z: Tensor
    labels: Tensor | None = None

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor, Tensor | None]]:
        """Yield (real, z, labels) of one turn of the discriminator after the other."""
        labels = [None] * len(self.real) if self.labels is None else self.labels.unbind()
        return zip(self.real.unbind(), self.z.unbind(), labels, strict=True)


def draw_turns(
    images: Float[Tensor, "n 1 28 28"],
    labels: Int[Tensor, "n"] | None,
    batch: int,
    latent_dim: int,
    n_critic: int = 1,
) -> Draw[Turns]:
    """Return the function that ``fit`` draws batches with, on the device of the images; the generator is a CPU's.

    labels: of the images, for class-conditional models; the same labels are asked of the generator. ValueError for
    another number of labels than images, and for n_critic below 1.
    """
    if n_critic < 1:
        raise ValueError(f"n_critic: expected at least 1, got {n_critic}")
    if labels is not None:
        if len(labels) != len(images):
            raise ValueError(f"labels: expected one for each of {len(images)} images, got {len(labels)}")
        labels = labels.to(images.device)

    def draw(generator: torch.Generator) -> Turns:
        chosen = torch.randint(len(images), (n_critic, batch), generator=generator)
        z = torch.randn(n_critic, batch, latent_dim, generator=generator)
        chosen, z = to_device(images.device, chosen, z)
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
    average: MovingAverage | None = None,
    bfloat16: bool = False,
) -> Step[Turns]:
    """Return the step for ``fit``: the discriminator's turns, each an update, then one of the generator.

    r1_weight: γ of ½ γ E‖∇D(real)‖². average: follows the generator after each update. bfloat16: convolutions and
    products in bfloat16 under autocast; weights and losses stay in float32. Real and fake images go through the
    discriminator one after the other, so that batch norm keeps their statistics apart. The fakes of the last turn
    are made once and serve both players, as in PyTorch's DCGAN example. Scalars: d_loss, g_loss, r1 where it is used.
    """

    def mixed(model: nn.Module, x: Tensor, labels: Tensor | None) -> Tensor:
        with torch.autocast(x.device.type, torch.bfloat16, enabled=bfloat16):
            return model(x, *given_labels(labels)).float()

    def judge(real: Tensor, fake: Tensor, labels: Tensor | None) -> Judged:
        logits = partial(mixed, discriminator, labels=labels)
        real = as_convolved(discriminator, real)
        r1 = {"r1": Penalty(0.5 * r1_weight, lambda real, _: r1_penalty(logits, real))} if r1_weight else {}
        return discriminator_turn(logits, objective.discriminator, real, fake, d_optimizer, r1)

    def step(turns: Turns) -> dict[str, Tensor]:
        *earlier, (real, z, labels) = turns
        for other, noise, kinds in earlier:
            with torch.no_grad():
                fake = mixed(generator, noise, kinds)
            judge(other, fake, kinds)
        fake = mixed(generator, z, labels)
        found = judge(real, fake, labels)
        g_loss = generator_turn(partial(mixed, discriminator, labels=labels), objective.generator, fake, g_optimizer)
        if average is not None:
            average.update_parameters(generator)
        return {"d_loss": found.loss, "g_loss": g_loss, **found.penalties}

    return step
