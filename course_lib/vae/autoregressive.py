"""A VAE whose decoder also sees the pixels before: strong enough to do without its latents.

Pixels are in reading order. Given z each is Bernoulli; its logit is decode(z), plus what a small network makes of the
pixels around it that come before, plus a sum over all that come before. Without z that is a shallow PixelCNN (van den
Oord et al. 2016) on top of a visible sigmoid belief network (Neal 1992), with it a small PixelVAE (Gulrajani et al.
2017).
"""

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

from course_lib.vae.models import PIXELS, SIDE, VAE, fully_connected_vae


class AutoregressiveVAE(VAE):
    """The fully connected VAE, a convolution over the rows above and the pixels to the left, and a causal matrix.

    reach: how many rows up, and columns to either side, the convolution sees; channels: of the network behind it. Both
    additions start at zero, so an untrained model is the VAE that it is built on.
    """

    def __init__(
        self,
        latent_dim: int,
        hidden: int,
        mean: Float[Tensor, "pixels"] | None = None,
        reach: int = 5,
        channels: int = 16,
    ) -> None:
        if reach < 1:
            raise ValueError(f"reach: expected at least 1, got {reach}; without it a plain VAE does")
        plain = fully_connected_vae(latent_dim, hidden, mean=mean)
        super().__init__(plain.encoder, plain.decoder, latent_dim, mean)
        self.first = nn.Conv2d(1, channels, (reach + 1, 2 * reach + 1))
        self.rest = nn.Sequential(
            nn.ReLU(), nn.Conv2d(channels, channels, 1), nn.ReLU(), nn.Conv2d(channels, 1, 1), nn.Flatten()
        )
        nn.init.zeros_(self.rest[3].weight)  # type: ignore[arg-type]
        nn.init.zeros_(self.rest[3].bias)  # type: ignore[arg-type]
        near = torch.ones(reach + 1, 2 * reach + 1)
        near[-1, reach:] = 0  # in a pixel's own row: itself and what is to its right
        self.register_buffer("near", near)
        self.all = nn.Parameter(torch.zeros(PIXELS, PIXELS))
        self.register_buffer("earlier", torch.ones(PIXELS, PIXELS).tril(-1))
        self.reach = reach

    near: Tensor
    earlier: Tensor

    def logits_given(
        self,
        x: Float[Tensor, "batch pixels"],
        z: Float[Tensor, "*k batch latent"],
        labels: Int[Tensor, "batch"] | None = None,
    ) -> Float[Tensor, "*k batch pixels"]:
        """Return each pixel's logit given z and the true pixels before it: all at once, since x is known.

        ``decode`` and ``means`` hold the part of z alone.
        """
        r = self.reach
        framed = F.pad(x.view(-1, 1, SIDE, SIDE), (r, r, r, 0))
        seen = F.conv2d(framed, self.first.weight * self.near, self.first.bias)
        return self.decode(z, labels) + self.rest(seen) + (x - self.mean) @ (self.all * self.earlier).T
