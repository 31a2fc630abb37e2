"""Batches of binary images and the training step of a VAE."""

from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim import Optimizer

from course_lib.training.fit import Draw, Step
from course_lib.training.transfer import to_device
from course_lib.vae.bounds import importance_weighted_bound, kl_warmup
from course_lib.vae.models import SIDE, VAE, check_images


class Batch(NamedTuple):
    """Binary images x (batch, 784), and the noise eps (k, batch, latent) from which k draws of z for each are made.

    labels (batch,): their classes, for a VAE that has them, or None.
    """

    x: Tensor
    eps: Tensor
    labels: Tensor | None = None


def draw_binary(
    images: Float[Tensor, "n pixels"],
    batch: int,
    latent_dim: int,
    k: int = 1,
    shift: int = 0,
    labels: Int[Tensor, "n"] | None = None,
) -> Draw[Batch]:
    """Return the function that ``fit`` draws batches with: random images, each pixel drawn anew as a zero or a one.

    images: greys in [0, 1], a pixel's probability of a one; a fixed binarisation would be learned by heart.
    shift: each image is moved by up to so many rows and columns, zeros moving in: more data than there are. labels: of
    the images, for a VAE with classes. The generator is a CPU's; the batch is on the device of the images, where all
    that was drawn goes in one copy. ValueError or TypeError for what are no images, ValueError for k below 1 and for
    another number of labels than images.
    """
    check_images(images, "images")
    if k < 1:
        raise ValueError(f"k: expected at least 1 draw of z an image, got {k}")
    if labels is not None and len(labels) != len(images):
        raise ValueError(f"labels: expected one for each of {len(images)} images, got {len(labels)}")
    kinds = None if labels is None else labels.to(images.device)
    padded = F.pad(images.view(-1, SIDE, SIDE), (shift,) * 4)
    at = torch.arange(SIDE, device=images.device)

    def draw(generator: torch.Generator) -> Batch:
        chosen = torch.randint(len(images), (batch,), generator=generator)
        places = [torch.randint(2 * shift + 1, (2, batch, 1), generator=generator)] if shift else []
        uniform = torch.rand(batch, images.shape[1], generator=generator)
        eps = torch.randn(k, batch, latent_dim, generator=generator)
        chosen, uniform, eps, *places = to_device(images.device, chosen, uniform, eps, *places)
        if shift:
            row, column = places[0] + at  # each (batch, 28)
            greys = padded[chosen[:, None, None], row[:, :, None], column[:, None, :]].flatten(1)  # (batch, 784)
        else:
            greys = images[chosen]
        return Batch((uniform < greys).float(), eps, None if kinds is None else kinds[chosen])

    return draw


def vae_step(
    model: VAE,
    optimizer: Optimizer,
    beta: float = 1.0,
    warmup: int = 0,
    clip: float | None = None,
    bfloat16: bool = False,
) -> Step[Batch]:
    """Return the step for ``fit`` on binary images: a bound, its gradient, one update; the loss is in nats an image.

    With one draw of z, k = 1: recon − beta · kl with the KL in closed form, beta rising over the first warmup steps
    (Higgins et al. 2017; Sønderby et al. 2016). With more: the importance-weighted bound, which has no KL to weigh:
    ValueError for another beta than 1 and a warm-up. clip: largest norm of all gradients together. Scalars: loss, with
    k = 1 recon and the unweighted kl, with clip the norm before.
    """
    first = next(model.parameters())

    def bound(batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        x, eps, labels = batch
        if len(eps) == 1:
            _, recon, kl = model.elbo(x, eps[0], labels)
            weight = _kl_weight(optimizer, first, beta, warmup)
            return (weight * kl - recon).mean(), {"recon": recon.mean(), "kl": kl.mean()}
        if beta != 1 or warmup:
            raise ValueError(f"beta, warmup: expected 1 and 0 with k = {len(eps)} draws, got {beta} and {warmup}")
        return -importance_weighted_bound(model.log_weights(x, eps, labels)).mean(), {}

    def step(batch: Batch) -> dict[str, Tensor]:
        with torch.autocast(batch.x.device.type, torch.bfloat16, enabled=bfloat16):
            loss, scalars = bound(batch)
        loss.backward()
        if clip is not None:
            scalars["norm"] = nn.utils.clip_grad_norm_(model.parameters(), clip)
        optimizer.step()
        optimizer.zero_grad()
        return {"loss": loss, **scalars}

    return step


def _kl_weight(optimizer: Optimizer, parameter: Tensor, beta: float, warmup: int) -> float | Tensor:
    """Return beta times the share of the warm-up that is over, by the optimizer's count: a resumed run goes on with it.

    A fused optimizer counts on its GPU. The weight is then computed there, so that nobody waits for the number.
    """
    if not warmup:
        return beta
    count = optimizer.state[parameter].get("step", 0)
    if isinstance(count, Tensor) and count.device.type != "cpu":
        return beta * (count / warmup).clamp(max=1)
    return beta * kl_warmup(int(count), warmup)
