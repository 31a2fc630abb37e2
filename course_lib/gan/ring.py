"""A ring of eight Gaussians, and GANs of the plane that train several seeds at once as one tensor.

The setting of Metz et al. 2017, *Unrolled generative adversarial networks*: noise of 256 numbers, ReLU, Adam with
β₁ = ½ and batches of 512 (appendix A); two hidden layers of 128 in both networks, orthogonal weights of gain 1.4, rates
1e-3 and 1e-4 (the authors' published example, which has tanh for ReLU).
"""

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from course_lib.gan.losses import discriminator_loss, nonsaturating_generator_loss
from course_lib.gan.penalties import gradient_penalty, r1_penalty
from course_lib.gan.turns import Penalty, discriminator_turn, generator_turn
from course_lib.training.transfer import to_device

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
class Treatment:
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

    @property
    def device(self) -> torch.device:
        """Where the networks are; what is drawn for them goes there."""
        return self.generator.weights[0].device

    def fake(self, n: int, generator: torch.Generator) -> Float[Tensor, "seeds n 2"]:
        """Return n fakes of each seed, with their graph; the random generator is a CPU's."""
        (z,) = to_device(self.device, torch.randn(self.seeds, n, self.latent, generator=generator))
        return self.generator(z)

    @torch.no_grad()
    def sample(self, n: int, generator: torch.Generator) -> Float[Tensor, "seeds n 2"]:
        """Return n fakes of each seed, without a graph."""
        return self.fake(n, generator)


def make_players(
    seeds: int,
    generator: torch.Generator,
    latent: int = 256,
    hidden: int = 128,
    device: torch.device | str = "cpu",
) -> Players:
    """Return untrained networks with two hidden layers each, drawn on the CPU and then on the device."""
    sizes = (hidden, hidden)
    g, d = SeedMLP((latent, *sizes, 2), seeds, generator), SeedMLP((2, *sizes, 1), seeds, generator)
    return Players(g.to(device), d.to(device), latent)


class Game:
    """Two players' turns. Losses are summed over the seeds, so that each trains as it would alone."""

    def __init__(self, players: Players, treatment: Treatment) -> None:
        adam = OptimisticAdam if treatment.optimistic else torch.optim.Adam
        self.players, self.treatment = players, treatment
        self.g_optimizer = adam(players.generator.parameters(), lr=treatment.g_rate, betas=(0.5, 0.999))
        self.d_optimizer = adam(players.discriminator.parameters(), lr=treatment.d_rate, betas=(0.5, 0.999))

    def draw_mixing(self, n: int, generator: torch.Generator) -> list[Float[Tensor, "examples"]]:
        """Return the gradient penalty's t of n points a seed, on the CPU; none where there is no such penalty."""
        return [torch.rand(self.players.seeds * n, generator=generator)] if self.treatment.gp_weight else []

    def discriminator_turn(
        self, real: Float[Tensor, "seeds n 2"], fake: Float[Tensor, "seeds n 2"], *mixing: Float[Tensor, "examples"]
    ) -> Float[Tensor, ""]:
        """Update the discriminators alone; return their mean loss, penalties apart. mixing: from ``draw_mixing``."""
        logits, penalties = self.players.logits, {}
        if weight := self.treatment.r1_weight:
            penalties["r1"] = Penalty(0.5 * weight, lambda real, _: r1_penalty(logits, real))
        if weight := self.treatment.gp_weight:
            penalties["gp"] = Penalty(weight, partial(gradient_penalty, logits, t=mixing[0]))
        real, fake = real.flatten(0, 1), fake.flatten(0, 1)
        seeds = self.players.seeds
        return discriminator_turn(logits, discriminator_loss, real, fake, self.d_optimizer, penalties, seeds).loss

    def generator_turn(self, fake: Float[Tensor, "seeds n 2"]) -> Float[Tensor, ""]:
        """Update the generators alone, through discriminators that stand still; return the mean loss."""
        logits, fake = self.players.logits, fake.flatten(0, 1)
        return generator_turn(logits, nonsaturating_generator_loss, fake, self.g_optimizer, self.players.seeds)


def play(game: Game, draw: Draw, steps: int, generator: torch.Generator, batch: int = 512) -> Iterator[int]:
    """Train with alternating turns, D first, then G on the same fakes; yield the number of steps after each.

    What a step draws, points, noise and t, is drawn on the CPU and goes to the players' device in one copy.
    """
    players = game.players
    for step in range(steps):
        drawn = [
            draw(players.seeds, batch, generator),
            torch.randn(players.seeds, batch, players.latent, generator=generator),
        ]
        std = game.treatment.noise * max(0.0, 1 - step / (0.8 * steps))
        noises = [torch.randn(players.seeds, batch, 2, generator=generator) for _ in range(2 if std else 0)]
        mixing = game.draw_mixing(batch, generator)
        real, z, *rest = to_device(players.device, *drawn, *noises, *mixing)
        fake = players.generator(z)
        if std:
            on_real, on_fake, *rest = rest
            real, fake = real + std * on_real, fake + std * on_fake
        game.discriminator_turn(real, fake, *rest)
        game.generator_turn(fake)
        yield step + 1
