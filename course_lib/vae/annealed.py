"""Annealed importance sampling: ln p(x) of a VAE from below and, for images that it drew itself, from above.

Importance weighting averages the weight w = p(x, z)/q(z|x) over draws from q, and a draw rarely lands where w is
large. Annealing goes there in steps (Neal 2001, *Annealed importance sampling*): with the noise ε ~ N(0, 1) that z is
made from, the densities f_β(ε) = N(ε; 0, 1) · w(ε)^β lead from the draws, β = 0, to the posterior, β = 1, where
∫ f_1 = p(x). One step gives the importance weight. Moves are Hamiltonian Monte Carlo (Neal 2011, *MCMC using
Hamiltonian dynamics*). With w = p(x|z) and z = ε the path leads from the prior in place of q.

Run backward, from an exact draw of the posterior, the same chain bounds ln p(x) from above (Grosse, Ghahramani and
Adams 2015, *Sandwiching the marginal likelihood using bidirectional Monte Carlo*; for decoders Wu et al. 2017, *On the
quantitative analysis of decoder-based generative models*). Such a draw is known where the model itself made the image:
its own z.
"""

import math
from collections.abc import Callable
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

LogWeight = Callable[[Tensor], Tensor]  # ε (chains, batch, latent) → ln w (chains, batch)


class Annealed(NamedTuple):
    """What the chains return: ln of each one's weight, where it ended, and the share of its moves that were accepted.

    log_w, accepted (chains, batch), eps (chains, batch, latent).
    """

    log_w: Tensor
    eps: Tensor
    accepted: Tensor


def sigmoid_betas(steps: int, sharpness: float = 4.0) -> Float[Tensor, "steps_and_1"]:
    """Return β = 0 … 1 in steps steps, small near both ends (Wu et al. 2017, section 4).

    σ at even places from −sharpness to sharpness, shifted and scaled. ValueError for fewer than one step.
    """
    if steps < 1:
        raise ValueError(f"steps: expected at least 1, got {steps}")
    at = torch.linspace(-sharpness, sharpness, steps + 1, dtype=torch.float64).sigmoid()
    return (at - at[0]) / (at[-1] - at[0])


def annealed_weights(
    log_weight: LogWeight,
    start: Float[Tensor, "chains batch latent"],
    betas: Float[Tensor, "steps_and_1"],
    sizes: Float[Tensor, "as_many"],
    generator: torch.Generator,
    leapfrog: int = 5,
    backward: bool = False,
) -> Annealed:
    """Run one chain for each start through all densities f_β; return the logarithms of their weights.

    log_weight: ln w at every ε, as ``VAE.log_weights`` gives it. Forward, start holds draws from N(0, 1), and the mean
    of the weights is p(x) in expectation. Backward, start holds draws from the posterior, for all chains of an image
    the same one or not, and the mean of 1/weight is 1/p(x). sizes: of a leapfrog step, one for each β, fixed
    beforehand: sizes that follow the chain would spoil both. The generator lives on the CPU. ValueError for betas that
    do not rise from 0 to 1.
    """
    if betas[0] != 0 or betas[-1] != 1 or not (betas.diff() > 0).all() or len(betas) != len(sizes):
        raise ValueError("betas, sizes: expected betas that rise from 0 to 1, and as many sizes")
    state = _State.at(log_weight, start)
    log_w = torch.zeros_like(state.log_weight)
    accepted = torch.zeros_like(log_w)
    order = range(1, len(betas))
    for i in reversed(order) if backward else order:
        rise = float(betas[i] - betas[i - 1])
        if backward:  # the forward chain's moves and weights in reverse order
            state, moved = _hamiltonian_move(log_weight, state, float(betas[i]), float(sizes[i]), leapfrog, generator)
            log_w = log_w + rise * state.log_weight
        else:
            log_w = log_w + rise * state.log_weight
            state, moved = _hamiltonian_move(log_weight, state, float(betas[i]), float(sizes[i]), leapfrog, generator)
        accepted += moved / (len(betas) - 1)
    return Annealed(log_w, state.eps, accepted)


def lower_bound(log_w: Float[Tensor, "chains batch"]) -> Float[Tensor, "batch"]:
    """Return ln of the mean weight over forward chains, in expectation at most ln p(x) (Grosse et al. 2015)."""
    return log_w.logsumexp(0) - math.log(len(log_w))


def upper_bound(log_w: Float[Tensor, "chains batch"]) -> Float[Tensor, "batch"]:
    """Return −ln of the mean of 1/weight over backward chains, in expectation at least ln p(x) (Grosse et al. 2015)."""
    return -lower_bound(-log_w)


def tuned_sizes(
    log_weight: LogWeight,
    start: Float[Tensor, "chains batch latent"],
    betas: Float[Tensor, "steps_and_1"],
    generator: torch.Generator,
    leapfrog: int = 5,
    accept: float = 0.65,
    first: float = 0.3,
) -> Float[Tensor, "steps_and_1"]:
    """Return a size of the leapfrog step for each β by a forward chain that follows its acceptance; for other chains.

    The size grows by 5 % where more than the share accept of all moves is taken, else it shrinks by 5 %.
    """
    state, size, sizes = _State.at(log_weight, start), first, []
    for beta in betas:
        sizes.append(size)
        state, moved = _hamiltonian_move(log_weight, state, float(beta), size, leapfrog, generator)
        size *= 1.05 if moved.mean().item() > accept else 1 / 1.05
    return torch.tensor(sizes, dtype=torch.float64)


class _State(NamedTuple):
    """A place with ln w and its gradient: those of ln f_β follow for every β."""

    eps: Tensor
    log_weight: Tensor
    gradient: Tensor

    @classmethod
    def at(cls, log_weight: LogWeight, eps: Tensor) -> "_State":
        with torch.enable_grad():
            eps = eps.detach().requires_grad_(True)
            value = log_weight(eps)
            (gradient,) = torch.autograd.grad(value.sum(), eps)
        return cls(eps.detach(), value.detach(), gradient)

    def log_density(self, beta: float) -> Tensor:
        return beta * self.log_weight - 0.5 * self.eps.square().sum(-1)

    def slope(self, beta: float) -> Tensor:
        return beta * self.gradient - self.eps


def _hamiltonian_move(
    log_weight: LogWeight, state: _State, beta: float, size: float, leapfrog: int, generator: torch.Generator
) -> tuple[_State, Tensor]:
    """Return the next place of each chain and whether it moved: leapfrog steps, then Metropolis' test (Neal 2011)."""
    draw = torch.randn(state.eps.shape, generator=generator, dtype=state.eps.dtype)
    uniform = torch.rand(state.log_weight.shape, generator=generator, dtype=state.log_weight.dtype)
    momentum = begin = draw.to(state.eps.device)
    new = state
    for _ in range(leapfrog):
        momentum = momentum + 0.5 * size * new.slope(beta)
        new = _State.at(log_weight, new.eps + size * momentum)
        momentum = momentum + 0.5 * size * new.slope(beta)
    energy = (begin.square() - momentum.square()).sum(-1) / 2
    gain = new.log_density(beta) - state.log_density(beta) + energy
    moved = uniform.log().to(gain.device) < gain  # False where a step too long gave NaN
    take = moved[..., None]
    return _State(
        torch.where(take, new.eps, state.eps),
        torch.where(moved, new.log_weight, state.log_weight),
        torch.where(take, new.gradient, state.gradient),
    ), moved.to(gain.dtype)
