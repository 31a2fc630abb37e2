"""What the latents of a trained VAE hold: active units, the aggregate posterior, and paths between two of them."""

import math

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from course_lib.information.divergences import kl_to_standard_normal
from course_lib.training.precision import exact_products
from course_lib.vae.bounds import log_standard_normal, reparameterize


def active_units(mu: Float[Tensor, "n latent"], threshold: float = 0.01) -> Bool[Tensor, "latent"]:
    """Return for each latent whether the variance of its mean over the examples, with n − 1, exceeds threshold.

    mu: the means of q(z|x). A latent that is not active says the same of every x (Burda et al. 2016, section 5.2).
    ValueError for fewer than two examples.
    """
    if len(mu) < 2:
        raise ValueError(f"mu: expected at least two examples, got {len(mu)}")
    return mu.var(dim=0) > threshold


def aggregate_log_density(
    z: Float[Tensor, "m latent"],
    mu: Float[Tensor, "n latent"],
    logvar: Float[Tensor, "n latent"],
    at_once: int = 500,
) -> Float[Tensor, "m"]:
    """Return ln q(z) of the aggregate posterior (1/n) Σ q(z|x_i), in nats; at_once: rows of z together."""
    precision = (-logvar).exp()
    constant = -0.5 * (logvar + mu**2 * precision + math.log(2 * math.pi)).sum(1) - math.log(len(mu))
    parts = []
    with exact_products():  # ½ (z − μ)²/σ² written out: the products cancel, and in TF32 nothing is left
        for rows in z.split(at_once):
            log_q = rows @ (mu * precision).T - 0.5 * rows**2 @ precision.T + constant  # (rows, n)
            parts.append(log_q.logsumexp(1))
    return torch.cat(parts)


def elbo_surgery(
    mu: Float[Tensor, "n latent"], logvar: Float[Tensor, "n latent"], eps: Float[Tensor, "n latent"]
) -> tuple[Float[Tensor, ""], Float[Tensor, ""], Float[Tensor, ""]]:
    """Return (kl, information, marginal): the mean KL to the prior, and two estimates that sum to about it, in nats.

    information: of z about which of the n examples it came from, E[ln q(z|x) − ln q(z)], never above ln n in
    expectation; marginal: KL(q(z) ‖ p(z)). One draw of z an example, made from eps (Hoffman and Johnson 2016).
    """
    z = reparameterize(mu, logvar, eps)
    log_q = log_standard_normal(eps) - 0.5 * logvar.sum(1)  # of z given its own example
    log_aggregate = aggregate_log_density(z, mu, logvar)
    information = (log_q - log_aggregate).mean()
    return kl_to_standard_normal(mu, logvar).mean(), information, (log_aggregate - log_standard_normal(z)).mean()


def spherical_path(
    start: Float[Tensor, "latent"], end: Float[Tensor, "latent"], t: Float[Tensor, "n"]
) -> Float[Tensor, "n latent"]:
    """Return points on the great circle from start (t = 0) to end (t = 1): their length changes evenly on the way.

    With the angle ω between the two: sin((1 − t)ω)/sin ω · start + sin(tω)/sin ω · end, for directions of length 1,
    times a length between theirs (Shoemake 1985; White 2016). ValueError for a vector of length 0 and for opposite
    directions, between which no path is the shortest.
    """
    lengths = torch.stack([start.norm(), end.norm()])
    if not (lengths > 0).all():
        raise ValueError("start, end: expected vectors of some length, got one of length 0")
    a, b = start / lengths[0], end / lengths[1]
    angle = 2 * torch.atan2((a - b).norm(), (a + b).norm())  # accurate near 0 and near π, unlike acos
    if math.pi - angle.item() < 1e-6:
        raise ValueError("start, end: expected directions that are not opposite")
    t = t[:, None]
    if angle.item() < 1e-6:
        directions = (1 - t) * a + t * b
    else:
        directions = (torch.sin((1 - t) * angle) * a + torch.sin(t * angle) * b) / torch.sin(angle)
    return directions * ((1 - t) * lengths[0] + t * lengths[1])
