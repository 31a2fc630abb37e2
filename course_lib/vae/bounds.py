"""Reparameterisation and the bounds on log p(x)."""

import math

from jaxtyping import Float
from torch import Tensor

from course_lib.information.divergences import kl_to_standard_normal
from course_lib.vae.likelihoods import bernoulli_log_likelihood


def reparameterize(
    mu: Float[Tensor, "*#batch latent"], logvar: Float[Tensor, "*#batch latent"], eps: Float[Tensor, "*#batch latent"]
) -> Float[Tensor, "*_ latent"]:
    """Return z = mu + exp(logvar/2) · eps, a draw from N(mu, exp(logvar)) where eps is one from N(0, 1).

    The gradient reaches mu and logvar, since the chance is all in eps (Kingma and Welling 2014, section 2.4).
    """
    return mu + (0.5 * logvar).exp() * eps


def elbo(
    x: Float[Tensor, "batch pixels"],
    logits: Float[Tensor, "batch pixels"],
    mu: Float[Tensor, "batch latent"],
    logvar: Float[Tensor, "batch latent"],
) -> tuple[Float[Tensor, "batch"], Float[Tensor, "batch"], Float[Tensor, "batch"]]:
    """Return (elbo, recon, kl) of each example in nats: elbo = recon − kl ≤ ln p(x) in expectation.

    recon: ln p(x|z), Bernoulli, at the one z that the logits were decoded from; kl: KL(q(z|x) ‖ p(z)) in closed form
    (Kingma and Welling 2014, equation 10, with one sample).
    """
    recon = bernoulli_log_likelihood(x, logits)
    kl = kl_to_standard_normal(mu, logvar)
    return recon - kl, recon, kl


def importance_weighted_bound(log_w: Float[Tensor, "k *batch"]) -> Float[Tensor, "*batch"]:
    """Return ln (1/k) Σ w over the first axis: a lower bound on ln p(x) in expectation, the tighter the larger k.

    log_w: ln p(x|z) + ln p(z) − ln q(z|x) at k draws from q (Burda et al. 2016, *Importance weighted autoencoders*,
    equation 8). With k = 1 it is an estimate of the ELBO. ValueError for k = 0.
    """
    if len(log_w) == 0:
        raise ValueError("log_w: expected at least one draw on the first axis, got none")
    return log_w.logsumexp(0) - math.log(len(log_w))


def doubly_reparameterized_surrogate(log_w: Float[Tensor, "k *batch"]) -> Float[Tensor, "*batch"]:
    """Return Σ w̄² ln w over the first axis, w̄ = w/Σw taken as constants: its gradient is the bound's for an encoder.

    For log_w in which q's parameters stand detached in ln q and act through the draws z alone, the gradient by these
    parameters has the mean of that of ``importance_weighted_bound``, and its signal-to-noise ratio does not fall like
    1/√k (Tucker et al. 2019, *Doubly reparameterized gradient estimators*, equation 8). With k = 1 it is the path
    derivative (Roeder et al. 2017). The value is no bound, and a decoder's gradient is still that of
    ``importance_weighted_bound``. ValueError for k = 0.
    """
    if len(log_w) == 0:
        raise ValueError("log_w: expected at least one draw on the first axis, got none")
    shares = log_w.softmax(0).detach()
    return (shares**2 * log_w).sum(0)


def log_standard_normal(z: Float[Tensor, "*batch latent"]) -> Float[Tensor, "*batch"]:
    """Return ln N(z; 0, 1), summed over the latents, in nats."""
    return -0.5 * (z**2 + math.log(2 * math.pi)).sum(-1)


def kl_warmup(step: int, steps: int) -> float:
    """Return the weight of the KL at a step, 0, 1, 2 …: in a straight line from 0 to 1 in steps steps, then 1.

    steps = 0 is no warm-up (Bowman et al. 2016; Sønderby et al. 2016). ValueError for negative numbers.
    """
    if step < 0 or steps < 0:
        raise ValueError(f"step, steps: expected none below 0, got {step} and {steps}")
    return min(1.0, step / steps) if steps else 1.0
