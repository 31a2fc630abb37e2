"""The generative adversarial network: losses from logits, penalties, spectral norm, DCGAN for 28×28, the step.

Goodfellow et al. 2014, *Generative adversarial nets*; Radford, Metz and Chintala 2016 (DCGAN). The discriminator gives
logits, never probabilities: D(x) = σ(logit) is its belief that x is real. Images are (batch, 1, 28, 28) in [−1, 1].
Losses are means over the batch, in nats where they are log-probabilities, and are minimised by whoever they name.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import torch
from jaxtyping import Float, Int, UInt8
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim import Optimizer
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

SIDE = 28

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


# --- DCGAN -----------------------------------------------------------------------------------------------------------


def to_images(pixels: UInt8[Tensor, "n 28 28"]) -> Float[Tensor, "n 1 28 28"]:
    """Return bytes as the networks take them: one channel, 0 … 255 to −1 … 1, the range of tanh."""
    return (pixels.float() / 127.5 - 1)[:, None]


class Generator(nn.Module):
    """Noise (batch, latent_dim), and a class where there are n_classes, to images in (−1, 1).

    7 × 7 → 14 × 14 → 28 × 28 by transposed convolutions with batch norm and ReLU (Radford et al. 2016). The class
    enters as a trained vector beside z (Mirza and Osindero 2014).
    """

    def __init__(self, latent_dim: int = 64, channels: int = 64, n_classes: int = 0) -> None:
        super().__init__()
        self.latent_dim, self.n_classes = latent_dim, n_classes
        self.embedding = nn.Embedding(n_classes, latent_dim) if n_classes else None
        self.first = nn.Linear(latent_dim * (1 + (n_classes > 0)), 2 * channels * 49, bias=False)
        self.body = nn.Sequential(
            nn.BatchNorm2d(2 * channels),
            nn.ReLU(),
            nn.ConvTranspose2d(2 * channels, channels, 4, stride=2, padding=1, bias=False),
            nn.BatchNorm2d(channels),
            nn.ReLU(),
            nn.ConvTranspose2d(channels, 1, 4, stride=2, padding=1),
            nn.Tanh(),
        )
        _dcgan_initialise(self)

    def forward(
        self, z: Float[Tensor, "batch latent"], labels: Int[Tensor, "batch"] | None = None
    ) -> Float[Tensor, "batch 1 28 28"]:
        """Return images; ValueError where labels are missing or not wanted."""
        _check_labels(labels, self.n_classes)
        if self.embedding is not None:
            z = torch.cat([z, self.embedding(labels)], dim=1)
        x = self.first(z).view(len(z), -1, 7, 7)  # (B, 2 C, 7, 7)
        return self.body(_like(self, x))


class Discriminator(nn.Module):
    """Images to logits (batch,): two strided convolutions with leaky ReLU, batch norm in the second, a linear end.

    With n_classes the logit is w · φ(x) + e_y · φ(x), a projection (Miyato and Koyama 2018, equation 3).
    """

    def __init__(self, channels: int = 64, n_classes: int = 0) -> None:
        super().__init__()
        self.n_classes = n_classes
        self.body = nn.Sequential(
            nn.Conv2d(1, channels, 4, stride=2, padding=1),
            nn.LeakyReLU(0.2),
            nn.Conv2d(channels, 2 * channels, 4, stride=2, padding=1, bias=False),
            nn.BatchNorm2d(2 * channels),
            nn.LeakyReLU(0.2),
            nn.Flatten(),
        )
        self.last = nn.Linear(2 * channels * 49, 1)
        self.embedding = nn.Embedding(n_classes, 2 * channels * 49) if n_classes else None
        _dcgan_initialise(self)

    def forward(
        self, x: Float[Tensor, "batch 1 28 28"], labels: Int[Tensor, "batch"] | None = None
    ) -> Float[Tensor, "batch"]:
        """Return one logit an image; ValueError for other sizes, and where labels are missing or not wanted."""
        if x.shape[1:] != (1, SIDE, SIDE):
            raise ValueError(f"x: expected images of shape (batch, 1, {SIDE}, {SIDE}), got {tuple(x.shape)}")
        _check_labels(labels, self.n_classes)
        features = self.body(x)  # (B, 98 C)
        logits = self.last(features).squeeze(1)
        return logits if self.embedding is None else logits + (self.embedding(labels) * features).sum(1)


def _check_labels(labels: Tensor | None, n_classes: int) -> None:
    """Raise a ValueError where there are classes and no labels, or labels and no classes."""
    if (labels is None) == bool(n_classes):
        wanted = f"one class of {n_classes} an example" if n_classes else "none for a model without classes"
        raise ValueError(f"labels: expected {wanted}, got {'none' if labels is None else tuple(labels.shape)}")


def _dcgan_initialise(model: nn.Module) -> None:
    """Start weights as N(0, 0.02²), gains of batch norm as N(1, 0.02²), biases at zero (Radford et al. 2016)."""
    for name, parameter in model.named_parameters():
        if parameter.ndim > 1:
            nn.init.normal_(parameter, std=0.02)
        elif name.endswith("weight"):
            nn.init.normal_(parameter, 1.0, 0.02)
        else:
            nn.init.zeros_(parameter)


def moving_average(generator: nn.Module, decay: float = 0.99) -> AveragedModel:
    """Return a copy of the generator whose weights and statistics follow it: decay · own + (1 − decay) · its.

    Yazıcı et al. 2019, *The unusual effectiveness of averaging in GAN training*.
    """
    return AveragedModel(generator, multi_avg_fn=get_ema_multi_avg_fn(decay), use_buffers=True)


# --- training --------------------------------------------------------------------------------------------------------


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
    discriminator one after the other, as their statistics in batch norm must not be mixed. The fakes of the last turn
    are made once and serve both players, as in PyTorch's DCGAN example. Scalars: d_loss, g_loss, r1 where it is used.
    """

    def mixed(model: nn.Module, x: Tensor, labels: Tensor | None) -> Tensor:
        with torch.autocast(x.device.type, torch.bfloat16, enabled=bfloat16):
            return model(x, *_given(labels)).float()

    def step(turns: Turns) -> dict[str, Tensor]:
        scalars: dict[str, Tensor] = {}
        n_critic = len(turns.real)
        labels: list[Tensor | None] = [None] * n_critic if turns.labels is None else list(turns.labels)
        for turn, given in enumerate(labels):
            real = _like(discriminator, turns.real[turn])
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


