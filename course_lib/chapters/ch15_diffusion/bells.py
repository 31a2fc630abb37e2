"""Two bells on a line, the first data of chapter 15, and how their noised numbers are spread."""

import torch
from jaxtyping import Float
from torch import Tensor

from course_lib.diffusion.mixtures import Mixture
from course_lib.diffusion.paths import STRAIGHT, Path

BELLS = Mixture(
    torch.tensor([0.35, 0.65], dtype=torch.float64),
    torch.tensor([[-1.5], [1.0]], dtype=torch.float64),
    torch.tensor([0.3, 0.45], dtype=torch.float64),
)


def share_below(x: Float[Tensor, "n"], t: float, path: Path = STRAIGHT) -> Float[Tensor, "n"]:
    """Return how often x_t is below each number: a sum of two normal distribution functions."""
    c = path.at(torch.tensor(t, dtype=torch.float64))
    width = (c.alpha**2 * BELLS.widths**2 + c.sigma**2).sqrt()  # (2,)
    return torch.special.ndtr((x[:, None] - c.alpha * BELLS.centres[:, 0]) / width) @ BELLS.weights


def farthest(x: Float[Tensor, "n"], t: float, path: Path = STRAIGHT) -> float:
    """Return the largest gap between the shares below the numbers of a sample, as counted and as due (Kolmogorov)."""
    n = len(x)
    due, counted = share_below(x.sort().values, t, path), torch.arange(n + 1, dtype=torch.float64) / n
    return max((counted[1:] - due).max().item(), (due - counted[:-1]).max().item())


def by_chance(n: int) -> float:
    """Return the gap that chance exceeds once in a thousand samples of n (Kolmogorov 1933: 1.95/√n)."""
    return 1.95 / n**0.5
