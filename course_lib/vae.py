"""The variational autoencoder: likelihoods, reparameterisation, bounds on log p(x), and the models.

Kingma and Welling 2014, *Auto-encoding variational Bayes*; Rezende, Mohamed and Wierstra 2014, *Stochastic
backpropagation*. The encoder gives q(z|x) = N(mu, diag(exp(logvar))), the prior is p(z) = N(0, 1), the decoder gives
the parameters of p(x|z). Everything is in nats and one number an example: sums over pixels and latents, no means.
"""

import math
from collections.abc import Callable

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim import Optimizer

from course_lib.divergences import kl_to_standard_normal

SIDE = 28
PIXELS = SIDE * SIDE

# --- likelihoods: log p(x|z), summed over the pixels -----------------------------------------------------------------


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


# --- bounds on log p(x) ----------------------------------------------------------------------------------------------


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


# --- models ----------------------------------------------------------------------------------------------------------


def check_images(x: Tensor) -> None:
    """Raise a ValueError or TypeError for what is no non-empty batch of images (…, 784) with pixels in [0, 1]."""
    if not x.is_floating_point():
        raise TypeError(f"x: expected pixels as floating-point numbers in [0, 1], got {x.dtype}; divide bytes by 255")
    if x.ndim < 2 or x.shape[-1] != PIXELS:
        raise ValueError(f"x: expected images of shape (batch, {PIXELS}), got {tuple(x.shape)}")
    if x.numel() == 0:
        raise ValueError(f"x: expected at least one image, got an empty batch {tuple(x.shape)}")
    low, high = x.aminmax()
    if not (low >= 0 and high <= 1):
        raise ValueError(f"x: expected pixels in [0, 1], got {low.item():.4g} to {high.item():.4g}")


class VAE(nn.Module):
    """An encoder (batch, 784) → (batch, 2 · latent), a decoder (n, latent) → (n, 784) logits, and the bounds.

    The first half of what the encoder returns is mu, the second logvar. Pixels are Bernoulli given z.
    mean: of the training images, where given: the encoder then sees x − mean, and the decoder's logits are added to
    the mean's own, so that an untrained model is about as good as independent pixels.
    """

    def __init__(
        self,
        encoder: nn.Module,
        decoder: nn.Module,
        latent_dim: int,
        mean: Float[Tensor, "pixels"] | None = None,
    ) -> None:
        super().__init__()
        self.encoder, self.decoder, self.latent_dim = encoder, decoder, latent_dim
        mean = torch.full((PIXELS,), 0.5) if mean is None else mean.clamp(1e-3, 1 - 1e-3)
        self.register_buffer("mean", mean)

    mean: Tensor

    def encode(
        self, x: Float[Tensor, "batch pixels"]
    ) -> tuple[Float[Tensor, "batch latent"], Float[Tensor, "batch latent"]]:
        """Return mu and logvar of q(z|x), in float32 or wider; ValueError or TypeError for what are no images."""
        check_images(x)
        mu, logvar = self.encoder(x - self.mean).chunk(2, dim=-1)
        return (mu.float(), logvar.float()) if mu.dtype == torch.bfloat16 else (mu, logvar)

    def decode(self, z: Float[Tensor, "*batch latent"]) -> Float[Tensor, "*batch pixels"]:
        """Return the logits of the pixels given z, with any number of leading axes."""
        logits = self.decoder(z.reshape(-1, z.shape[-1])).view(*z.shape[:-1], PIXELS)
        return (logits.float() if logits.dtype == torch.bfloat16 else logits) + self.mean.logit()

    def elbo(
        self, x: Float[Tensor, "batch pixels"], eps: Float[Tensor, "batch latent"]
    ) -> tuple[Float[Tensor, "batch"], Float[Tensor, "batch"], Float[Tensor, "batch"]]:
        """Return (elbo, recon, kl) of each image, in nats, with one draw of z made from eps."""
        mu, logvar = self.encode(x)
        return elbo(x, self.decode(reparameterize(mu, logvar, eps)), mu, logvar)

    def log_weights(
        self, x: Float[Tensor, "batch pixels"], eps: Float[Tensor, "k batch latent"]
    ) -> Float[Tensor, "k batch"]:
        """Return ln p(x|z) + ln p(z) − ln q(z|x) at k draws of z an image, made from eps."""
        mu, logvar = self.encode(x)
        z = reparameterize(mu, logvar, eps)  # (k, B, latent)
        log_q = log_standard_normal(eps) - 0.5 * logvar.sum(-1)
        return bernoulli_log_likelihood(x, self.decode(z)) + log_standard_normal(z) - log_q

    def means(self, z: Float[Tensor, "*batch latent"]) -> Float[Tensor, "*batch pixels"]:
        """Return the probability of a one at each pixel: the mean of p(x|z), not a draw from it."""
        return self.decode(z).sigmoid()


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
    latent_dim: int = 50, hidden: int = 500, layers: int = 2, mean: Float[Tensor, "pixels"] | None = None
) -> VAE:
    """Return a VAE whose encoder and decoder have layers hidden layers of hidden units each; mean as for ``VAE``."""

    def body(inputs: int, outputs: int) -> nn.Sequential:
        sizes = [inputs, *[hidden] * layers]
        parts: list[nn.Module] = []
        for i in range(layers):
            parts += [nn.Linear(sizes[i], sizes[i + 1]), nn.SiLU()]
        return nn.Sequential(*parts, nn.Linear(hidden, outputs))

    return VAE(body(PIXELS, 2 * latent_dim), body(latent_dim, PIXELS), latent_dim, mean)


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


