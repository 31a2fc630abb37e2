"""The variational autoencoder: likelihoods, reparameterisation, bounds on log p(x), and the models.

Kingma and Welling 2014, *Auto-encoding variational Bayes*; Rezende, Mohamed and Wierstra 2014, *Stochastic
backpropagation*. The encoder gives q(z|x) = N(mu, diag(exp(logvar))), the prior is p(z) = N(0, 1), the decoder gives
the parameters of p(x|z). Everything is in nats and one number an example: sums over pixels and latents, no means.
"""

from typing import Any, Protocol, runtime_checkable

import torch
from jaxtyping import Float, Int, Shaped
from torch import Tensor, nn
from torch.nn import functional as F

from course_lib.training.linear import Linear
from course_lib.training.transfer import to_device
from course_lib.vae.bounds import elbo, importance_weighted_bound, log_standard_normal, reparameterize
from course_lib.vae.likelihoods import bernoulli_log_likelihood

SIDE = 28


PIXELS = SIDE * SIDE


def check_images(x: Tensor, name: str = "x") -> None:
    """Raise a ValueError or TypeError for what is no non-empty batch of images (…, 784) with pixels in [0, 1].

    name: of the argument, for the message.
    """
    check_kind(x, name)
    low, high = x.aminmax()
    if not (low >= 0 and high <= 1):
        raise ValueError(f"{name}: expected pixels in [0, 1], got {low.item():.4g} to {high.item():.4g}")


def check_kind(x: Tensor, name: str = "x") -> None:
    """Raise as ``check_images`` does for what can be told without a look at the values: the type and the shape."""
    if not x.is_floating_point():
        says = f"got {x.dtype}; divide bytes by 255"
        raise TypeError(f"{name}: expected pixels as floating-point numbers in [0, 1], {says}")
    if x.ndim < 2 or x.shape[-1] != PIXELS:
        raise ValueError(f"{name}: expected images of shape (batch, {PIXELS}), got {tuple(x.shape)}")
    if x.numel() == 0:
        raise ValueError(f"{name}: expected at least one image, got an empty batch {tuple(x.shape)}")


