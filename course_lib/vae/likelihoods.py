"""Likelihoods of images, log p(x|z) summed over the pixels, in nats."""

import math

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional as F


def bernoulli_log_likelihood(
    x: Float[Tensor, "*#batch pixels"], logits: Float[Tensor, "*#batch pixels"]
) -> Float[Tensor, "*_"]:
    """Return Σ x ln σ(l) + (1 − x) ln(1 − σ(l)) over the pixels, in nats, finite for any finite logits.

    x: 0 or 1. For grey values between them it is the expectation over pixels drawn with those probabilities, which is
    no log density of the grey image (Loaiza-Ganem and Cunningham 2019).
    """
    return (x * logits - F.softplus(logits)).sum(-1)


def categorical_log_likelihood(
    x: Int[Tensor, "*#batch pixels"], logits: Float[Tensor, "*#batch pixels levels"]
) -> Float[Tensor, "*_"]:
    """Return Σ ln softmax(l)[x] over the pixels, in nats; each pixel is one of the levels 0 … levels − 1."""
    log_p = logits.log_softmax(-1)
    x = x.expand(log_p.shape[:-1])
    return log_p.gather(-1, x[..., None]).squeeze(-1).sum(-1)


def gaussian_log_likelihood(
    x: Float[Tensor, "*#batch pixels"], mu: Float[Tensor, "*#batch pixels"], logvar: Float[Tensor, "*#batch pixels"]
) -> Float[Tensor, "*_"]:
    """Return Σ ln N(x; mu, exp(logvar)) over the pixels: a log density in nats, positive where it is narrow."""
    return -0.5 * (math.log(2 * math.pi) + logvar + (x - mu) ** 2 * (-logvar).exp()).sum(-1)


def discretized_logistic_log_likelihood(
    x: Int[Tensor, "*#batch pixels"],
    mu: Float[Tensor, "*#batch pixels"],
    log_scale: Float[Tensor, "*#batch pixels"],
    levels: int = 256,
) -> Float[Tensor, "*_"]:
    """Return Σ ln P(x) over the pixels: the mass that a logistic with mean mu puts between x − ½ and x + ½, in nats.

    x: 0 … levels − 1; the lowest and the highest level take the tails, so the levels' probabilities sum to 1
    (Kingma et al. 2016, *Inverse autoregressive flow*, equation 14; Salimans et al. 2017). mu and the scale are in
    units of a level. With a = (x + ½ − mu)/s above b = (x − ½ − mu)/s the mass is σ(a) − σ(b), which is
    σ(a) σ(−b) (1 − e^(b − a)), so its logarithm needs no difference of nearly equal numbers.
    """
    a, b = ((x + half - mu) * (-log_scale).exp() for half in (0.5, -0.5))
    below, above = F.logsigmoid(a), F.logsigmoid(-b)
    inside = below + above + torch.log(-torch.expm1(-(-log_scale).exp()))
    return torch.where(x == 0, below, torch.where(x == levels - 1, above, inside)).sum(-1)
