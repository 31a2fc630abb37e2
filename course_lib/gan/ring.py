"""A ring of eight Gaussians, and GANs of the plane that train several seeds at once as one tensor.

The setting of Metz et al. 2017, *Unrolled generative adversarial networks*: noise of 256 numbers, ReLU, Adam with
β₁ = ½ and batches of 512 (appendix A); two hidden layers of 128 in both networks, orthogonal weights of gain 1.4, rates
1e-3 and 1e-4 (the authors' published example, which has tanh for ReLU).
"""

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from course_lib.gan.losses import discriminator_loss, nonsaturating_generator_loss
from course_lib.gan.penalties import gradient_penalty, r1_penalty

Draw = Callable[[int, int, torch.Generator], Tensor]  # seeds, n, generator → real points (seeds, n, 2)


class SeedMLP(nn.Module):
    """ReLU networks of one shape, one a seed: (seeds, n, sizes[0]) to (seeds, n, sizes[-1]), a product each layer.

    No number of one seed reaches another's. gain: of the orthogonal weights with which they start.
    """

    def __init__(self, sizes: Sequence[int], seeds: int, generator: torch.Generator, gain: float = 1.4) -> None:
        super().__init__()
        self.seeds = seeds
        shapes = list(itertools.pairwise(sizes))
        self.weights = nn.ParameterList(torch.empty(seeds, *shape) for shape in shapes)
        self.biases = nn.ParameterList(torch.zeros(seeds, 1, width) for _, width in shapes)
        for weight in self.weights:
            for one in weight.data:
                nn.init.orthogonal_(one, gain, generator=generator)

    def forward(self, x: Float[Tensor, "seeds n features"]) -> Float[Tensor, "seeds n out"]:
        """Return the last layer's numbers; ValueError where x holds another number of seeds."""
        if len(x) != self.seeds:
            raise ValueError(f"x: expected {self.seeds} seeds along the first axis, got {len(x)}")
        for i, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            x = torch.baddbmm(bias, F.relu(x) if i else x, weight)
        return x


class OptimisticAdam(torch.optim.Adam):
    """Adam whose step is twice its move less the move before: w ← w + 2 Δ_t − Δ_{t−1} (Daskalakis et al. 2018)."""

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        """Update every parameter; a closure is not taken."""
        parameters = [p for group in self.param_groups for p in group["params"] if p.grad is not None]
        before = [p.clone() for p in parameters]
        super().step()
        for p, old in zip(parameters, before, strict=True):
            move = p - old
            p.add_(move - self.state[p].get("move", torch.zeros_like(move)))
            self.state[p]["move"] = move


@dataclass(frozen=True)
class Cure:
    """What one arm does differently from the plain game; the weights of penalties as in ``gan``, 0 for none.

    r1_weight γ, gp_weight; noise: standard deviation of Gaussian noise on all that the discriminator sees, falling
    linearly to 0 at 0.8 of the run (instance noise); optimistic: both players' Adam; the two rates.
    """

    r1_weight: float = 0.0
    gp_weight: float = 0.0
    noise: float = 0.0
    optimistic: bool = False
    g_rate: float = 1e-3
    d_rate: float = 1e-4


@dataclass(frozen=True)
class Players:
    """The generators and discriminators of several seeds, and how many numbers of noise a fake is made from."""

    generator: SeedMLP
    discriminator: SeedMLP
    latent: int

    @property
    def seeds(self) -> int:
        """How many games are played at once."""
        return self.generator.seeds

    def logits(self, x: Float[Tensor, "examples 2"]) -> Float[Tensor, "examples"]:
        """Return the discriminators' logits of all seeds' points in one row, seed by seed: as ``gan`` takes them."""
        return self.discriminator(x.view(self.seeds, -1, 2)).flatten()

    def fake(self, n: int, generator: torch.Generator) -> Float[Tensor, "seeds n 2"]:
        """Return n fakes of each seed, with their graph."""
        return self.generator(torch.randn(self.seeds, n, self.latent, generator=generator))

    @torch.no_grad()
    def sample(self, n: int, generator: torch.Generator) -> Float[Tensor, "seeds n 2"]:
        """Return n fakes of each seed, without a graph."""
        return self.fake(n, generator)


def players(seeds: int, generator: torch.Generator, latent: int = 256, hidden: int = 128) -> Players:
    """Return untrained networks with two hidden layers each."""
    sizes = (hidden, hidden)
    return Players(SeedMLP((latent, *sizes, 2), seeds, generator), SeedMLP((2, *sizes, 1), seeds, generator), latent)


class Game:
    """Two players' turns. Losses are summed over the seeds, so that each trains as it would alone."""

    def __init__(self, players: Players, cure: Cure) -> None:
        adam = OptimisticAdam if cure.optimistic else torch.optim.Adam
        self.players, self.cure = players, cure
        self.g_optimizer = adam(players.generator.parameters(), lr=cure.g_rate, betas=(0.5, 0.999))
        self.d_optimizer = adam(players.discriminator.parameters(), lr=cure.d_rate, betas=(0.5, 0.999))

    def discriminator_turn(
        self, real: Float[Tensor, "seeds n 2"], fake: Float[Tensor, "seeds n 2"], generator: torch.Generator
    ) -> Float[Tensor, ""]:
        """Update the discriminators alone; return their mean loss, penalties apart. generator: for the penalty's t."""
        real, fake = real.flatten(0, 1), fake.detach().flatten(0, 1)
        logits, cure = self.players.logits, self.cure
        d_loss = discriminator_loss(logits(real), logits(fake))
        total = d_loss
        if cure.r1_weight:
            total = total + 0.5 * cure.r1_weight * r1_penalty(logits, real)
        if cure.gp_weight:
            total = total + cure.gp_weight * gradient_penalty(
                logits, real, fake, torch.rand(len(real), generator=generator)
            )
        self.d_optimizer.zero_grad()
        (self.players.seeds * total).backward()
        self.d_optimizer.step()
        return d_loss.detach()

    def generator_turn(self, fake: Float[Tensor, "seeds n 2"]) -> Float[Tensor, ""]:
        """Update the generators alone, through discriminators that stand still; return the mean loss."""
        self.players.discriminator.requires_grad_(False)
        g_loss = nonsaturating_generator_loss(self.players.logits(fake.flatten(0, 1)))
        self.g_optimizer.zero_grad()
        (self.players.seeds * g_loss).backward()
        self.g_optimizer.step()
        self.players.discriminator.requires_grad_(True)
        return g_loss.detach()


def play(game: Game, draw: Draw, steps: int, generator: torch.Generator, batch: int = 512) -> Iterator[int]:
    """Train with alternating turns, D first, then G on the same fakes; yield the number of steps after each."""
    for step in range(steps):
        real = draw(game.players.seeds, batch, generator)
        fake = game.players.fake(batch, generator)
        if std := game.cure.noise * max(0.0, 1 - step / (0.8 * steps)):
            real = real + std * torch.randn(real.shape, generator=generator)
            fake = fake + std * torch.randn(fake.shape, generator=generator)
        game.discriminator_turn(real, fake, generator)
        game.generator_turn(fake)
        yield step + 1