class VAE(nn.Module):
    """An encoder (batch, 784) → (batch, 2 · latent), a decoder (n, latent) → (n, 784) logits, and the bounds.

    The first half of what the encoder returns is mu, the second logvar. Pixels are Bernoulli given z.
    mean: of the training images, where given: the encoder then sees x − mean, and the decoder's logits are added to
    the mean's own, so that an untrained model is about as good as independent pixels. n_classes: where given, both
    networks take n_classes more numbers, a one at the class of the image, and all is conditioned on it (Sohn, Lee and
    Yan 2015).
    """

    def __init__(
        self,
        encoder: nn.Module,
        decoder: nn.Module,
        latent_dim: int,
        mean: Float[Tensor, "pixels"] | None = None,
        n_classes: int = 0,
    ) -> None:
        super().__init__()
        self.encoder, self.decoder, self.latent_dim, self.n_classes = encoder, decoder, latent_dim, n_classes
        mean = torch.full((PIXELS,), 0.5) if mean is None else mean.clamp(1e-3, 1 - 1e-3)
        weight = next(encoder.parameters(), mean)
        self.register_buffer("mean", mean.to(weight.device))  # with the networks, wherever the images were

    mean: Tensor

    def check(self, x: Tensor) -> None:
        """Raise a ValueError or TypeError for what are no images, their values included: a GPU waits for it."""
        check_images(x)

    def encode(
        self, x: Float[Tensor, "batch pixels"], labels: Int[Tensor, "batch"] | None = None
    ) -> tuple[Float[Tensor, "batch latent"], Float[Tensor, "batch latent"]]:
        """Return mu and logvar of q(z|x), in float32 or wider; ValueError or TypeError for what are no images.

        On a GPU the pixels themselves are not looked at, for which each step of training would wait there:
        ``draw_binary`` and ``log_likelihood`` do that, once.
        """
        check = self.check if x.device.type == "cpu" else check_kind
        check(x)
        mu, logvar = self.encoder(self._with_class(x - self.mean, labels)).chunk(2, dim=-1)
        return (mu.float(), logvar.float()) if mu.dtype == torch.bfloat16 else (mu, logvar)

    def decode(
        self, z: Float[Tensor, "*batch latent"], labels: Int[Tensor, "batch"] | None = None
    ) -> Float[Tensor, "*batch pixels"]:
        """Return the logits of the pixels given z, with any number of leading axes; labels are those of the last."""
        logits = self.decoder(self._with_class(z, labels).flatten(0, -2)).view(*z.shape[:-1], PIXELS)
        return (logits.float() if logits.dtype == torch.bfloat16 else logits) + self.mean.logit()

    def logits_given(
        self,
        x: Float[Tensor, "batch pixels"],
        z: Float[Tensor, "*k batch latent"],
        labels: Int[Tensor, "batch"] | None = None,
    ) -> Float[Tensor, "*k batch pixels"]:
        """Return the logits by which the bounds judge x: here those of z alone, pixels being independent given it."""
        return self.decode(z, labels)

    def elbo(
        self,
        x: Float[Tensor, "batch pixels"],
        eps: Float[Tensor, "batch latent"],
        labels: Int[Tensor, "batch"] | None = None,
    ) -> tuple[Float[Tensor, "batch"], Float[Tensor, "batch"], Float[Tensor, "batch"]]:
        """Return (elbo, recon, kl) of each image, in nats, with one draw of z made from eps."""
        mu, logvar = self.encode(x, labels)
        return elbo(x, self.logits_given(x, reparameterize(mu, logvar, eps), labels), mu, logvar)

    def log_weights(
        self,
        x: Float[Tensor, "batch pixels"],
        eps: Float[Tensor, "k batch latent"],
        labels: Int[Tensor, "batch"] | None = None,
    ) -> Float[Tensor, "k batch"]:
        """Return ln p(x|z) + ln p(z) − ln q(z|x) at k draws of z an image, made from eps."""
        mu, logvar = self.encode(x, labels)
        z = reparameterize(mu, logvar, eps)  # (k, B, latent)
        log_q = log_standard_normal(eps) - 0.5 * logvar.sum(-1)
        return bernoulli_log_likelihood(x, self.logits_given(x, z, labels)) + log_standard_normal(z) - log_q

    def means(
        self, z: Float[Tensor, "*batch latent"], labels: Int[Tensor, "batch"] | None = None
    ) -> Float[Tensor, "*batch pixels"]:
        """Return the probability of a one at each pixel: the mean of p(x|z), not a draw from it."""
        return self.decode(z, labels).sigmoid()

    def _with_class(self, x: Tensor, labels: Tensor | None) -> Tensor:
        """Return x (…, batch, n) with its classes as n_classes more numbers, a one and zeros; x where there are none.

        ValueError where there are classes and no labels, or labels and no classes.
        """
        if (labels is None) == bool(self.n_classes):
            wanted = f"one class of {self.n_classes} an example" if self.n_classes else "none for a VAE without classes"
            raise ValueError(f"labels: expected {wanted}, got {'none' if labels is None else tuple(labels.shape)}")
        if labels is None:
            return x
        one_hot = F.one_hot(labels, self.n_classes).to(x.dtype)
        return torch.cat([x, one_hot.expand(*x.shape[:-1], -1)], dim=-1)


def transposed_size(size: int, kernel: int, stride: int = 1, padding: int = 0) -> int:
    """Return the pixels a side that a transposed convolution makes of size: stride · (size − 1) + kernel − 2 · padding.

    Each input pixel paints kernel pixels, the next one stride pixels on; padding of them are cut off at each border
    (Dumoulin and Visin 2016, relationship 13). ValueError where nothing is left.
    """
    result = stride * (size - 1) + kernel - 2 * padding
    if min(size, kernel, stride, result) < 1 or padding < 0:
        given = f"size {size}, kernel {kernel}, stride {stride}, padding {padding}"
        raise ValueError(f"size, kernel, stride, padding: expected sizes that leave at least one pixel, got {given}")
    return result


