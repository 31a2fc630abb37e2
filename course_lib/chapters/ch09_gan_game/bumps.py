"""The data of chapters 09 and 09b, two bumps on a line, and the game on them with a perfect discriminator."""

import math
from collections.abc import Iterator

import torch
from jaxtyping import Float
from torch import Tensor


def bell(x: Float[Tensor, "n"], mean: Float[Tensor, "*b"] | float, std: Float[Tensor, "*b"] | float) -> Tensor:
    """Return the density of N(mean, std²) at x."""
    return torch.exp(-(((x - mean) / std) ** 2) / 2) / (std * math.sqrt(2 * math.pi))


def two_bumps(x: Float[Tensor, "n"]) -> Float[Tensor, "n"]:
    """Return the density of 0.6 N(−1, 0.4²) + 0.4 N(1.2, 0.4²) at x."""
    return 0.6 * bell(x, -1.0, 0.4) + 0.4 * bell(x, 1.2, 0.4)


def draw_bumps(runs: int, n: int, rng: torch.Generator) -> Float[Tensor, "runs n"]:
    """Return draws from ``two_bumps``, on the CPU."""
    left = torch.rand(runs, n, generator=rng) < 0.6
    return torch.where(left, -1.0, 1.2) + 0.4 * torch.randn(runs, n, generator=rng)


def play_perfectly(
    x: Float[Tensor, "n"], steps: int = 300, rate: float = 0.03
) -> Iterator[tuple[Float[Tensor, "n"], Float[Tensor, "n"], float]]:
    """Yield (q, D, value) before each step of a generator that trains against the best discriminator of the moment.

    q: its density on the grid x, evenly spaced, a mixture of two bells whose share, means and ln σ it learns by the
    minimax loss; value: of the game, in nats.
    """
    p, dx = two_bumps(x), float(x[1] - x[0])
    start = (0.0, [-0.3, 0.8], [0.0, 0.0])  # logit of the share, means, ln σ
    share, mean, log_std = (torch.tensor(v, dtype=x.dtype, requires_grad=True) for v in start)
    optimizer = torch.optim.Adam([share, mean, log_std], lr=rate)
    for _ in range(steps):
        w, (left, right) = share.sigmoid(), bell(x, mean[:, None], log_std.exp()[:, None])
        q = w * left + (1 - w) * right
        d, not_d = (p / (p + q)).detach(), (q / (p + q)).detach()  # 1 − d would lose digits
        loss = (q * not_d.log()).sum() * dx
        yield q.detach(), d, ((p * d.log()).sum() * dx + loss).item()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
