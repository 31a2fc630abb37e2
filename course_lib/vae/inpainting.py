"""Filling in the missing pixels of an image with a VAE: importance sampling, and Metropolis within Gibbs.

Wanted is p(missing | observed) by way of p(z | observed) ∝ p(observed | z) p(z). The encoder was trained on whole
images and does not know it: it only proposes, and weights or rejections put its proposals right. observed is boolean,
True where a pixel was seen.
"""

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from course_lib.vae.bounds import log_standard_normal, reparameterize
from course_lib.vae.likelihoods import bernoulli_log_likelihood
from course_lib.vae.models import VAE


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


def _check(model: VAE, x: Tensor, observed: Tensor, draws: int) -> None:
    if draws < 1:
        raise ValueError(f"k, steps: expected at least 1, got {draws}")
    if not ((x == 0) | (x == 1) | ~observed).all():
        raise ValueError("x: expected observed pixels that are 0 or 1, got others")


def _fill(model: VAE, x: Tensor, observed: Tensor) -> Tensor:
    """Return x with the mean image where nothing was observed: what the encoder is shown first."""
    return torch.where(observed, x, model.mean.to(x))


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
    _check(model, x, observed, k)
    mu, logvar = model.encode(_fill(model, x, observed))
    eps = torch.randn(k, *mu.shape, generator=generator, dtype=mu.dtype)
    z = reparameterize(mu, logvar, eps)  # (k, n, latent)
    logits = model.decode(z)
    seen = bernoulli_log_likelihood(
        torch.where(observed, x, 0.5), torch.where(observed, logits, 0.0)
    )  # others: constant
    log_q = log_standard_normal(eps) - 0.5 * logvar.sum(-1)
    weights, ess = self_normalized_weights(seen + log_standard_normal(z) - log_q)
    return torch.where(observed, x, (weights[..., None] * logits.sigmoid()).sum(0)), ess


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
    _check(model, x, observed, steps)
    blank = torch.where(observed, x, 0.5)

    def random_normal(like: Tensor) -> Tensor:
        return torch.randn(like.shape, generator=generator, dtype=like.dtype)

    def log_weight(z: Tensor, logits: Tensor, mu: Tensor, logvar: Tensor, image: Tensor) -> Tensor:
        log_q = log_standard_normal((z - mu) * (-0.5 * logvar).exp()) - 0.5 * logvar.sum(-1)
        return bernoulli_log_likelihood(image, logits) + log_standard_normal(z) - log_q

    def log_seen(z: Tensor, logits: Tensor) -> Tensor:
        return bernoulli_log_likelihood(blank, torch.where(observed, logits, 0.0)) + log_standard_normal(z)

    def redraw(logits: Tensor) -> Tensor:
        draws = torch.rand(logits.shape, generator=generator, dtype=logits.dtype) < logits.sigmoid()
        return torch.where(observed, x, draws.to(x))

    mu, logvar = model.encode(_fill(model, x, observed))
    z = reparameterize(mu, logvar, random_normal(mu))
    logits = model.decode(z)
    image = redraw(logits)
    total, taken = torch.zeros_like(logits), torch.zeros(len(x))
    for step in range(burn_in + steps):
        forced = step < burn_in or not correct
        if forced or step % 10 == 0:
            mu, logvar = model.encode(image)
            new = reparameterize(mu, logvar, random_normal(mu))
            new_logits = model.decode(new)
            gain = log_weight(new, new_logits, mu, logvar, image) - log_weight(z, logits, mu, logvar, image)
        else:
            new = z + walk * random_normal(z)
            new_logits = model.decode(new)
            gain = log_seen(new, new_logits) - log_seen(z, logits)
        take = (torch.rand(len(x), generator=generator).log() < gain.float()) | forced
        z, logits = torch.where(take[:, None], new, z), torch.where(take[:, None], new_logits, logits)
        image = redraw(logits)
        if step >= burn_in:
            total += logits.sigmoid()
            taken += take
    return torch.where(observed, x, total / steps), taken / steps, image
