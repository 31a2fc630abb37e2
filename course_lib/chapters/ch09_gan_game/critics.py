"""Two experiments on discriminators and critics: parallel lines that never touch, and how well W₁ is estimated.

Fedus et al. 2018, *Many paths to equilibrium*; Stanczuk et al. 2021, *Wasserstein GANs work because they fail*. Several
runs train side by side in one tensor (``ring.SeedMLP``) and none sees another.
"""

import itertools
import math
from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from course_lib.gan.losses import OBJECTIVES
from course_lib.gan.penalties import gradient_penalty
from course_lib.gan.ring import SeedMLP

ARMS = ("minimax", "nonsaturating", "wasserstein")  # names in OBJECTIVES


RUNS, BATCH = 5, 64


BETAS = (0.5, 0.9)  # of Adam


def draw_bumps(runs: int, n: int, generator: torch.Generator) -> Float[Tensor, "runs n"]:
    """Return draws from 0.6 N(−1, 0.4²) + 0.4 N(1.2, 0.4²), the data of chapter 09."""
    left = torch.rand(runs, n, generator=generator) < 0.6
    return torch.where(left, -1.0, 1.2) + 0.4 * torch.randn(runs, n, generator=generator)


def parallel_lines(
    d_rate: float, steps: int, g_rate: float = 5e-3, box: float = 0.1, seed: int = 0
) -> tuple[Float[Tensor, "steps arms runs"], Float[Tensor, "steps arms runs n"], Float[Tensor, "steps arms runs n"]]:
    """Return θ before each step, and the logits of 64 real points and of 64 fakes.

    Arjovsky, Chintala and Bottou 2017, example 1: data at (0, y), fakes at (θ, y), y from ``draw_bumps``, θ = 2 at the
    start. Arms: ARMS, one loss each, five runs each, a discriminator with two layers of 32; one update of D, then one
    of θ. box: the Wasserstein arm's weights are clipped to ±box. Rates are Adam's.
    """
    generator, games = torch.Generator().manual_seed(seed), len(ARMS) * RUNS
    critics = SeedMLP([2, 32, 32, 1], games, generator)
    theta = torch.full((games, 1), 2.0, requires_grad=True)
    d_optimizer = torch.optim.Adam(critics.parameters(), d_rate, betas=BETAS)
    g_optimizer = torch.optim.Adam([theta], g_rate, betas=BETAS)

    def points(place: Tensor) -> Tensor:
        heights = draw_bumps(games, BATCH, generator)
        return torch.stack([place.expand_as(heights), heights], -1)  # (games, BATCH, 2)

    def by_arm(at: Tensor) -> Tensor:
        return critics(at).view(len(ARMS), -1)  # Adam does not mind that the runs' losses are averaged

    seen = []
    for _ in range(steps):
        real, fake = points(torch.zeros_like(theta)), points(theta)
        real_logits, fake_logits = by_arm(real), by_arm(fake.detach())
        pairs = zip(ARMS, real_logits, fake_logits, strict=True)
        d_loss = torch.stack([OBJECTIVES[arm].discriminator(r, f) for arm, r, f in pairs]).sum()
        d_optimizer.zero_grad()
        d_loss.backward()
        d_optimizer.step()
        for weight in critics.parameters():
            weight.data[ARMS.index("wasserstein") * RUNS :].clamp_(-box, box)
        seen.append((theta.detach().clone(), real_logits.detach(), fake_logits.detach()))
        g_losses = [OBJECTIVES[arm].generator(f) for arm, f in zip(ARMS, by_arm(fake), strict=True)]
        (theta.grad,) = torch.autograd.grad(torch.stack(g_losses).sum(), theta)
        g_optimizer.step()
    places, real, fake = (torch.stack(part).view(steps, len(ARMS), RUNS, -1) for part in zip(*seen, strict=True))
    return places[..., 0], real, fake


def scaled_gaussians_distance(dim: int, scale: float) -> float:
    """Return W₁ of N(0, I) and N(0, scale² I) in dim dimensions: |scale − 1| E‖x‖, E‖x‖ = √2 Γ((d+1)/2) / Γ(d/2).

    Carrying x to scale · x costs that; the critic −‖x‖, of slope 1, earns it.
    """
    return abs(scale - 1) * math.sqrt(2) * math.exp(math.lgamma((dim + 1) / 2) - math.lgamma(dim / 2))


def critic_estimates(
    marks: Sequence[int],
    dim: int,
    scale: float,
    box: float = math.inf,
    gp_weight: float = 0.0,
    seed: int = 0,
) -> Float[Tensor, "marks runs"]:
    """Return E[f(real)] − E[f(fake)] of five critics on 4,000 fresh points each, after each number of updates in marks.

    real from N(0, I), fake from N(0, scale² I) in dim dimensions, 64 of each an update, two layers of 64. Weights are
    clipped to ±box; gp_weight: of the gradient penalty.
    """
    generator = torch.Generator().manual_seed(seed)
    critics = SeedMLP([dim, 64, 64, 1], RUNS, generator)
    optimizer = torch.optim.Adam(critics.parameters(), 1e-3, betas=BETAS)

    def logits(points: Tensor) -> Tensor:
        return critics(points.view(RUNS, -1, dim)).flatten()

    def pair(n: int) -> tuple[Tensor, Tensor]:
        real, fake = torch.randn(2, RUNS * n, dim, generator=generator)
        return real, scale * fake

    found: list[Tensor] = []
    for step in itertools.count(1):
        real, fake = pair(BATCH)
        loss = OBJECTIVES["wasserstein"].discriminator(logits(real), logits(fake))
        if gp_weight:
            t = torch.rand(len(real), generator=generator)
            loss = loss + gp_weight * gradient_penalty(logits, real, fake, t)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        for weight in critics.parameters():
            weight.data.clamp_(-box, box)
        if step in marks:
            with torch.no_grad():
                real, fake = (logits(points).view(RUNS, -1).mean(1) for points in pair(4000))
            found.append(real - fake)
        if step >= max(marks):
            break
    return torch.stack(found)
