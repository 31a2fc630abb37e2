"""A variational autoencoder of images of a few grey levels, with the discretised logistic likelihood.

The same model as ``models.VAE`` but for p(x|z): each pixel is a whole number 0 … levels − 1, and the decoder gives it a
mean and a scale, in levels (Kingma et al. 2016; Salimans et al. 2017). Everything is in nats and one number an image.
"""

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from course_lib.information.divergences import kl_to_standard_normal
from course_lib.training.linear import Linear
from course_lib.training.transfer import to_device
from course_lib.vae.annealed import annealed_weights, sigmoid_betas, tuned_sizes
from course_lib.vae.bounds import log_standard_normal, reparameterize
from course_lib.vae.inpainting import self_normalized_weights
from course_lib.vae.likelihoods import discretized_logistic_log_likelihood

SCALES = (-6.0, 3.0)  # limits of the logarithm of a scale: e⁻⁶ of a level is certainty, e³ levels are none


class GreyVAE(nn.Module):
    """An encoder and a decoder of two hidden layers for flat images (batch, pixels) of whole numbers below levels.

    mean: of the training images, where given, in levels: the encoder sees x − mean, and the decoder's means are added
    to it. ValueError for fewer than 2 levels.
    """

    def __init__(
        self,
        pixels: int,
        levels: int = 8,
        latent_dim: int = 32,
        hidden: int = 400,
        mean: Float[Tensor, "pixels"] | None = None,
    ) -> None:
        super().__init__()
        if levels < 2:
            raise ValueError(f"levels: expected at least 2, got {levels}")
        self.pixels, self.levels, self.latent_dim = pixels, levels, latent_dim
        self.encoder = _two_hidden_layers(pixels, hidden, 2 * latent_dim)
        self.decoder = _two_hidden_layers(latent_dim, hidden, 2 * pixels)
        self.register_buffer("mean", torch.full((pixels,), (levels - 1) / 2) if mean is None else mean.clone())

    mean: Tensor

    def check(self, x: Tensor) -> None:
        """Raise a ValueError for what are no images of levels, their values included: a GPU waits for it."""
        self._check_kind(x)
        if x.numel() and not (x.min() >= 0 and x.max() < self.levels):
            raise ValueError(f"x: expected levels 0 … {self.levels - 1}, got {x.min().item()} … {x.max().item()}")

    def _check_kind(self, x: Tensor) -> None:
        if x.is_floating_point() or x.ndim != 2 or x.shape[1] != self.pixels:
            raise ValueError(f"x: expected whole numbers (batch, {self.pixels}), got {x.dtype} {tuple(x.shape)}")

    def encode(
        self, x: Int[Tensor, "batch pixels"]
    ) -> tuple[Float[Tensor, "batch latent"], Float[Tensor, "batch latent"]]:
        """Return mu and logvar of q(z|x). ValueError for images of another size or type.

        On a GPU the levels themselves are not looked at, for which each step of training would wait there.
        """
        check = self.check if x.device.type == "cpu" else self._check_kind
        check(x)
        seen = (x - self.mean) * (2 / (self.levels - 1))  # within −2 … 2
        mu, logvar = _at_least_float32(self.encoder(seen)).chunk(2, dim=-1)
        return mu, logvar

    def decode(
        self, z: Float[Tensor, "*batch latent"]
    ) -> tuple[Float[Tensor, "*batch pixels"], Float[Tensor, "*batch pixels"]]:
        """Return mean and logarithm of the scale of each pixel given z, in levels."""
        mean, log_scale = _at_least_float32(self.decoder(z.flatten(0, -2))).view(*z.shape[:-1], -1).chunk(2, dim=-1)
        return self.mean + (self.levels - 1) * mean, log_scale.clamp(*SCALES)

    def elbo(
        self, x: Int[Tensor, "batch pixels"], eps: Float[Tensor, "batch latent"]
    ) -> tuple[Float[Tensor, "batch"], Float[Tensor, "batch"], Float[Tensor, "batch"]]:
        """Return (elbo, recon, kl) of each image, in nats, with one draw of z made from eps."""
        mu, logvar = self.encode(x)
        recon = self._log_given(x, reparameterize(mu, logvar, eps)).sum(-1)
        kl = kl_to_standard_normal(mu, logvar)
        return recon - kl, recon, kl

    def log_weights(
        self, x: Int[Tensor, "batch pixels"], eps: Float[Tensor, "k batch latent"]
    ) -> Float[Tensor, "k batch"]:
        """Return ln p(x|z) + ln p(z) − ln q(z|x) at k draws of z an image, made from eps."""
        mu, logvar = self.encode(x)
        z = reparameterize(mu, logvar, eps)
        log_q = log_standard_normal(eps) - 0.5 * logvar.sum(-1)
        return self._log_given(x, z).sum(-1) + log_standard_normal(z) - log_q

    def _log_given(self, x: Tensor, z: Tensor) -> Tensor:
        """Return ln p(x|z) of each pixel (…, batch, pixels)."""
        mean, log_scale = self.decode(z)
        each = (x[..., None], mean[..., None], log_scale[..., None])
        return discretized_logistic_log_likelihood(*each, self.levels)

    @torch.no_grad()
    def draw(self, n: int, generator: torch.Generator) -> Int[Tensor, "n pixels"]:
        """Return n images drawn from the model: z from the prior, then pixels from p(x|z); the generator is a CPU's."""
        (z,) = to_device(self.mean.device, torch.randn(n, self.latent_dim, generator=generator))
        return self.draw_given(z, generator)

    @torch.no_grad()
    def draw_given(self, z: Float[Tensor, "*batch latent"], generator: torch.Generator) -> Int[Tensor, "*batch pixels"]:
        """Return one draw from p(x|z) for each z: a logistic variable by its quantile function, rounded and cut."""
        mean, log_scale = self.decode(z)
        (u,) = to_device(z.device, torch.rand(mean.shape, generator=generator))
        return (mean + log_scale.exp() * u.logit(eps=1e-6)).round().clamp(0, self.levels - 1).long()

    @torch.no_grad()
    def complete(
        self,
        x: Int[Tensor, "n pixels"],
        observed: Bool[Tensor, "pixels"],
        k: int,
        generator: torch.Generator,
    ) -> tuple[Int[Tensor, "n pixels"], Float[Tensor, "n"]]:
        """Return images whose missing pixels are one draw from p(missing | observed), and the effective sample size.

        k draws of z come from the encoder, shown the mean where pixels are missing; one of them is taken by its weight
        p(observed|z) p(z) / q(z), and the missing pixels are drawn given it (Rubin 1987, sampling–importance
        resampling): exact as k grows, of use where the effective sample size is well above 1. ValueError for k below 1.
        """
        if k < 1:
            raise ValueError(f"k: expected at least 1 draw, got {k}")
        mu, logvar = self.encode(torch.where(observed, x, self.mean.round().long()))
        (eps,) = to_device(mu.device, torch.randn(k, *mu.shape, generator=generator))
        z = reparameterize(mu, logvar, eps)
        log_q = log_standard_normal(eps) - 0.5 * logvar.sum(-1)
        seen = self._log_given(x, z)[..., observed].sum(-1)
        weights, ess = self_normalized_weights(seen + log_standard_normal(z) - log_q)
        return _filled(self, x, observed, z, weights, generator), ess


