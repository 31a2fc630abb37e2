"""Taking noise out of grey images: the best linear filter, and a VAE whose latents explain what was seen.

Noise is Gaussian and white: noisy = x + std · n. Both filters are Bayesian. The linear one believes that images are
Gaussian (Wiener 1949); the VAE that an image is its decoder's mean at some z, plus a residual of known variance.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from course_lib.vae.models import VAE


def psnr(x: Float[Tensor, "n pixels"], x_hat: Float[Tensor, "n pixels"]) -> Float[Tensor, "n"]:
    """Return the peak signal-to-noise ratio of each image in decibels, −10 log₁₀ of the mean squared error.

    The peak is 1. Infinite where the two are equal.
    """
    return -10 * ((x - x_hat) ** 2).mean(-1).log10()


def _check(std: float) -> None:
    if not std > 0:
        raise ValueError(f"std: expected a standard deviation above 0, got {std}")


@dataclass(frozen=True)
class WienerFilter:
    """The Gaussian of the images: mean (d,), and the covariance's variances λ (d,) along directions (d, d), columns."""

    mean: Float[Tensor, "d"]
    variances: Float[Tensor, "d"]
    directions: Float[Tensor, "d d"]

    def denoise(self, noisy: Float[Tensor, "n d"], std: float) -> Float[Tensor, "n d"]:
        """Return E[x | noisy]: along each direction the deviation from the mean shrinks by λ / (λ + std²).

        No linear filter has a smaller mean squared error. ValueError for a std that is not above 0.
        """
        _check(std)
        shrink = self.variances / (self.variances + std**2)
        return self.mean + (noisy - self.mean) @ self.directions * shrink @ self.directions.T


def fit_wiener(images: Float[Tensor, "n d"]) -> WienerFilter:
    """Return the filter with these images' mean and covariance, where and in the precision that they are.

    PCA with all its directions, found in float64 on the CPU: with fewer images than pixels most variances are 0, and
    float32 may not tell their directions apart. ValueError for no images.
    """
    if not len(images):
        raise ValueError("images: expected at least one, got none")
    wide = images.cpu().double()
    centred = wide - wide.mean(0)
    variances, directions = torch.linalg.eigh(centred.T @ centred / len(wide))
    parts = (wide.mean(0), variances.clamp(min=0), directions)
    return WienerFilter(*(part.to(images.dtype).to(images.device) for part in parts))


@torch.no_grad()
def residual_variance(model: VAE, images: Float[Tensor, "n pixels"]) -> Float[Tensor, "pixels"]:
    """Return of each pixel the mean squared difference between grey images and the decoder's mean at their own mu."""
    return ((images - model.means(model.encode(images)[0])) ** 2).mean(0)


def vae_denoise(
    model: VAE,
    noisy: Float[Tensor, "n pixels"],
    std: float,
    residual: Float[Tensor, "pixels"],
    steps: int = 100,
    rate: float = 0.1,
) -> Float[Tensor, "n pixels"]:
    """Return E[x | noisy, z] at the z that explains each image best, found by steps of Adam from z = 0.

    Given z a pixel is N(m(z), residual) with the decoder's mean m, hence seen as N(m(z), residual + std²); z maximises
    the density of that times the prior's. From m the estimate moves towards noisy by residual / (residual + std²).
    The network may have been trained with a Bernoulli likelihood: only its mean is used. The model's weights gather no
    gradient. ValueError for a std that is not above 0.
    """
    _check(std)
    variance = residual + std**2
    z = torch.zeros(len(noisy), model.latent_dim, dtype=noisy.dtype, device=noisy.device, requires_grad=True)
    optimizer = torch.optim.Adam([z], lr=rate)
    for step in range(steps):
        optimizer.param_groups[0]["lr"] = rate * (1 - step / steps)
        loss = 0.5 * ((noisy - model.means(z)) ** 2 / variance).sum() + 0.5 * (z**2).sum()
        (z.grad,) = torch.autograd.grad(loss, z)
        optimizer.step()
    with torch.no_grad():
        mean = model.means(z)
    return mean + residual / variance * (noisy - mean)
