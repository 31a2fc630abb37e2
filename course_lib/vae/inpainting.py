"""Filling in the missing pixels of an image with a VAE: importance sampling, and Metropolis within Gibbs.

Wanted is p(missing | observed) by way of p(z | observed) ∝ p(observed | z) p(z). The encoder was trained on whole
images and does not know it: it only proposes, and weights or rejections put its proposals right. observed is boolean,
True where a pixel was seen.
"""

from typing import NamedTuple

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from course_lib.training.transfer import to_device
from course_lib.vae.bounds import log_standard_normal, reparameterize
from course_lib.vae.likelihoods import bernoulli_log_likelihood
from course_lib.vae.models import VAE

ENCODER_EVERY = 10  # steps of the chain, of which one asks the encoder and the others walk


def self_normalized_weights(
    log_w: Float[Tensor, "k *batch"],
) -> tuple[Float[Tensor, "k *batch"], Float[Tensor, "*batch"]]:
    """Return (weights, ess): weights w / Σ w over the first axis, and the effective sample size 1 / Σ weights².

    log_w: ln of unnormalised weights, of any size. ess is k where all are equal and 1 where one has all (Kong 1992).
    ValueError for k = 0.
    """
    if len(log_w) == 0:
        raise ValueError("log_w: expected at least one draw on the first axis, got none")
    weights = log_w.softmax(0)
    return weights, 1 / (weights**2).sum(0)


def _check(x: Tensor, observed: Tensor, **draws: int) -> None:
    for name, number in draws.items():
        if number < 1:
            raise ValueError(f"{name}: expected at least 1, got {number}")
    if not ((x == 0) | (x == 1) | ~observed).all():
        raise ValueError("x: expected observed pixels that are 0 or 1, got others")


def _fill(model: VAE, x: Tensor, observed: Tensor) -> Tensor:
    """Return x with the mean image where nothing was observed: what the encoder is shown first."""
    return torch.where(observed, x, model.mean.to(x))


def _log_seen(x: Tensor, observed: Tensor, logits: Tensor) -> Tensor:
    """Return ln p(observed|z) of each image, but for a constant, which the missing pixels add."""
    return bernoulli_log_likelihood(torch.where(observed, x, 0.5), torch.where(observed, logits, 0.0))


@torch.no_grad()
def importance_inpaint(
    model: VAE,
    x: Float[Tensor, "n pixels"],
    observed: Bool[Tensor, "n pixels"],
    k: int,
    generator: torch.Generator,
) -> tuple[Float[Tensor, "n pixels"], Float[Tensor, "n"]]:
    """Return (means, ess): E[x | observed] of each pixel, and the effective sample size of the k draws behind it.

    Draws come from the encoder, shown the mean image where pixels are missing; each weighs p(observed|z) p(z) / q(z).
    Consistent in k, but of use only where ess is well above 1. ValueError for k below 1 and observed greys.
    """
    _check(x, observed, k=k)
    mu, logvar = model.encode(_fill(model, x, observed))
    (eps,) = to_device(mu.device, torch.randn(k, *mu.shape, generator=generator, dtype=mu.dtype))
    z = reparameterize(mu, logvar, eps)  # (k, n, latent)
    logits = model.decode(z)
    seen = _log_seen(x, observed, logits)
    log_q = log_standard_normal(eps) - 0.5 * logvar.sum(-1)
    weights, ess = self_normalized_weights(seen + log_standard_normal(z) - log_q)
    return torch.where(observed, x, (weights[..., None] * logits.sigmoid()).sum(0)), ess


class _Proposal(NamedTuple):
    """A new z, the logits that it decodes to, and the logarithm of the ratio by which it is taken."""

    z: Tensor
    logits: Tensor
    gain: Tensor


