"""Mixtures of round Gaussians on their way from noise: everything that a network has to guess is known here.

If x comes from Σ_k w_k N(m_k, s_k² I), then x_t = α x + σ ε comes from Σ_k w_k N(α m_k, (α² s_k² + σ²) I), and given
x_t and the component, x and ε are Gaussian. The best predictions are means of these over the components.
"""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from course_lib.diffusion.paths import Path


@dataclass(frozen=True)
class Mixture:
    """Weights (components,) that sum to one, centres (components, d), widths (components,) above 0, on one device."""

    weights: Float[Tensor, "components"]
    centres: Float[Tensor, "components d"]
    widths: Float[Tensor, "components"]

    def __post_init__(self) -> None:
        if not torch.allclose(self.weights.sum(), torch.ones_like(self.weights[0])) or (self.weights < 0).any():
            raise ValueError(f"weights: expected shares that sum to 1, got {self.weights.tolist()}")
        if not (self.widths > 0).all():
            raise ValueError(f"widths: expected numbers above 0, got {self.widths.tolist()}")

    def sample(self, n: int, generator: torch.Generator) -> Float[Tensor, "n d"]:
        """Return n points; the generator is of the CPU."""
        kinds = torch.multinomial(self.weights.cpu(), n, replacement=True, generator=generator)
        noise = torch.randn(n, self.centres.shape[1], dtype=self.centres.dtype, generator=generator)
        kinds, noise = kinds.to(self.centres.device), noise.to(self.centres.device)
        return self.centres[kinds] + self.widths[kinds, None] * noise


def log_density(
    mixture: Mixture, x_t: Float[Tensor, "batch d"], t: Float[Tensor, "batch"], path: Path
) -> Float[Tensor, "batch"]:
    """Return ln p_t(x_t), in nats."""
    return torch.logsumexp(_joint(mixture, x_t, t, path)[0], dim=1)


def exact(
    mixture: Mixture, x_t: Float[Tensor, "batch d"], t: Float[Tensor, "batch"], path: Path
) -> dict[str, Float[Tensor, "batch d"]]:
    """Return the best prediction of each kind: the means of data and noise given x_t, the score, the velocity.

    Finite at every t in [0, 1]: nothing is divided by α or σ.
    """
    joint, away, variance, c = _joint(mixture, x_t, t, path)
    share = joint.softmax(dim=1)[..., None]  # (batch, components, 1): whose point it is
    pull = away / variance[..., None]  # of each component, (x_t − α m) / (α² s² + σ²)
    data = mixture.centres + c.alpha[..., None] * mixture.widths[:, None] ** 2 * pull
    noise = c.sigma[..., None] * pull
    velocity = c.d_alpha[..., None] * data + c.d_sigma[..., None] * noise
    every = {"data": data, "noise": noise, "score": -pull, "velocity": velocity}
    return {name: (share * of_each).sum(dim=1) for name, of_each in every.items()}


def _joint(mixture: Mixture, x_t: Tensor, t: Tensor, path: Path):
    """Return ln w_k N(x_t; …) (batch, components), x_t − α m_k, the variances, and the coefficients (batch, 1)."""
    c = path.at(t[:, None])
    variance = c.alpha**2 * mixture.widths**2 + c.sigma**2  # (batch, components)
    away = x_t[:, None] - c.alpha[..., None] * mixture.centres  # (batch, components, d)
    d = x_t.shape[1]
    logs = -away.square().sum(-1) / (2 * variance) - d / 2 * (2 * math.pi * variance).log()
    return mixture.weights.log() + logs, away, variance, c
