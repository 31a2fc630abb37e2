"""Power laws: loss = floor + scale · n^(−exponent), fitted to losses at several n, with intervals from the seeds.

n is an amount: of data, of parameters, of steps. Hestness et al. 2017, *Deep learning scaling is predictable,
empirically*, and Kaplan et al. 2020, *Scaling laws for neural language models*, fit the line without a floor;
Hoffmann et al. 2022, *Training compute-optimal large language models*, with one. Everything is in float64 on the
processor. Intervals say what other seeds would give if the form is right; they know nothing of a curve that bends.
"""

import math
from dataclasses import dataclass
from typing import NamedTuple

import torch
from jaxtyping import Float
from scipy import stats
from torch import Tensor

EXPONENTS = (0.01, 4.0)  # between which the exponent is searched
GRID, ZOOMS = 61, 8  # exponents tried at once, and how often the best one's neighbours are divided again


@dataclass(frozen=True)
class PowerLaw:
    """loss = floor + scale · n^(−exponent); one law, or many of the same shape, one a resampling."""

    floor: Float[Tensor, "*laws"]
    scale: Float[Tensor, "*laws"]
    exponent: Float[Tensor, "*laws"]

    def __call__(self, n: Float[Tensor, "sizes"]) -> Float[Tensor, "*laws sizes"]:
        """Return the loss at each n; ValueError for an n that is not above 0."""
        n = _amounts(n, 1)
        return self.floor[..., None] + self.scale[..., None] * n ** -self.exponent[..., None]


class Interval(NamedTuple):
    """What is predicted, and between which two values the asked share of the resamplings lies."""

    middle: float
    low: float
    high: float

    def holds(self, value: float) -> bool:
        """Return whether a value lies in the interval."""
        return self.low <= value <= self.high


def fit_power_law(
    n: Float[Tensor, "sizes"], loss: Float[Tensor, "sizes"], floor: float
) -> tuple[Float[Tensor, ""], Float[Tensor, ""]]:
    """Return (scale, exponent) of loss = floor + scale · n^(−exponent), the floor being given.

    ln(loss − floor) = ln(scale) − exponent · ln(n): the line of least squares through these points. ValueError for
    fewer than two different sizes, sizes that are not above 0, and a loss that is not above the floor.
    """
    n, excess = _amounts(n, 2), loss.double().cpu() - floor
    if not (excess > 0).all():
        raise ValueError(f"floor: expected one below every loss, got {floor:.4g} and a loss of {loss.min().item():.4g}")
    x, y = n.log(), excess.log()
    slope = ((x - x.mean()) * (y - y.mean())).sum() / ((x - x.mean()) ** 2).sum()
    return (y.mean() - slope * x.mean()).exp(), -slope


def fit_with_floor(n: Float[Tensor, "sizes"], loss: Float[Tensor, "*laws points"], floor: bool = True) -> PowerLaw:
    """Return the law with the least sum of squared relative errors, (law(n) / loss − 1)²; no part is below 0.

    For a given exponent the law is linear in floor and scale, so the exponent alone is searched, between 0.01 and 4:
    on a grid, then again and again between the neighbours of the best. floor: False fits without, as if it were 0.
    ValueError for fewer than three different sizes (two without a floor), sizes or losses that are not above 0.
    """
    n = _amounts(n, 3 if floor else 2)
    loss = _losses(n, loss)
    centre = n.log().mean()
    low, high = (torch.full(loss.shape[:-1], math.log(end), dtype=torch.float64) for end in EXPONENTS)
    shares = torch.linspace(0, 1, GRID, dtype=torch.float64)
    for _ in range(ZOOMS):
        grid = low[..., None] + (high - low)[..., None] * shares  # (…, GRID) logarithms of exponents
        u = torch.exp(-grid.exp()[..., None] * (n.log() - centre))  # (…, GRID, sizes): n^(−exponent), rescaled
        best = _linear(u, loss[..., None, :], floor)[2].argmin(-1, keepdim=True)
        step = (high - low) / (GRID - 1)
        middle = grid.gather(-1, best).squeeze(-1)
        low, high = torch.maximum(middle - step, grid[..., 0]), torch.minimum(middle + step, grid[..., -1])
    exponent = middle.exp()
    lowest, scale, _ = _linear(torch.exp(-exponent[..., None] * (n.log() - centre)), loss, floor)
    return PowerLaw(lowest, scale * (exponent * centre).exp(), exponent)


def _linear(u: Tensor, loss: Tensor, floor: bool) -> tuple[Tensor, Tensor, Tensor]:
    """Return floor and scale, neither below 0, of the best floor + scale · u, and its sum of squared errors."""
    one, v = 1 / loss, u / loss  # what floor and scale are multiplied by; the target is 1
    a, b, c = (one * one).sum(-1), (one * v).sum(-1), (v * v).sum(-1)
    p, q = one.sum(-1), v.sum(-1)
    determinant = a * c - b * b
    lowest = (c * p - b * q) / determinant
    lowest = torch.where((determinant > 1e-14 * a * c) & (lowest > 0) & torch.tensor(floor), lowest, 0.0)
    scale = (q - b * lowest) / c
    level = p / a  # a loss that rises with n: no law but a level
    lowest, scale = torch.where(scale < 0, level, lowest), scale.clamp(min=0.0)
    error = ((lowest[..., None] * one + scale[..., None] * v - 1) ** 2).sum(-1)
    return lowest, scale, error


