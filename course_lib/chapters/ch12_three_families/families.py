"""The three families as they are compared: the same small digits, one recipe each, two settings that trials choose."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from jaxtyping import UInt8
from torch import Tensor, nn
from torch.nn import functional as F

from course_lib.attention.pixels import PixelTransformer, after_start
from course_lib.attention.step import next_token_step
from course_lib.datasets.levels import from_levels, to_levels
from course_lib.gan.dcgan import Discriminator, Generator
from course_lib.gan.step import Turns, adversarial_step
from course_lib.training.fit import Draw, Step
from course_lib.training.moving_average import moving_average
from course_lib.training.optimizers import muon_and_adamw, warmup_then_linear
from course_lib.training.precision import bfloat16_pays
from course_lib.training.trained import Trained
from course_lib.training.transfer import to_device
from course_lib.vae.grey import GreyVAE

LEVELS, LATENT = 8, 64


@dataclass(frozen=True)
class Training:
    """What ``fit`` is called with, and the model that is measured afterwards."""

    model: nn.Module
    trained: Trained
    step: Step[Any]
    draw: Draw[Any]
    schedule: Callable[[float], float]


def draw_levels(
    images: UInt8[Tensor, "n 28 28"], batch: int, shrink: int, shift: int, noise: tuple[int, ...] = ()
) -> Draw[tuple[Tensor, Tensor]]:
    """Return the function that draws (x, eps): levels (batch, pixels) of images, and normal noise (batch, *noise).

    Each image is moved by up to shift of its 28 rows and columns before its pixels are averaged. The generator is a
    CPU's; the batch is on the device of the images.
    """
    padded = F.pad(images, (shift,) * 4)
    at = torch.arange(images.shape[1], device=images.device)

    def draw(generator: torch.Generator) -> tuple[Tensor, Tensor]:
        chosen = torch.randint(len(images), (batch,), generator=generator)
        places = torch.randint(2 * shift + 1, (2, batch, 1), generator=generator)
        eps = torch.randn(batch, *noise, generator=generator)
        chosen, places, eps = to_device(images.device, chosen, places, eps)
        row, column = places + at  # each (batch, 28)
        moved = padded[chosen[:, None, None], row[:, :, None], column[:, None, :]]
        return to_levels(moved, LEVELS, shrink), eps

    return draw


def autoregressive(
    images: UInt8[Tensor, "n 28 28"],
    seed: int,
    factor: float = 1.0,
    shift: int = 0,
    shrink: int = 2,
    n_layers: int = 2,
    d_model: int = 64,
    batch: int = 16,
) -> Training:
    """Return the Transformer over pixels: 16 images a step, Muon at factor · 0.02 and AdamW at factor · 0.01."""
    torch.manual_seed(seed)
    pixels = (images.shape[1] // shrink) ** 2
    model = PixelTransformer(pixels, LEVELS, n_layers, n_heads=d_model // 32, d_model=d_model).to(images.device)
    optimizers = muon_and_adamw(model.blocks, model, rate=0.02 * factor, adamw_rate=0.01 * factor)
    one_step = next_token_step(model, optimizers.values(), clip=1.0, bfloat16=bfloat16_pays(images.device))

    def step(drawn: tuple[Tensor, Tensor]) -> Mapping[str, Tensor]:
        x, _ = drawn
        return one_step((after_start(x, LEVELS), x))

    trained = Trained({"model": model}, optimizers, torch.Generator().manual_seed(seed))
    return Training(model, trained, step, draw_levels(images, batch, shrink, shift), warmup_then_linear)


def variational(
    images: UInt8[Tensor, "n 28 28"],
    seed: int,
    factor: float = 1.0,
    shift: int = 0,
    shrink: int = 2,
    latent_dim: int = 32,
    hidden: int = 400,
    batch: int = 100,
) -> Training:
    """Return the VAE: 100 images a step, one draw of z each, AdamW at factor · 0.003."""
    torch.manual_seed(seed)
    mean = to_levels(images, LEVELS, shrink).float().mean(0)
    model = GreyVAE(len(mean), LEVELS, latent_dim, hidden, mean).to(images.device)
    optimizer = torch.optim.AdamW(
        model.parameters(), lr=3e-3 * factor, betas=(0.9, 0.99), weight_decay=0.05, fused=True
    )
    bfloat16 = bfloat16_pays(images.device)

    def step(drawn: tuple[Tensor, Tensor]) -> Mapping[str, Tensor]:
        with torch.autocast(images.device.type, torch.bfloat16, enabled=bfloat16):
            elbo, _, kl = model.elbo(*drawn)
            loss = -elbo.mean()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 50)
        optimizer.step()
        optimizer.zero_grad()
        return {"loss": loss, "kl": kl.mean()}

    trained = Trained({"model": model}, {"adamw": optimizer}, torch.Generator().manual_seed(seed))
    draw = draw_levels(images, batch, shrink, shift, (latent_dim,))
    return Training(model, trained, step, draw, partial(warmup_then_linear, warmup=0.05, decay=0.95))


def adversarial(
    images: UInt8[Tensor, "n 28 28"],
    seed: int,
    factor: float = 1.0,
    shift: int = 0,
    shrink: int = 2,
    channels: int = 32,
    batch: int = 64,
) -> Training:
    """Return the GAN: 64 images a step, chapter 11's deeper discriminator, Adam at factor · 0.002 for both players.

    What is measured is the generator's moving average.
    """
    torch.manual_seed(seed)
    side = images.shape[1] // shrink
    g = Generator(LATENT, channels, side=side)
    d = Discriminator(channels, hidden=128, depth=3, side=side)
    for network in (g, d):
        network.to(images.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    optimizers: dict[str, torch.optim.Optimizer] = {
        name: torch.optim.Adam(network.parameters(), 2e-3 * factor, (0.5, 0.99), fused=True)
        for name, network in (("G", g), ("D", d))
    }
    average = moving_average(g, decay=0.99)
    bfloat16 = bfloat16_pays(images.device)
    turns = adversarial_step(g, d, optimizers["G"], optimizers["D"], average=average, bfloat16=bfloat16)

    def step(drawn: tuple[Tensor, Tensor]) -> Mapping[str, Tensor]:
        x, z = drawn
        return turns(Turns(from_levels(x, LEVELS)[None], z[None]))

    trained = Trained({"G": g, "D": d, "average": average}, optimizers, torch.Generator().manual_seed(seed))
    draw = draw_levels(images, batch, shrink, shift, (LATENT,))
    return Training(average, trained, step, draw, partial(warmup_then_linear, warmup=0.0, decay=0.5))


FAMILIES: dict[str, Callable[..., Training]] = {"ar": autoregressive, "vae": variational, "gan": adversarial}
