"""DCGAN for images of 28×28: generator and discriminator, with classes or without, and samples from a trained one.

Radford, Metz and Chintala 2016. Images are (batch, 1, side, side) in [−1, 1]; the discriminator gives logits. With
side = 14 the layer next to the pixels keeps their number, where it halves or doubles it with 28.
"""

import torch
from jaxtyping import Float, Int, UInt8
from torch import Tensor, nn

from course_lib.training.eval_mode import evaluating
from course_lib.training.memory_format import as_convolved

SIDE = 28
NEXT_TO_PIXELS = {28: (4, 2, 1), 14: (3, 1, 1)}  # kernel, stride, padding of the convolution at the image, by its side


def _next_to_pixels(side: int) -> tuple[int, int, int]:
    if side not in NEXT_TO_PIXELS:
        raise ValueError(f"side: expected 14 or 28 pixels, got {side}")
    return NEXT_TO_PIXELS[side]


def to_images(pixels: UInt8[Tensor, "n 28 28"]) -> Float[Tensor, "n 1 28 28"]:
    """Return bytes as the networks take them: one channel, 0 … 255 to −1 … 1, the range of tanh.

    TypeError for anything but bytes: greys in [0, 1] would all come out as nearly black.
    """
    if pixels.dtype != torch.uint8:
        raise TypeError(f"pixels: expected bytes, torch.uint8 from 0 to 255, got {pixels.dtype}")
    return (pixels.float() / 127.5 - 1)[:, None]


class Generator(nn.Module):
    """Noise (batch, latent_dim), and a class where there are n_classes, to images in (−1, 1).

    7 × 7 → 14 × 14 → 28 × 28 by transposed convolutions with batch norm and ReLU (Radford et al. 2016). The class
    enters as a trained vector beside z (Mirza and Osindero 2014). ValueError for another side than 14 or 28.
    """

    def __init__(self, latent_dim: int = 64, channels: int = 64, n_classes: int = 0, side: int = SIDE) -> None:
        super().__init__()
        self.latent_dim, self.n_classes = latent_dim, n_classes
        self.embedding = nn.Embedding(n_classes, latent_dim) if n_classes else None
        self.first = nn.Linear(latent_dim * (1 + (n_classes > 0)), 2 * channels * 49, bias=False)
        self.body = nn.Sequential(
            nn.BatchNorm2d(2 * channels),
            nn.ReLU(),
            nn.ConvTranspose2d(2 * channels, channels, 4, stride=2, padding=1, bias=False),
            nn.BatchNorm2d(channels),
            nn.ReLU(),
            nn.ConvTranspose2d(channels, 1, *_next_to_pixels(side)),
            nn.Tanh(),
        )
        _dcgan_initialise(self)

    def forward(
        self, z: Float[Tensor, "batch latent"], labels: Int[Tensor, "batch"] | None = None
    ) -> Float[Tensor, "batch 1 side side"]:
        """Return images; ValueError where labels are missing or not wanted."""
        _check_labels(labels, self.n_classes)
        if self.embedding is not None:
            z = torch.cat([z, self.embedding(labels)], dim=1)
        x = self.first(z).unflatten(1, (-1, 7, 7))  # (B, 2 C, 7, 7)
        return self.body(as_convolved(self, x))


