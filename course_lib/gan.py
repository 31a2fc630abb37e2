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
from torch.nn import functional as F
from torch.optim import Optimizer
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from course_lib.dcgan import as_convolved, given_labels

# --- losses ----------------------------------------------------------------------------------------------------------


def discriminator_loss(real_logits: Float[Tensor, "n"], fake_logits: Float[Tensor, "m"]) -> Float[Tensor, ""]:
    """Return −E[ln D(real)] − E[ln(1 − D(fake))], the negative of the game's value (Goodfellow 2014, equation 1).

    −ln σ(l) = softplus(−l) and −ln(1 − σ(l)) = softplus(l): finite for any finite logit, ±10,000 among them.
    """
    return F.softplus(-real_logits).mean() + F.softplus(fake_logits).mean()


def minimax_generator_loss(fake_logits: Float[Tensor, "n"]) -> Float[Tensor, ""]:
    """Return E[ln(1 − D(fake))], what the generator minimises in the two-player game: it saturates.

    Its derivative by a logit is −D(fake): where the discriminator is sure, next to nothing.
    """
    return -F.softplus(fake_logits).mean()


def nonsaturating_generator_loss(fake_logits: Float[Tensor, "n"]) -> Float[Tensor, ""]:
    """Return −E[ln D(fake)] (Goodfellow 2014, section 3); its derivative by a logit is D(fake) − 1."""
    return F.softplus(-fake_logits).mean()


def hinge_discriminator_loss(real_logits: Float[Tensor, "n"], fake_logits: Float[Tensor, "m"]) -> Float[Tensor, ""]:
    """Return E[max(0, 1 − real)] + E[max(0, 1 + fake)] (Lim and Ye 2017; Miyato et al. 2018, equation 16)."""
    return F.relu(1 - real_logits).mean() + F.relu(1 + fake_logits).mean()


def least_squares_discriminator_loss(
    real_logits: Float[Tensor, "n"], fake_logits: Float[Tensor, "m"]
) -> Float[Tensor, ""]:
    """Return ½ E[(real − 1)²] + ½ E[fake²] (Mao et al. 2017, equation 9): targets 1 and 0, no sigmoid."""
    return 0.5 * ((real_logits - 1) ** 2).mean() + 0.5 * (fake_logits**2).mean()


def least_squares_generator_loss(fake_logits: Float[Tensor, "n"]) -> Float[Tensor, ""]:
    """Return ½ E[(fake − 1)²] (Mao et al. 2017, equation 9)."""
    return 0.5 * ((fake_logits - 1) ** 2).mean()


def wasserstein_critic_loss(real_logits: Float[Tensor, "n"], fake_logits: Float[Tensor, "m"]) -> Float[Tensor, ""]:
    """Return E[fake] − E[real]: its negative is a lower bound on W₁ for a critic of Lipschitz constant 1.

    Arjovsky, Chintala and Bottou 2017, equation 2 (Kantorovich and Rubinstein).
    """
    return fake_logits.mean() - real_logits.mean()


def wasserstein_generator_loss(fake_logits: Float[Tensor, "n"]) -> Float[Tensor, ""]:
    """Return −E[fake]; the generator's loss with the hinge, too."""
    return -fake_logits.mean()


@dataclass(frozen=True)
class Objective:
    """Two losses that belong together: one of (real_logits, fake_logits), one of fake_logits."""

    discriminator: Callable[[Tensor, Tensor], Tensor]
    generator: Callable[[Tensor], Tensor]


OBJECTIVES = {
    "minimax": Objective(discriminator_loss, minimax_generator_loss),
    "nonsaturating": Objective(discriminator_loss, nonsaturating_generator_loss),
    "least squares": Objective(least_squares_discriminator_loss, least_squares_generator_loss),
    "hinge": Objective(hinge_discriminator_loss, wasserstein_generator_loss),
    "wasserstein": Objective(wasserstein_critic_loss, wasserstein_generator_loss),
}

# --- what keeps a discriminator smooth -------------------------------------------------------------------------------


