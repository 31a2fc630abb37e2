"""The Dirac-GAN: the smallest game of a generator and a discriminator, its field, its updates and their eigenvalues.

Mescheder, Geiger and Nowozin 2018, *Which training methods for GANs do actually converge?*, section 2. All data lie at
0, all fakes at θ, the discriminator's logit is ψ x. With logits as in ``gan``, high for real, the losses are

    discriminator: ln 2 + softplus(ψ θ) + ½ γ ψ²          generator: softplus(−ψ θ), or −softplus(ψ θ) for minimax

and both players are content at θ = ψ = 0 alone. A rate multiplies the gradient, one for each player.
"""

import torch
from jaxtyping import Complex, Float
from torch import Tensor

SLOPES = {"minimax": 0.5, "nonsaturating": 0.5, "wasserstein": 1.0}  # of the field at the equilibrium


METHODS = ("simultaneous", "alternating", "optimistic")


Pair = tuple[Tensor, Tensor]


def dirac_field(
    theta: Float[Tensor, "*batch"], psi: Float[Tensor, "*batch"], gamma: float = 0.0, loss: str = "nonsaturating"
) -> tuple[Float[Tensor, "*batch"], Float[Tensor, "*batch"]]:
    """Return (−∂ generator's loss/∂θ, −∂ discriminator's loss/∂ψ): where each player is drawn to.

    gamma: weight γ of R1, which is ψ² here: the logit's gradient at the data. loss: a name in SLOPES, else ValueError.
    """
    if loss not in SLOPES:
        raise ValueError(f"loss: expected one of {', '.join(SLOPES)}, got {loss!r}")
    if loss == "wasserstein":
        return psi, -theta - gamma * psi
    belief = torch.sigmoid(psi * theta)  # D of the fake
    pull = belief if loss == "minimax" else 1 - belief
    return psi * pull, -theta * belief - gamma * psi


def dirac_eigenvalues(
    slope: Float[Tensor, "*batch"], gamma: Float[Tensor, "*batch"]
) -> tuple[Float[Tensor, "*batch 2"], Float[Tensor, "*batch 2"]]:
    """Return (real, imaginary) parts of the eigenvalues of [[0, s], [−s, −γ]], the field's Jacobian at the equilibrium.

    λ = −γ/2 ± √(γ²/4 − s²), the + first. Real parts below 0: the pair returns; imaginary parts: it turns, in radians a
    unit of time. slope: s, ½ for the logistic losses, 1 for Wasserstein (Mescheder et al. 2018, lemma 2.3 and 4.1).
    """
    root = torch.sqrt((gamma**2 / 4 - slope**2).to(torch.complex128))
    values = torch.stack([root - gamma / 2, -root - gamma / 2], dim=-1)
    return values.real.to(slope.dtype), values.imag.to(slope.dtype)


def alternating_step(
    theta: Float[Tensor, "*batch"], psi: Float[Tensor, "*batch"], rate_g: float, rate_d: float, gamma: float = 0.0
) -> tuple[Float[Tensor, "*batch"], Float[Tensor, "*batch"]]:
    """Return (theta, psi) after a step of the discriminator and then one of the generator, which sees the new psi.

    Non-saturating losses; ``dirac_path`` has the others.
    """
    psi = psi - rate_d * (theta * torch.sigmoid(psi * theta) + gamma * psi)
    return theta + rate_g * psi * torch.sigmoid(-psi * theta), psi


def dirac_path(
    theta: Float[Tensor, "*batch"],
    psi: Float[Tensor, "*batch"],
    steps: int,
    rate_g: float,
    rate_d: float,
    gamma: float = 0.0,
    method: str = "simultaneous",
    loss: str = "nonsaturating",
) -> Float[Tensor, "time *batch 2"]:
    """Return the pairs (theta, psi) from the start on, steps + 1 of them.

    method: simultaneous, each by its gradient where both stand; alternating, D first; or optimistic, a step along twice
    the field less the field before it (Daskalakis et al. 2018, equation 6). ValueError for another.
    """
    if method not in METHODS:
        raise ValueError(f"method: expected one of {', '.join(METHODS)}, got {method!r}")
    path, before = [torch.stack([theta, psi], dim=-1)], dirac_field(theta, psi, gamma, loss)
    for _ in range(steps):
        g_move, d_move = now = dirac_field(theta, psi, gamma, loss)
        if method == "optimistic":
            g_move, d_move = 2 * now[0] - before[0], 2 * now[1] - before[1]
        psi = psi + rate_d * d_move
        if method == "alternating":
            g_move = dirac_field(theta, psi, gamma, loss)[0]
        theta, before = theta + rate_g * g_move, now
        path.append(torch.stack([theta, psi], dim=-1))
    return torch.stack(path)


def running_mean(path: Float[Tensor, "time *batch 2"]) -> Float[Tensor, "time *batch 2"]:
    """Return the mean of all pairs up to each time: what averaging the iterates gives."""
    count = torch.arange(1, len(path) + 1, dtype=path.dtype, device=path.device).view(-1, *[1] * (path.ndim - 1))
    return path.cumsum(0) / count


def update_matrix(
    method: str, rate_g: float, rate_d: float, gamma: float = 0.0, slope: float = 0.5
) -> Float[Tensor, "n n"]:
    """Return the matrix by which one step multiplies (θ, ψ) near the equilibrium, in float64.

    2 × 2; for the optimistic step 4 × 4, as it takes (θ, ψ) now and before. ValueError for another method.
    """
    if method not in METHODS:
        raise ValueError(f"method: expected one of {', '.join(METHODS)}, got {method!r}")
    one = torch.eye(2, dtype=torch.float64)
    move = torch.tensor([[0.0, rate_g * slope], [-rate_d * slope, -rate_d * gamma]], dtype=torch.float64)
    if method == "simultaneous":
        return one + move
    if method == "alternating":
        g_turn, d_turn = one.clone(), one.clone()
        g_turn[0], d_turn[1] = one[0] + move[0], one[1] + move[1]
        return g_turn @ d_turn
    return torch.cat([torch.cat([one + 2 * move, -move], 1), torch.cat([one, torch.zeros_like(one)], 1)])


def multipliers(
    method: str, rate_g: float, rate_d: float, gamma: float = 0.0, slope: float = 0.5
) -> Complex[Tensor, "n"]:
    """Return the eigenvalues of ``update_matrix``, the largest modulus first: below 1 the pair returns."""
    values = torch.linalg.eigvals(update_matrix(method, rate_g, rate_d, gamma, slope))
    return values[values.abs().argsort(descending=True)]
