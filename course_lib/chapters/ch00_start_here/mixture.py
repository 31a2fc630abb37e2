"""A mixture of round Gaussians on the plane: the smallest generative model that can take any shape.

Its parameters are three tensors, handed about as ``theta``:

``logits``   (K,)    the softmax of these is the share of each component
``mu``       (K, 2)  the centres
``log_std``  (K,)    log σ, so that any real number is a width
"""

import math

import torch
from jaxtyping import Float
from torch import Tensor

from course_lib.training.transfer import to_device


def mixture_log_density(
    points: Float[Tensor, "n 2"], logits: Float[Tensor, "K"], mu: Float[Tensor, "K 2"], log_std: Float[Tensor, "K"]
) -> Float[Tensor, "n"]:
    """Return log p(x) = log Σ_k w_k N(x; μ_k, σ_k²) for every point, in nats per unit of area.

    The sum is taken by logsumexp: far from every centre the densities themselves are 0 in the computer.
    """
    squares = (points[:, None, :] - mu).square().sum(-1)  # (n, K)
    each = -squares / (2 * torch.exp(2 * log_std)) - 2 * log_std - math.log(2 * math.pi)
    return torch.logsumexp(each + logits.log_softmax(-1), dim=-1)


def mixture_sample(
    n: int,
    logits: Float[Tensor, "K"],
    mu: Float[Tensor, "K 2"],
    log_std: Float[Tensor, "K"],
    generator: torch.Generator,
) -> Float[Tensor, "n 2"]:
    """Draw n points: first a component by its share, then a point around its centre; the generator is a CPU's."""
    k = torch.multinomial(logits.softmax(-1).cpu(), n, replacement=True, generator=generator)
    noise = torch.randn(n, 2, dtype=mu.dtype, generator=generator)
    k, noise = to_device(mu.device, k, noise)
    return mu[k] + log_std[k].exp()[:, None] * noise


def mixture_start(points: Float[Tensor, "n 2"], n_components: int, generator: torch.Generator) -> list[Tensor]:
    """Return the parameters to start from: equal shares, centres on points of the data, σ = 0.3.

    For points whose coordinates are standardised. ValueError for more components than points.
    """
    if not 0 < n_components <= len(points):
        raise ValueError(f"n_components: expected 1 to {len(points)}, the number of points, got {n_components}")
    chosen = torch.randperm(len(points), generator=generator)[:n_components].to(points.device)
    logits = torch.zeros(n_components, dtype=points.dtype, device=points.device)
    return [p.requires_grad_() for p in (logits, points[chosen].clone(), torch.full_like(logits, math.log(0.3)))]