def _given(labels: Tensor | None) -> tuple[Tensor, ...]:
    """Return labels as further arguments, none where there are none."""
    return () if labels is None else (labels,)


def _like(model: nn.Module, x: Tensor) -> Tensor:
    """Return x in the memory layout of the model's convolutions."""
    last = any(p.ndim == 4 and p.is_contiguous(memory_format=torch.channels_last) for p in model.parameters())
    return x.contiguous(memory_format=torch.channels_last) if last and x.ndim == 4 else x


def _update(optimizer: Optimizer) -> None:
    """Take the step and clear the gradients: none is left for the other player's turn."""
    optimizer.step()
    optimizer.zero_grad()


@torch.no_grad()
def sample(
    generator: nn.Module, z: Float[Tensor, "n latent"], labels: Int[Tensor, "n"] | None = None, at_once: int = 1000
) -> Float[Tensor, "n 1 28 28"]:
    """Return the images made from z with the generator in eval mode, in which it is back afterwards in its own.

    In eval mode batch norm takes its running statistics, so that an image depends on its own z alone.
    """
    was_training = generator.training
    generator.eval()
    try:
        parts = [
            generator(z[i : i + at_once], *_given(None if labels is None else labels[i : i + at_once])).float()
            for i in range(0, len(z), at_once)
        ]
    finally:
        generator.train(was_training)
    return torch.cat(parts)
