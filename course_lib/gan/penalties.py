"""What keeps a discriminator smooth: gradient penalties and spectral norms."""

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F


def _input_gradient(discriminator: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """Return the gradient of each example's logit by the example, (batch, features), with its graph."""
    x = x.detach().requires_grad_()
    logits = discriminator(x).float()
    (gradient,) = torch.autograd.grad(logits.sum(), x, create_graph=True)  # the graph: it is minimised itself
    return gradient.flatten(1)


def r1_penalty(discriminator: Callable[[Tensor], Tensor], real: Float[Tensor, "batch *shape"]) -> Float[Tensor, ""]:
    """Return E‖∇D(real)‖², the gradient by the image; weigh it with γ/2 (Mescheder et al. 2018, equation 9)."""
    return (_input_gradient(discriminator, real) ** 2).sum(1).mean()


def gradient_penalty(
    discriminator: Callable[[Tensor], Tensor],
    real: Float[Tensor, "batch *shape"],
    fake: Float[Tensor, "batch *shape"],
    t: Float[Tensor, "batch"],
) -> Float[Tensor, ""]:
    """Return E(‖∇D(x̂)‖ − 1)² at x̂ = t · real + (1 − t) · fake; weigh it with gp_weight, 10 in the paper.

    t: uniform between 0 and 1, one an example (Gulrajani et al. 2017, algorithm 1).
    """
    t = t.view(-1, *[1] * (real.ndim - 1))
    mixed = t * real + (1 - t) * fake.detach()
    return ((_input_gradient(discriminator, mixed).norm(dim=1) - 1) ** 2).mean()


def power_iteration(
    weight: Float[Tensor, "rows columns"], u: Float[Tensor, "rows"], steps: int = 1
) -> tuple[Float[Tensor, ""], Float[Tensor, "rows"], Float[Tensor, "columns"]]:
    """Return (sigma, u, v): the largest singular value as uᵀ W v after steps of power iteration, and its vectors.

    u: where to start, not orthogonal to the answer. Miyato et al. 2018, algorithm 1, takes one step for each step of
    training and keeps u. A step shrinks the vectors' error by (σ₂/σ₁)², sigma's, which comes from below, by that
    squared. ValueError for steps below 1.
    """
    if steps < 1:
        raise ValueError(f"steps: expected at least 1, got {steps}")
    with torch.no_grad():
        for _ in range(steps):
            v = F.normalize(weight.T @ u, dim=0)
            u = F.normalize(weight @ v, dim=0)
    return u @ weight @ v, u, v


@torch.no_grad()
def convolution_norm(
    kernel: Float[Tensor, "out in height width"], side: int, stride: int = 1, padding: int = 0, steps: int = 200
) -> Float[Tensor, ""]:
    """Return the largest singular value of a convolution as a linear map of side × side images; a lower bound.

    Power iteration with the convolution and its transpose; 0 for a kernel of zeros. Spectral normalisation takes the
    matrix (out, in · height · width) instead, whose norm is another number (Sedghi, Gupta and Long 2019).
    """
    x = torch.ones(1, kernel.shape[1], side, side, dtype=kernel.dtype, device=kernel.device)
    x = x + 0.1 * torch.arange(x.numel(), dtype=kernel.dtype, device=kernel.device).sin().view_as(x)  # no symmetry
    for _ in range(steps):
        x = x / x.norm().clamp(min=torch.finfo(x.dtype).tiny)  # an image that the kernel makes black stays so
        y = F.conv2d(x, kernel, stride=stride, padding=padding)
        left = side - ((y.shape[-1] - 1) * stride - 2 * padding + kernel.shape[-1])  # pixels that no window ends on
        x = F.conv_transpose2d(y, kernel, stride=stride, padding=padding, output_padding=left)
    return x.norm().sqrt()
