"""A VAE with many levels, and its bound as a weighted regression on the data (Sohl-Dickstein et al. 2015).

Level i draws x_{t_i} from what is left of the noise at t_{i−1}, with the data replaced by a guess. All is Gaussian, and
the KL of a level depends on the guess's squared error alone, times half of what the signal-to-noise ratio α²/σ² gains
(Kingma et al. 2021, equations 11 to 15).
"""

import itertools
import math

import torch
from jaxtyping import Float
from torch import Tensor

from course_lib.diffusion.paths import Path, convert, noised
from course_lib.diffusion.samplers import Velocity


def level_term(
    squares: Float[Tensor, "*batch"],
    now: tuple[Tensor, Tensor],
    then: tuple[Tensor, Tensor],
) -> Float[Tensor, "*batch"]:
    """Return the KL of one level in nats: ½ (α'²/σ'² − α²/σ²) ‖x − x̂‖².

    squares: ‖x − x̂‖², summed over the numbers of an example; now, then: (α, σ) at both ends, then nearer to the data.
    """
    ratio, ratio_then = ((alpha / sigma) ** 2 for alpha, sigma in (now, then))
    return (ratio_then - ratio) * squares / 2


def many_levels_bound(
    velocity: Velocity,
    x: Float[Tensor, "batch *shape"],
    times: Float[Tensor, "n"],
    path: Path,
    generator: torch.Generator,
) -> Float[Tensor, "batch"]:
    """Return an estimate of the chain's bound on −ln p(x), in nats, with one draw of noise a level.

    times: going up from t ≥ 0, where what is left of the data is coded by N(0, I), to t < 1, where x is drawn from
    N(x_t/α, σ²/α²). velocity: of the guess, at the noisier end of each level. generator: of the CPU. ValueError for
    other times.
    """
    if times.dim() != 1 or len(times) < 2 or times[0] < 0 or times[-1] >= 1 or not (times.diff() > 0).all():
        raise ValueError(f"times: expected numbers going up within 0 ≤ t < 1, got {times.tolist()}")
    total = _first(x, times[0], path) + _last(x, times[-1], path)
    for now, then in itertools.pairwise(times):
        squares = _squares(velocity, x, now, path, generator)
        total = total + level_term(squares, path.at(now)[:2], path.at(then)[:2])
    return total


def level_curve(
    velocity: Velocity, x: Float[Tensor, "batch *shape"], t: Float[Tensor, "n"], path: Path, generator: torch.Generator
) -> Float[Tensor, "n"]:
    """Return ½ SNR ‖x − x̂‖² at each time, in nats, the mean over the examples, with one draw of noise each.

    The bound of infinitely many levels is this curve's area over the logarithm of the signal-to-noise ratio SNR.
    """
    found = []
    for time in t:
        squares = _squares(velocity, x, time, path, generator)
        alpha, sigma, _, _ = path.at(time)
        found.append(((alpha / sigma) ** 2 * squares / 2).mean())
    return torch.stack(found)


@torch.no_grad()
def _squares(velocity: Velocity, x: Tensor, t: Tensor, path: Path, generator: torch.Generator) -> Tensor:
    """Return ‖x − x̂‖² of each example, guessed at one noisy x_t."""
    at = t.expand(len(x))
    eps = torch.randn(x.shape, dtype=x.dtype, generator=generator).to(x.device)
    x_t = noised(x, eps, at, path)
    guess = convert(velocity(x_t, at), x_t, at, path, "velocity", "data")
    return (x - guess).square().flatten(1).sum(1)


def _first(x: Tensor, t: Tensor, path: Path) -> Tensor:
    """Return KL(N(α x, σ²) ‖ N(0, 1)): 0 where α is 0 and σ is 1."""
    alpha, sigma, _, _ = path.at(t)
    d = x[0].numel()
    return (alpha**2 * x.square().flatten(1).sum(1) + d * (sigma**2 - 1 - 2 * sigma.log())) / 2


def _last(x: Tensor, t: Tensor, path: Path) -> Tensor:
    """Return the mean of −ln N(x; x_t/α, σ²/α²) over x_t: ½ ln(2πe σ²/α²) for each number, whatever x is."""
    alpha, sigma, _, _ = path.at(t)
    return x[0].numel() * (math.log(2 * math.pi * math.e) / 2 + (sigma / alpha).log()).expand(len(x))


def bits_per_dimension(log_density: Float[Tensor, "*batch"], dimensions: int, levels: int) -> Float[Tensor, "*batch"]:
    """Return bits a pixel of images of whole levels, from the density of the same images made continuous.

    Level k of 0 … levels − 1, plus a uniform number below 1, is put to 2 (k + u)/levels − 1: cells 2/levels wide, that
    fill −1 … 1. log_density: ln p of one such point, in nats. On average over u this is an upper bound on the bits of
    the image, for p(image) is the integral over the cell (Theis, van den Oord and Bethge 2016, section 3.1).
    """
    nats = -log_density - dimensions * math.log(2 / levels)
    return nats / (dimensions * math.log(2))


def dequantise(
    levels_of: Float[Tensor, "n pixels"], levels: int, generator: torch.Generator
) -> Float[Tensor, "n 1 side side"]:
    """Return square images in −1 … 1: each level plus a uniform number below 1, in cells 2/levels wide."""
    side = math.isqrt(levels_of.shape[1])
    u = torch.rand(levels_of.shape, generator=generator).to(levels_of.device)
    return (2 * (levels_of + u) / levels - 1).view(-1, 1, side, side)


def requantise(images: Float[Tensor, "n 1 side side"], levels: int) -> Tensor:
    """Return the level of the cell that each pixel lies in, as rows of pixels; what lies beyond −1 … 1 has the last."""
    return ((images.flatten(1) + 1) * levels / 2).floor().clamp(0, levels - 1).long()
