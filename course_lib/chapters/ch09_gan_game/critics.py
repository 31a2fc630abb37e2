"""Two experiments on discriminators and critics: parallel lines that never touch, and how well W₁ is estimated.

Fedus et al. 2018, *Many paths to equilibrium*; Stanczuk et al. 2021, *Wasserstein GANs work because they fail*. Several
runs train side by side in one tensor (``ring.SeedMLP``) and none sees another.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from functools import partial

import torch
from jaxtyping import Float
from torch import Tensor

from course_lib.gan.losses import OBJECTIVES, wasserstein_critic_loss
from course_lib.gan.penalties import gradient_penalty
from course_lib.gan.ring import SeedMLP
from course_lib.gan.turns import Penalty, discriminator_turn, generator_turn
from course_lib.training.transfer import to_device

ARMS = ("minimax", "nonsaturating", "wasserstein")  # names in OBJECTIVES


RUNS, BATCH = 5, 64


BETAS = (0.5, 0.9)  # of Adam


def draw_bumps(runs: int, n: int, generator: torch.Generator) -> Float[Tensor, "runs n"]:
    """Return draws from 0.6 N(−1, 0.4²) + 0.4 N(1.2, 0.4²), the data of chapter 09."""
    left = torch.rand(runs, n, generator=generator) < 0.6
    return torch.where(left, -1.0, 1.2) + 0.4 * torch.randn(runs, n, generator=generator)


def _by_arm(losses: Sequence[Callable[..., Tensor]], *logits: Tensor) -> Tensor:
    """Return the sum of the arms' losses, each of its own rows of the logits, (arms, runs · n)."""
    return torch.stack([loss(*own) for loss, *own in zip(losses, *logits, strict=True)]).sum()


@torch.no_grad()
def _clip(weights: Iterable[Tensor], box: float) -> None:
    for weight in weights:
        weight.clamp_(-box, box)


def parallel_lines(
    d_rate: float,
    steps: int,
    g_rate: float = 5e-3,
    box: float = 0.1,
    seed: int = 0,
    device: torch.device | str = "cpu",
    g_eps: float = 1e-8,
) -> tuple[Float[Tensor, "steps arms runs"], Float[Tensor, "steps arms runs n"], Float[Tensor, "steps arms runs n"]]:
    """Return θ before each step, and the logits of 64 real points and of 64 fakes, all on the device.

    Arjovsky, Chintala and Bottou 2017, example 1: data at (0, y), fakes at (θ, y), y from ``draw_bumps``, θ = 2 at the
    start. Arms: ARMS, one loss each, five runs each, a discriminator with two layers of 32; one update of D, then one
    of θ. box: the Wasserstein arm's weights are clipped to ±box. Rates are Adam's; g_eps: what θ's Adam adds to a
    gradient's size before it divides by it.
    """
    generator, games = torch.Generator().manual_seed(seed), len(ARMS) * RUNS
    critics = SeedMLP([2, 32, 32, 1], games, generator).to(device)
    theta = torch.full((games, 1), 2.0, device=device, requires_grad=True)
    d_optimizer = torch.optim.Adam(critics.parameters(), d_rate, betas=BETAS)
    g_optimizer = torch.optim.Adam([theta], g_rate, betas=BETAS, eps=g_eps)
    # Adam does not mind that the losses of an arm's runs are averaged
    d_loss = partial(_by_arm, [OBJECTIVES[arm].discriminator for arm in ARMS])
    g_loss = partial(_by_arm, [OBJECTIVES[arm].generator for arm in ARMS])
    clipped = [weight.detach()[ARMS.index("wasserstein") * RUNS :] for weight in critics.parameters()]

    def logits(at: Tensor) -> Tensor:
        return critics(at).view(len(ARMS), -1)

    seen = []
    for _ in range(steps):
        real_y, fake_y = to_device(device, *(draw_bumps(games, BATCH, generator) for _ in range(2)))
        real = torch.stack([torch.zeros_like(real_y), real_y], -1)  # (games, BATCH, 2)
        fake = torch.stack([theta.expand_as(fake_y), fake_y], -1)
        found = discriminator_turn(logits, d_loss, real, fake, d_optimizer)
        _clip(clipped, box)
        seen.append((theta.detach().clone(), found.real_logits, found.fake_logits))
        generator_turn(logits, g_loss, fake, g_optimizer)
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
    scale: float | Callable[[int], float],
    box: float = math.inf,
    gp_weight: float = 0.0,
    seed: int = 0,
    device: torch.device | str = "cpu",
) -> Float[Tensor, "marks runs"]:
    """Return E[f(real)] − E[f(fake)] of five critics on 4,000 fresh points each, after each number of updates in marks.

    real from N(0, I), fake from N(0, scale² I) in dim dimensions, 64 of each an update, two layers of 64. scale: a
    number, or a function of the update (from 1) for fakes that move while the critics train. Weights are clipped to
    ±box; gp_weight: of the gradient penalty. The estimates are on the device.
    """
    generator = torch.Generator().manual_seed(seed)
    critics = SeedMLP([dim, 64, 64, 1], RUNS, generator).to(device)
    optimizer = torch.optim.Adam(critics.parameters(), 1e-3, betas=BETAS)

    def logits(points: Tensor) -> Tensor:
        return critics(points.view(RUNS, -1, dim)).flatten()

    def draw(n: int) -> Tensor:
        return torch.randn(2, RUNS * n, dim, generator=generator)

    found: list[Tensor] = []
    for step in range(1, max(marks) + 1):
        size = scale(step) if callable(scale) else scale
        drawn = [draw(BATCH)]
        if gp_weight:
            drawn.append(torch.rand(RUNS * BATCH, generator=generator))
        (real, fake), *t = to_device(device, *drawn)
        penalties = {"gradient": Penalty(gp_weight, partial(gradient_penalty, logits, t=t[0]))} if gp_weight else {}
        discriminator_turn(logits, wasserstein_critic_loss, real, size * fake, optimizer, penalties)
        _clip(critics.parameters(), box)
        if step in marks:
            ((real, fake),) = to_device(device, draw(4000))
            with torch.no_grad():
                on_real, on_fake = (logits(points).view(RUNS, -1).mean(1) for points in (real, size * fake))
            found.append(on_real - on_fake)
    return torch.stack(found)