def _input_gradient(discriminator: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """Return the gradient of each example's logit by the example, (batch, features), with its graph."""
    x = x.detach().requires_grad_()
    logits = discriminator(x).float()
    (gradient,) = torch.autograd.grad(logits.sum(), x, create_graph=True)  # the graph: it is minimised itself
    return gradient.flatten(1)


def r1_penalty(discriminator: Callable[[Tensor], Tensor], real: Float[Tensor, "batch *shape"]) -> Float[Tensor, ""]:
    """Return E‖∇D(real)‖², the gradient by the image; weigh it with γ/2 (Mescheder et al. 2018, equation 9)."""
    return (_input_gradient(discriminator, real) ** 2).sum(1).mean()


def gradient_penalty(
    discriminator: Callable[[Tensor], Tensor],
    real: Float[Tensor, "batch *shape"],
    fake: Float[Tensor, "batch *shape"],
    t: Float[Tensor, "batch"],
) -> Float[Tensor, ""]:
    """Return E(‖∇D(x̂)‖ − 1)² at x̂ = t · real + (1 − t) · fake; weigh it with gp_weight, 10 in the paper.

    t: uniform between 0 and 1, one an example (Gulrajani et al. 2017, algorithm 1).
    """
    t = t.view(-1, *[1] * (real.ndim - 1))
    mixed = t * real + (1 - t) * fake.detach()
    return ((_input_gradient(discriminator, mixed).norm(dim=1) - 1) ** 2).mean()


def power_iteration(
    weight: Float[Tensor, "rows columns"], u: Float[Tensor, "rows"], steps: int = 1
) -> tuple[Float[Tensor, ""], Float[Tensor, "rows"], Float[Tensor, "columns"]]:
    """Return (sigma, u, v): the largest singular value as uᵀ W v after steps of power iteration, and its vectors.

    u: where to start, not orthogonal to the answer. Miyato et al. 2018, algorithm 1, takes one step for each step of
    training and keeps u. A step shrinks the vectors' error by (σ₂/σ₁)², sigma's, which comes from below, by that
    squared. ValueError for steps below 1.
    """
    if steps < 1:
        raise ValueError(f"steps: expected at least 1, got {steps}")
    with torch.no_grad():
        for _ in range(steps):
            v = F.normalize(weight.T @ u, dim=0)
            u = F.normalize(weight @ v, dim=0)
    return u @ weight @ v, u, v


@torch.no_grad()
def convolution_norm(
    kernel: Float[Tensor, "out in height width"], side: int, stride: int = 1, padding: int = 0, steps: int = 200
) -> Float[Tensor, ""]:
    """Return the largest singular value of a convolution as a linear map of side × side images; a lower bound.

    Power iteration with the convolution and its transpose. Spectral normalisation takes the matrix (out, in · height ·
    width) instead, whose norm is another number (Sedghi, Gupta and Long 2019).
    """
    x = torch.ones(1, kernel.shape[1], side, side, dtype=kernel.dtype, device=kernel.device)
    x = x + 0.1 * torch.arange(x.numel(), dtype=kernel.dtype, device=kernel.device).sin().view_as(x)  # no symmetry
    for _ in range(steps):
        x = x / x.norm()
        y = F.conv2d(x, kernel, stride=stride, padding=padding)
        left = side - ((y.shape[-1] - 1) * stride - 2 * padding + kernel.shape[-1])  # pixels that no window ends on
        x = F.conv_transpose2d(y, kernel, stride=stride, padding=padding, output_padding=left)
    return x.norm().sqrt()


# --- training --------------------------------------------------------------------------------------------------------


def moving_average(generator: nn.Module, decay: float = 0.99) -> AveragedModel:
    """Return a copy of the generator whose weights and statistics follow it: decay · own + (1 − decay) · its.

    Yazıcı et al. 2019, *The unusual effectiveness of averaging in GAN training*.
    """
    return AveragedModel(generator, multi_avg_fn=get_ema_multi_avg_fn(decay), use_buffers=True)


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