def fully_connected_vae(
    latent_dim: int = 50,
    hidden: int = 500,
    layers: int = 2,
    mean: Float[Tensor, "pixels"] | None = None,
    n_classes: int = 0,
) -> VAE:
    """Return a VAE whose encoder and decoder have layers hidden layers of hidden units each; others as for VAE."""

    def body(inputs: int, outputs: int) -> nn.Sequential:
        sizes = [inputs, *[hidden] * layers]
        parts: list[nn.Module] = []
        for i in range(layers):
            parts += [Linear(sizes[i], sizes[i + 1]), nn.SiLU()]
        return nn.Sequential(*parts, Linear(hidden, outputs))

    encoder, decoder = body(PIXELS + n_classes, 2 * latent_dim), body(latent_dim + n_classes, PIXELS)
    return VAE(encoder, decoder, latent_dim, mean, n_classes)


def convolutional_vae(
    latent_dim: int = 50, channels: int = 32, hidden: int = 256, mean: Float[Tensor, "pixels"] | None = None
) -> VAE:
    """Return a VAE of strided convolutions 28 → 14 → 7 and their transposes 7 → 14 → 28; mean as for ``VAE``."""
    wide = 2 * channels
    encoder = nn.Sequential(
        nn.Unflatten(-1, (1, SIDE, SIDE)),
        nn.Conv2d(1, channels, 4, stride=2, padding=1),
        nn.SiLU(),
        nn.Conv2d(channels, wide, 4, stride=2, padding=1),
        nn.SiLU(),
        nn.Flatten(),
        nn.Linear(wide * 49, hidden),
        nn.SiLU(),
        nn.Linear(hidden, 2 * latent_dim),
    )
    decoder = nn.Sequential(
        nn.Linear(latent_dim, hidden),
        nn.SiLU(),
        nn.Linear(hidden, wide * 49),
        nn.SiLU(),
        nn.Unflatten(-1, (wide, 7, 7)),
        nn.ConvTranspose2d(wide, channels, 4, stride=2, padding=1),
        nn.SiLU(),
        nn.ConvTranspose2d(channels, 1, 4, stride=2, padding=1),
        nn.Flatten(),
    )
    return VAE(encoder, decoder, latent_dim, mean)


@runtime_checkable
class Weighted(Protocol):
    """What a model of latents has to offer for ``log_likelihood``: here ``VAE``, and ``grey.GreyVAE``."""

    latent_dim: int
    mean: Tensor

    def check(self, x: Tensor) -> None:
        """Raise a ValueError or TypeError for what are no images of the model's kind."""

    def log_weights(self, x: Any, eps: Any) -> Tensor:
        """Return ln p(x|z) + ln p(z) − ln q(z|x) at draws of z made from eps (k, batch, latent)."""


@torch.no_grad()
def log_likelihood(
    model: Weighted, x: Shaped[Tensor, "n pixels"], k: int, generator: torch.Generator, at_once: int = 20_000
) -> Float[Tensor, "n"]:
    """Return the importance-weighted bound on ln p(x) of each image with k draws, in nats (Burda et al. 2016).

    at_once: draws decoded together. The generator lives on the CPU, and so does what comes back, in float64. ValueError
    for k below 1, ValueError or TypeError for what are no images.
    """
    if k < 1:
        raise ValueError(f"k: expected at least 1, got {k}")
    model.check(x)
    parts = []
    for images in x.split(max(1, at_once // k)):
        eps = torch.randn(k, len(images), model.latent_dim, generator=generator)
        (eps,) = to_device(x.device, eps.to(model.mean.dtype))
        parts.append(importance_weighted_bound(model.log_weights(images, eps).cpu().double()))
    return torch.cat(parts)
