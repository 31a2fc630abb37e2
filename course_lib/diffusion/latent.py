"""A smooth autoencoder whose latents are small images, for a flow to run in (Rombach et al. 2022, section 3.1).

A VAE with a small weight on its KL: enough that nearby latents decode alike, too little to lose what is seen.
"""

from collections.abc import Callable
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.optim import Optimizer

from course_lib.information.divergences import kl_to_standard_normal
from course_lib.training.fit import Step
from course_lib.vae.bounds import reparameterize


class Scale(NamedTuple):
    """Mean and standard deviation of each channel: of latents (channels, 1, 1) each, of vectors (channels,)."""

    mean: Tensor
    std: Tensor

    def to_unit(self, latents: Float[Tensor, "n channels *place"]) -> Tensor:
        """Return latents whose channels have mean 0 and standard deviation 1, as the noise has."""
        return (latents - self.mean) / self.std

    def back(self, units: Float[Tensor, "n channels *place"]) -> Tensor:
        """Return latents as the decoder knows them."""
        return units * self.std + self.mean


def scale_of(latents: Float[Tensor, "n channels height width"]) -> Scale:
    """Return the scale of latents, to be measured on training images. ValueError for a channel that never changes."""
    std, mean = torch.std_mean(latents, dim=(0, 2, 3), keepdim=True)
    if not (std > 0).all():
        raise ValueError(f"latents: expected channels that change, got standard deviations {std.flatten().tolist()}")
    return Scale(mean[0], std[0])


class Autoencoder(nn.Module):
    """Images (n, 1, side, side) in [−1, 1] to latents (n, channels, side/4, side/4) and back."""

    def __init__(self, channels: int = 4, width: int = 32) -> None:
        super().__init__()
        wide = 2 * width
        self.channels = channels
        self.encoder = nn.Sequential(
            nn.Conv2d(1, width, 4, stride=2, padding=1), nn.SiLU(),
            nn.Conv2d(width, wide, 4, stride=2, padding=1), nn.SiLU(),
            nn.Conv2d(wide, wide, 3, padding=1), nn.SiLU(),
            nn.Conv2d(wide, 2 * channels, 1),
        )  # fmt: skip
        self.decoder = nn.Sequential(
            nn.Conv2d(channels, wide, 3, padding=1), nn.SiLU(),
            nn.Conv2d(wide, wide, 3, padding=1), nn.SiLU(),
            nn.ConvTranspose2d(wide, width, 4, stride=2, padding=1), nn.SiLU(),
            nn.ConvTranspose2d(width, 1, 4, stride=2, padding=1),
        )  # fmt: skip

    def encode(
        self, images: Float[Tensor, "n 1 side side"]
    ) -> tuple[Float[Tensor, "n channels height width"], Float[Tensor, "n channels height width"]]:
        """Return mu and logvar of q(z|x). ValueError for sides that 4 does not divide."""
        if images.shape[-1] % 4 or images.shape[-2] % 4:
            raise ValueError(f"images: expected sides that 4 divides, got {tuple(images.shape)}")
        mu, logvar = self.encoder(images).chunk(2, dim=1)
        return mu, logvar

    def decode(self, latents: Float[Tensor, "n channels height width"]) -> Float[Tensor, "n 1 side side"]:
        """Return images; nothing keeps them within [−1, 1]."""
        return self.decoder(latents)


def autoencoder_step(model: Autoencoder, optimizer: Optimizer, kl_weight: float = 0.01) -> Step[tuple[Tensor, Tensor]]:
    """Return the step for ``fit`` on (images, eps): squares + kl_weight · KL, sums of an image, one update.

    eps (n, channels, side/4, side/4): noise for one draw of z. Scalars: squares, kl (nats).
    """

    def step(batch: tuple[Tensor, Tensor]) -> dict[str, Tensor]:
        images, eps = batch
        mu, logvar = model.encode(images)
        made = model.decode(reparameterize(mu, logvar, eps))
        squares = (made - images).square().flatten(1).sum(1).mean()
        kl = kl_to_standard_normal(mu.flatten(1), logvar.flatten(1)).mean()
        optimizer.zero_grad()
        (squares + kl_weight * kl).backward()
        optimizer.step()
        return {"squares": squares, "kl": kl}

    return step


def draw_images(
    images: Float[Tensor, "n 1 side side"], batch: int, channels: int
) -> Callable[[torch.Generator], tuple[Tensor, Tensor]]:
    """Return the function that ``fit`` draws (images, eps) with, on the images' device; the generator is a CPU's."""
    side = images.shape[-1] // 4

    def draw(generator: torch.Generator) -> tuple[Tensor, Tensor]:
        chosen = torch.randint(len(images), (batch,), generator=generator).to(images.device)
        eps = torch.randn(batch, channels, side, side, generator=generator).to(images.device)
        return images[chosen], eps

    return draw


@torch.no_grad()
def encode_all(model: Autoencoder, images: Float[Tensor, "n 1 side side"], at_once: int = 1000) -> Tensor:
    """Return the means of q(z|x) of many images, (n, channels, side/4, side/4)."""
    return torch.cat([model.encode(part)[0] for part in images.split(at_once)])