class Discriminator(nn.Module):
    """Images to logits (batch,): strided convolutions with leaky ReLU, batch norm after the first, a linear end.

    depth: 2 goes from 28 × 28 to 7 × 7, and a place there has seen 10 × 10 pixels; 3 goes on to 4 × 4 places that have
    seen 18 × 18. hidden: units of a layer between the places and the logit; with none the logit is a sum over places.
    With n_classes it is w · φ(x) + e_y · φ(x), a projection (Miyato and Koyama 2018, equation 3). ValueError for
    another depth, and for another side than 14 or 28.
    """

    def __init__(
        self, channels: int = 64, n_classes: int = 0, hidden: int = 0, depth: int = 2, side: int = SIDE
    ) -> None:
        super().__init__()
        if depth not in (2, 3):
            raise ValueError(f"depth: expected 2 or 3 strided convolutions, got {depth}")
        self.n_classes, self.side = n_classes, side
        self.body = nn.Sequential(
            nn.Conv2d(1, channels, *_next_to_pixels(side)),
            nn.LeakyReLU(0.2),
            nn.Conv2d(channels, 2 * channels, 4, stride=2, padding=1, bias=False),
            nn.BatchNorm2d(2 * channels),
            nn.LeakyReLU(0.2),
        )
        features = 2 * channels * 49
        if depth == 3:
            self.body.extend(
                [
                    nn.Conv2d(2 * channels, 4 * channels, 3, stride=2, padding=1, bias=False),
                    nn.BatchNorm2d(4 * channels),
                    nn.LeakyReLU(0.2),
                ]
            )
            features = 4 * channels * 16
        self.head = nn.Sequential(nn.Linear(features, hidden), nn.LeakyReLU(0.2)) if hidden else nn.Identity()
        self.last = nn.Linear(hidden or features, 1)
        self.embedding = nn.Embedding(n_classes, hidden or features) if n_classes else None
        _dcgan_initialise(self)

    def forward(
        self, x: Float[Tensor, "batch 1 side side"], labels: Int[Tensor, "batch"] | None = None
    ) -> Float[Tensor, "batch"]:
        """Return one logit an image; ValueError for other sizes, and where labels are missing or not wanted."""
        if x.shape[1:] != (1, self.side, self.side):
            raise ValueError(f"x: expected images of shape (batch, 1, {self.side}, {self.side}), got {tuple(x.shape)}")
        _check_labels(labels, self.n_classes)
        places = self.body(x).permute(0, 2, 3, 1).flatten(1)  # (B, places · C); a view where channels come last
        features = self.head(places)
        logits = self.last(features).squeeze(1)
        return logits if self.embedding is None else logits + (self.embedding(labels) * features).sum(1)


def _check_labels(labels: Tensor | None, n_classes: int) -> None:
    """Raise a ValueError where there are classes and no labels, or labels and no classes."""
    if (labels is None) == bool(n_classes):
        wanted = f"one class of {n_classes} an example" if n_classes else "none for a model without classes"
        raise ValueError(f"labels: expected {wanted}, got {'none' if labels is None else tuple(labels.shape)}")


def _dcgan_initialise(model: nn.Module) -> None:
    """Start weights as N(0, 0.02²), gains of batch norm as N(1, 0.02²), biases at zero (Radford et al. 2016)."""
    for name, parameter in model.named_parameters():
        if parameter.ndim > 1:
            nn.init.normal_(parameter, std=0.02)
        elif name.endswith("weight"):
            nn.init.normal_(parameter, 1.0, 0.02)
        else:
            nn.init.zeros_(parameter)


def given_labels(labels: Tensor | None) -> tuple[Tensor, ...]:
    """Return labels as further arguments, none where there are none."""
    return () if labels is None else (labels,)


@torch.no_grad()
def sample(
    generator: nn.Module, z: Float[Tensor, "n latent"], labels: Int[Tensor, "n"] | None = None, at_once: int = 1000
) -> Float[Tensor, "n 1 side side"]:
    """Return the images made from z with the generator in eval mode, in which it is back afterwards in its own.

    In eval mode batch norm takes its running statistics, so that an image depends on its own z alone. No noise makes
    no images, (0, 1, side, side). at_once: images made together.
    """
    noise = z.split(at_once)
    kinds = [None] * len(noise) if labels is None else labels.to(z.device).split(at_once)
    with evaluating(generator):
        parts = [generator(part, *given_labels(kind)).float() for part, kind in zip(noise, kinds, strict=True)]
    return torch.cat(parts)