@torch.no_grad()
def log_likelihood(
    model: VAE, x: Float[Tensor, "n pixels"], k: int, generator: torch.Generator, at_once: int = 20_000
) -> Float[Tensor, "n"]:
    """Return the importance-weighted bound on ln p(x) of each image with k draws, in nats (Burda et al. 2016).

    at_once: draws decoded together. The generator lives on the CPU. ValueError for k below 1.
    """
    if k < 1:
        raise ValueError(f"k: expected at least 1, got {k}")
    parts = []
    for images in x.split(max(1, at_once // k)):
        eps = torch.randn(k, len(images), model.latent_dim, generator=generator).to(x.device)
        parts.append(importance_weighted_bound(model.log_weights(images, eps).double()))
    return torch.cat(parts)


# --- training --------------------------------------------------------------------------------------------------------


def draw_binary(
    images: Float[Tensor, "n pixels"], batch: int, shift: int = 0
) -> Callable[[torch.Generator], Float[Tensor, "batch pixels"]]:
    """Return the function that ``fit`` draws batches with: random images, each pixel drawn anew as a zero or a one.

    images: greys in [0, 1], a pixel's probability of a one; a fixed binarisation would be learned by heart.
    shift: each image is moved by up to so many rows and columns, zeros moving in: more data than there are. The
    generator is a CPU's; the batch is on the device of the images.
    """
    padded = F.pad(images.view(-1, SIDE, SIDE), (shift,) * 4)
    at = torch.arange(SIDE, device=images.device)

    def draw(generator: torch.Generator) -> Tensor:
        chosen = torch.randint(len(images), (batch,), generator=generator).to(images.device)
        if shift:
            row, column = torch.randint(2 * shift + 1, (2, batch, 1), generator=generator).to(images.device) + at
            greys = padded[chosen[:, None, None], row[:, :, None], column[:, None, :]].flatten(1)  # (B, 784)
        else:
            greys = images[chosen]
        return (torch.rand(greys.shape, generator=generator).to(images.device) < greys).float()

    return draw


def vae_step(
    model: VAE,
    optimizer: Optimizer,
    generator: torch.Generator,
    k: int = 1,
    beta: float = 1.0,
    warmup: int = 0,
    clip: float | None = None,
    bfloat16: bool = False,
) -> Callable[[Tensor], dict[str, Tensor]]:
    """Return the step for ``fit`` on binary images: a bound, its gradient, one update; the loss is in nats an image.

    generator: of eps, a CPU's, the one that the batches are drawn with. k = 1: recon − beta · kl with the KL in closed
    form, beta rising over the first warmup steps (Higgins et al. 2017; Sønderby et al. 2016). k > 1: the
    importance-weighted bound, which has no KL to weigh. clip: largest norm of all gradients together. Scalars: loss,
    with k = 1 recon and the unweighted kl, with clip the norm before.
    """
    if k < 1:
        raise ValueError(f"k: expected at least 1, got {k}")
    if k > 1 and (beta != 1 or warmup):
        raise ValueError(f"beta, warmup: expected 1 and 0 with k = {k} draws, got {beta} and {warmup}")
    first = next(model.parameters())

    def step(x: Tensor) -> dict[str, Tensor]:
        eps = torch.randn(k, len(x), model.latent_dim, generator=generator).to(x.device)
        with torch.autocast(x.device.type, torch.bfloat16, enabled=bfloat16):
            if k == 1:
                _, recon, kl = model.elbo(x, eps[0])
                # the optimizer counts the steps, so that a resumed run goes on with its warm-up
                weight = beta * kl_warmup(int(optimizer.state[first].get("step", 0)), warmup) if warmup else beta
                loss, scalars = (weight * kl - recon).mean(), {"recon": recon.mean(), "kl": kl.mean()}
            else:
                loss, scalars = -importance_weighted_bound(model.log_weights(x, eps)).mean(), {}
        loss.backward()
        if clip is not None:
            scalars["norm"] = nn.utils.clip_grad_norm_(model.parameters(), clip)
        optimizer.step()
        optimizer.zero_grad()
        return {"loss": loss, **scalars}

    return step
