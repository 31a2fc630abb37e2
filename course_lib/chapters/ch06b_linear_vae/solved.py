"""What is known of a linear VAE without training, and a maximiser that finds it by training."""

from collections.abc import Callable

import torch
from jaxtyping import Float
from scipy.optimize import minimize
from torch import Tensor


def best_linear_encoder(
    W: Float[Tensor, "d latent"], s2: float
) -> tuple[Float[Tensor, "latent d"], Float[Tensor, "latent"]]:
    """Return (V, D): q(z|x) = N(V (x − m), diag D) is the best diagonal Gaussian for p(x|z) = N(W z + m, s2 I).

    The posterior has the precision Λ = I + WᵀW/s2 and the mean Λ⁻¹Wᵀ(x − m)/s2; of the diagonal covariances the KL
    from q to it is least for 1/Λ_jj.
    """
    precision = torch.eye(W.shape[1], dtype=W.dtype, device=W.device) + W.mT @ W / s2
    V = torch.linalg.solve(precision, W.mT / s2)
    return V, 1 / precision.diagonal()


def maximise(objective: Callable[..., Tensor], *start: Tensor) -> tuple[list[Tensor], float]:
    """Return the tensors at which objective(*tensors) is largest, from a start in float64, and the maximum.

    Newton steps within a trusted region, by SciPy, until no derivative exceeds 1e-8.
    """
    sizes = [t.numel() for t in start]

    def parts(v: Tensor) -> list[Tensor]:
        return [part.view_as(t) for part, t in zip(v.split(sizes), start, strict=True)]

    def negative(v: Tensor) -> Tensor:
        return -objective(*parts(v))

    gradient = torch.func.grad(negative)
    hessian = torch.func.jacrev(gradient)
    found = minimize(
        lambda v: negative(torch.from_numpy(v)).numpy(),
        torch.cat([t.flatten() for t in start]).numpy(),
        jac=lambda v: gradient(torch.from_numpy(v)).numpy(),
        hess=lambda v: hessian(torch.from_numpy(v)).numpy(),
        method="trust-exact",
        options={"gtol": 1e-8},
    )
    return parts(torch.from_numpy(found.x)), -float(found.fun)
