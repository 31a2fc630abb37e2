"""Paths from noise to data: x_t = α(t) x + σ(t) ε, with noise at t = 0 and data at t = 1, in this course throughout.

Papers on diffusion count time the other way, from data at 0 to noise at 1 or at step 1,000 (Ho et al. 2020; Song et al.
2021); those on flow matching as here (Lipman et al. 2023; Liu et al. 2023). On any path the prediction of the data x̂,
of the noise ε̂, the score s = ∇ ln p_t(x_t) and the velocity v = dx_t/dt tell the same: with x_t known, one of them
gives the others (``convert``).
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

PREDICTIONS = ("data", "noise", "score", "velocity")


class Coefficients(NamedTuple):
    """α and σ at some times, and their derivatives by time."""

    alpha: Tensor
    sigma: Tensor
    d_alpha: Tensor
    d_sigma: Tensor


@dataclass(frozen=True)
class Path:
    """A way from noise to data: name, and the function from times t in [0, 1] to its coefficients."""

    name: str
    at: Callable[[Tensor], Coefficients]


def _straight(t: Tensor) -> Coefficients:
    one = torch.ones_like(t)
    return Coefficients(t, 1 - t, one, -one)


def _cosine(t: Tensor) -> Coefficients:
    quarter = math.pi / 2
    alpha, sigma = (quarter * t).sin(), (quarter * t).cos()
    return Coefficients(alpha, sigma, quarter * sigma, -quarter * alpha)


BETAS = (0.1, 20.0)  # rate of the noising at the data and at the noise (Song et al. 2021, appendix C)


def _linear_beta(t: Tensor) -> Coefficients:
    """Noising whose rate β grows linearly from the data on: the continuous form of DDPM's schedule."""
    low, high = BETAS
    s = 1 - t  # time from the data
    alpha = torch.exp(-0.25 * s**2 * (high - low) - 0.5 * s * low)
    sigma = torch.sqrt(-torch.expm1(2 * alpha.log()))
    d_alpha = alpha * (0.5 * s * (high - low) + 0.5 * low)
    return Coefficients(alpha, sigma, d_alpha, -alpha * d_alpha / sigma)


STRAIGHT = Path("straight", _straight)  # α = t, σ = 1 − t (Liu et al. 2023)
COSINE = Path("cosine", _cosine)  # α² + σ² = 1 (Nichol and Dhariwal 2021, without its offset)
LINEAR_BETA = Path("linear beta", _linear_beta)  # α² + σ² = 1; at t = 0 α is 0.0066, not 0
PATHS = {path.name: path for path in (STRAIGHT, COSINE, LINEAR_BETA)}


def noised(
    x: Float[Tensor, "batch *shape"], eps: Float[Tensor, "batch *shape"], t: Float[Tensor, "batch"], path: Path
) -> Float[Tensor, "batch *shape"]:
    """Return x_t = α(t) x + σ(t) ε, each row at its own time."""
    alpha, sigma, _, _ = path.at(_beside(t, x))
    return alpha * x + sigma * eps


def noised_pair(
    x: Float[Tensor, "batch *shape"], eps: Float[Tensor, "batch *shape"], t: Float[Tensor, "batch"], path: Path
) -> tuple[Float[Tensor, "batch *shape"], Float[Tensor, "batch *shape"]]:
    """Return what a network sees and what it is to predict: x_t and dx_t/dt of the path from this noise to this data.

    Lipman et al. 2023, equation 9: x_t = α(t) x + σ(t) ε and α'(t) x + σ'(t) ε, each row at its own time.
    """
    alpha, sigma, d_alpha, d_sigma = path.at(_beside(t, x))
    return alpha * x + sigma * eps, d_alpha * x + d_sigma * eps


def data_and_noise(
    velocity: Float[Tensor, "batch *shape"], x_t: Float[Tensor, "batch *shape"], t: Float[Tensor, "batch"], path: Path
) -> tuple[Float[Tensor, "batch *shape"], Float[Tensor, "batch *shape"]]:
    """Return the guesses (x̂, ε̂) that a velocity at x_t implies: x_t = α x̂ + σ ε̂ and v = α' x̂ + σ' ε̂, solved.

    On straight paths x̂ = x_t + (1 − t) v and ε̂ = x_t − t v. Finite at both ends there and on the cosine's.
    """
    alpha, sigma, d_alpha, d_sigma = path.at(_beside(t, x_t))
    determinant = alpha * d_sigma - sigma * d_alpha  # two equations for two unknowns
    data = (d_sigma * x_t - sigma * velocity) / determinant
    return data, (alpha * velocity - d_alpha * x_t) / determinant


def convert(
    prediction: Float[Tensor, "batch *shape"],
    x_t: Float[Tensor, "batch *shape"],
    t: Float[Tensor, "batch"],
    path: Path,
    given: str,
    wanted: str,
) -> Float[Tensor, "batch *shape"]:
    """Return what a prediction at x_t says in other words; given and wanted are names in PREDICTIONS.

    x_t = α x̂ + σ ε̂, v = α' x̂ + σ' ε̂ and s = −ε̂/σ. Some do not exist at an end: at t = 0, where α = 0, the noise
    says nothing of the data; at t = 1, where σ = 0, the data nothing of the noise, and there is no score. ValueError
    for another name.
    """
    for argument, name in (("given", given), ("wanted", wanted)):
        if name not in PREDICTIONS:
            raise ValueError(f"{argument}: expected one of {', '.join(PREDICTIONS)}, got {name!r}")
    if given == wanted:
        return prediction
    c = path.at(_beside(t, x_t))
    velocity = given == "velocity"
    data, noise = data_and_noise(prediction, x_t, t, path) if velocity else _both(prediction, x_t, c, given)
    if wanted == "data":
        return data
    if wanted == "noise":
        return noise
    return -noise / c.sigma if wanted == "score" else c.d_alpha * data + c.d_sigma * noise


def _both(prediction: Tensor, x_t: Tensor, c: Coefficients, given: str) -> tuple[Tensor, Tensor]:
    """Return (x̂, ε̂) of a prediction of data, noise or score."""
    if given == "data":
        return prediction, (x_t - c.alpha * prediction) / c.sigma
    noise = prediction if given == "noise" else -c.sigma * prediction
    return (x_t - c.sigma * noise) / c.alpha, noise


def _beside(t: Tensor, x: Tensor) -> Tensor:
    """Return times (batch,) with as many axes as x, so that each row meets its own."""
    return t.view(-1, *(1,) * (x.dim() - 1))