def resampled_means(
    loss: Float[Tensor, "seeds sizes"], draws: int, generator: torch.Generator, share: float = 0.9
) -> Float[Tensor, "draws sizes"]:
    """Return means over as many seeds as there are, drawn with replacement, at each size by itself.

    Deviations from the mean are stretched first, so that of few seeds too, k of them, share of the means' resamplings
    are as wide as Student's interval: by √(k / (k − 1)), since k seeds scatter too little about their own mean (Davison
    and Hinkley 1997, *Bootstrap methods*, section 2.3), and by Student's quantile over the Gaussian's. ValueError for
    fewer than two seeds, no draw, a share outside 0 … 1.
    """
    k, sizes = loss.shape
    if k < 2 or draws < 1:
        raise ValueError(f"loss, draws: expected at least 2 seeds and 1 draw, got {k} and {draws}")
    if not 0 < share < 1:
        raise ValueError(f"share: expected more than 0 and less than 1, got {share}")
    loss = loss.double().cpu()
    student = stats.t.ppf((1 + share) / 2, k - 1) / stats.norm.ppf((1 + share) / 2)
    stretched = loss.mean(0) + (loss - loss.mean(0)) * math.sqrt(k / (k - 1)) * student
    chosen = torch.randint(k, (draws, k, sizes), generator=generator)
    means = stretched.expand(draws, k, sizes).gather(1, chosen).mean(1)
    return means.maximum(0.01 * loss.mean(0))  # a stretch past 0 would leave no loss to fit


def law_intervals(
    n: Float[Tensor, "sizes"],
    loss: Float[Tensor, "seeds sizes"],
    generator: torch.Generator,
    draws: int = 1_000,
    share: float = 0.9,
    floor: bool = True,
) -> dict[str, Interval]:
    """Return floor, scale and exponent of the law of the mean losses, each with its bootstrap interval over the seeds.

    ValueError as for ``fit_with_floor``, ``resampled_means`` and for a share outside 0 … 1.
    """
    law = fit_with_floor(n, loss.double().cpu().mean(0), floor)
    laws = fit_with_floor(n, resampled_means(loss, draws, generator, share), floor)
    names = ("floor", "scale", "exponent")
    return {name: _interval(getattr(law, name), getattr(laws, name), share) for name in names}


def predict(
    n: Float[Tensor, "sizes"],
    loss: Float[Tensor, "seeds sizes"],
    new_n: float,
    generator: torch.Generator,
    draws: int = 1_000,
    share: float = 0.9,
    floor: bool = True,
    new_seeds: int = 0,
) -> Interval:
    """Return the loss that the law predicts at new_n, with its bootstrap interval over the seeds.

    new_seeds: 0 asks for the law itself; k for the mean of k new runs, which scatter about it as the runs at the
    largest size do, in relative terms. ValueError as for ``law_intervals`` and for a new_n that is not above 0.
    """
    at = torch.tensor([float(new_n)], dtype=torch.float64)
    middle = fit_with_floor(n, loss.double().cpu().mean(0), floor)(at)[0]
    values = fit_with_floor(n, resampled_means(loss, draws, generator, share), floor)(at)[:, 0]
    if new_seeds:
        largest = loss.double().cpu()[:, n.argmax()]
        scatter = largest.std() / largest.mean() / math.sqrt(new_seeds)
        degrees = len(largest) - 1
        values = values * (1 + scatter * _student(draws, degrees, generator))
    return _interval(middle, values, share)


def _student(draws: int, degrees: int, generator: torch.Generator) -> Tensor:
    """Return draws from Student's distribution: a Gaussian over the root of a mean of squared ones."""
    gaussian = torch.randn(draws, 1 + degrees, dtype=torch.float64, generator=generator)
    return gaussian[:, 0] / gaussian[:, 1:].square().mean(1).sqrt()


def _interval(middle: Tensor, values: Tensor, share: float) -> Interval:
    ends = torch.tensor([(1 - share) / 2, (1 + share) / 2], dtype=torch.float64)
    low, high = values.quantile(ends).tolist()
    return Interval(middle.item(), low, high)


def _amounts(n: Tensor, at_least: int) -> Tensor:
    """Return n in float64 on the processor; ValueError where it is not above 0 or has too few different values."""
    n = n.double().cpu()
    if not ((n > 0) & n.isfinite()).all():
        raise ValueError(f"n: expected sizes above 0, got {n.tolist()}")
    if len(n.unique()) < at_least:
        raise ValueError(f"n: expected at least {at_least} different sizes, got {n.tolist()}")
    return n


def _losses(n: Tensor, loss: Tensor) -> Tensor:
    """Return losses in float64 on the processor; ValueError where they are not above 0 or not one a size."""
    loss = loss.double().cpu()
    if loss.shape[-1:] != n.shape:
        raise ValueError(f"loss: expected one for each of {len(n)} sizes, got the shape {tuple(loss.shape)}")
    if not ((loss > 0) & loss.isfinite()).all():
        raise ValueError(f"loss: expected numbers above 0, got {loss[~((loss > 0) & loss.isfinite())][0].item()}")
    return loss
