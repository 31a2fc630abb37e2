"""What the bound itself asks of the tiny model, found without draws."""

import math

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from course_lib.information.divergences import kl_to_standard_normal
from course_lib.vae.likelihoods import bernoulli_log_likelihood


def maximise_bound(
    images: Float[Tensor, "images pixels"],
    share: Float[Tensor, "images"],
    weight: Float[Tensor, "pixels"],
    bias: Float[Tensor, "pixels"],
    keep_model: bool = False,
) -> tuple[Float[Tensor, "pixels"], Float[Tensor, "pixels"], float]:
    """Return (weight, bias, mean ELBO) where the mean ELBO is largest, beginning at weight and bias, in float64.

    The latent is one number, its decoder's logits are z · weight + bias, and each image has a Gaussian q of its own.
    share: how frequent each image is. keep_model: only the q are fitted. The expectation under q is a sum over 60
    Gauss–Hermite nodes; SciPy is not needed, LBFGS with a line search goes on until no derivative exceeds 1e-9.
    """
    nodes, masses = (torch.from_numpy(each) for each in np.polynomial.hermite_e.hermegauss(60))
    masses = masses / math.sqrt(2 * math.pi)
    model = [weight.double().clone(), bias.double().clone()]
    table = torch.zeros(len(images), 2, dtype=torch.float64, requires_grad=True)  # mu, logvar
    learned = [table] if keep_model else [table, *(part.requires_grad_() for part in model)]

    def bound() -> Tensor:
        mu, logvar = table[:, :1], table[:, 1:]  # (images, 1) each
        z = mu + (logvar / 2).exp() * nodes  # (images, 60)
        recon = bernoulli_log_likelihood(images[:, None].double(), z[..., None] * model[0] + model[1])
        return share.double() @ (recon @ masses - kl_to_standard_normal(mu, logvar))

    climb = torch.optim.LBFGS(
        learned, max_iter=500, tolerance_grad=1e-9, tolerance_change=0, line_search_fn="strong_wolfe"
    )

    def closure() -> Tensor:
        climb.zero_grad()
        loss = -bound()
        loss.backward()
        return loss

    climb.step(closure)
    return model[0].detach(), model[1].detach(), bound().item()
