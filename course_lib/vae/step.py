"""Batches of binary images and the training step of a VAE."""

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim import Optimizer

from course_lib.vae.bounds import importance_weighted_bound, kl_warmup
from course_lib.vae.models import SIDE, VAE


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