class _Chain:
    """Where the Markov chains of n images stand: z, the logits that it decodes to, the image with its pixels drawn."""

    def __init__(self, model: VAE, x: Tensor, observed: Tensor, generator: torch.Generator) -> None:
        self.model, self.x, self.observed, self.generator = model, x, observed, generator
        mu, logvar = model.encode(_fill(model, x, observed))
        (noise,) = to_device(x.device, torch.randn(mu.shape, generator=generator, dtype=mu.dtype))
        self.z = reparameterize(mu, logvar, noise)
        self.logits = model.decode(self.z)
        (uniform,) = to_device(x.device, self._uniform())
        self.redraw(uniform)

    def _uniform(self) -> Tensor:
        return torch.rand(self.logits.shape, generator=self.generator, dtype=self.logits.dtype)

    def draw(self) -> tuple[Tensor, ...]:
        """Return what a step needs, in one copy: noise for z, a number for each decision, one for each pixel."""
        noise = torch.randn(self.z.shape, generator=self.generator, dtype=self.z.dtype)
        decisions = torch.rand(len(self.z), generator=self.generator)
        return to_device(self.x.device, noise, decisions, self._uniform())

    def ask_encoder(self, noise: Tensor) -> _Proposal:
        """Propose z from q(z|x), the missing pixels as they stand."""
        mu, logvar = self.model.encode(self.image)
        z = reparameterize(mu, logvar, noise)
        logits = self.model.decode(z)

        def log_weight(z: Tensor, logits: Tensor) -> Tensor:
            log_q = log_standard_normal((z - mu) * (-0.5 * logvar).exp()) - 0.5 * logvar.sum(-1)
            return bernoulli_log_likelihood(self.image, logits) + log_standard_normal(z) - log_q

        return _Proposal(z, logits, log_weight(z, logits) - log_weight(self.z, self.logits))

    def walk(self, move: Tensor) -> _Proposal:
        """Propose z a move away, which does not ask what the missing pixels are."""
        z = self.z + move
        logits = self.model.decode(z)
        old, new = (
            _log_seen(self.x, self.observed, there) + log_standard_normal(at)
            for at, there in ((self.z, self.logits), (z, logits))
        )
        return _Proposal(z, logits, new - old)

    def accept(self, proposal: _Proposal, taken: Bool[Tensor, "n"]) -> None:
        """Go to the proposal where it is taken."""
        self.z = torch.where(taken[:, None], proposal.z, self.z)
        self.logits = torch.where(taken[:, None], proposal.logits, self.logits)

    def redraw(self, uniform: Tensor) -> None:
        """Draw the missing pixels anew from p(x|z)."""
        self.image = torch.where(self.observed, self.x, (uniform < self.logits.sigmoid()).to(self.x))


@torch.no_grad()
def gibbs_inpaint(
    model: VAE,
    x: Float[Tensor, "n pixels"],
    observed: Bool[Tensor, "n pixels"],
    steps: int,
    generator: torch.Generator,
    burn_in: int = 30,
    correct: bool = True,
    walk: float = 0.2,
) -> tuple[Float[Tensor, "n pixels"], Float[Tensor, "n"], Float[Tensor, "n pixels"]]:
    """Return (means, accepted, last): E[x | observed] over steps after burn_in others, the share taken, the last image.

    Each step changes z by a Metropolis rule and draws the missing pixels anew from p(x|z). Every tenth proposes z from
    q(z|x), the missing pixels as they stand, and takes it with probability min(1, p(x, z') q(z|x) / (p(x, z) q(z'|x)))
    (Mattei and Frellsen 2018, algorithm 1). The others add walk · N(0, 1) to z, and take it with the ratio of
    p(observed|z) p(z), for the encoder alone often sticks. In the burn-in, and throughout with correct False, each step
    takes the encoder's proposal: fast, but right only if q is the posterior (Rezende et al. 2014). ValueError for steps
    below 1 and observed greys.
    """
    _check(x, observed, steps=steps)
    chain = _Chain(model, x, observed, generator)
    total, taken = torch.zeros_like(chain.logits), torch.zeros(len(x), device=x.device)
    for step in range(burn_in + steps):
        forced = step < burn_in or not correct
        noise, decisions, uniform = chain.draw()
        proposal = chain.ask_encoder(noise) if forced or step % ENCODER_EVERY == 0 else chain.walk(walk * noise)
        take = (decisions.log() < proposal.gain.float()) | forced
        chain.accept(proposal, take)
        chain.redraw(uniform)
        if step >= burn_in:
            total += chain.logits.sigmoid()
            taken += take
    return torch.where(observed, x, total / steps), taken / steps, chain.image