@torch.no_grad()
def complete_annealed(
    model: GreyVAE,
    x: Int[Tensor, "n pixels"],
    observed: Bool[Tensor, "pixels"],
    generator: torch.Generator,
    chains: int = 4,
    steps: int = 60,
) -> Int[Tensor, "n pixels"]:
    """Return images whose missing pixels are one draw from p(missing | observed), by chains that start at the prior.

    Each chain goes from p(z) to p(z | observed) in steps (``annealed_weights``); one of an image's chains is taken by
    its weight, and the missing pixels are drawn given its z. No encoder, which has never seen half an image. Exact as
    chains and steps grow. ValueError for fewer than one chain or step.
    """
    if chains < 1:
        raise ValueError(f"chains: expected at least 1, got {chains}")
    betas = sigmoid_betas(steps)

    def log_seen(z: Tensor) -> Tensor:
        return model._log_given(x, z)[..., observed].sum(-1)

    (start,) = to_device(x.device, torch.randn(chains, len(x), model.latent_dim, generator=generator))
    sizes = tuned_sizes(log_seen, start[:1], betas, generator)
    found = annealed_weights(log_seen, start, betas, sizes, generator)
    return _filled(model, x, observed, found.eps, found.log_w.softmax(0), generator)


def _filled(
    model: GreyVAE, x: Tensor, observed: Tensor, z: Tensor, weights: Tensor, generator: torch.Generator
) -> Tensor:
    """Return x with its missing pixels drawn given one z (k, n, latent) an image, taken by the weights (k, n)."""
    taken = torch.multinomial(weights.T.cpu(), 1, generator=generator).squeeze(1).to(z.device)
    drawn = model.draw_given(z[taken, torch.arange(len(x), device=z.device)], generator)
    return torch.where(observed, x, drawn)


def _at_least_float32(x: Tensor) -> Tensor:
    return x.float() if x.dtype == torch.bfloat16 else x


def _two_hidden_layers(inputs: int, hidden: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(Linear(inputs, hidden), nn.SiLU(), Linear(hidden, hidden), nn.SiLU(), Linear(hidden, outputs))
