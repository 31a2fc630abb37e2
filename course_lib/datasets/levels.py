"""Images of a few grey levels: bytes to whole numbers 0 … levels − 1, and back to what networks of images take.

Level k is the grey k / (levels − 1), so that black stays black and white white. One rounding for whatever is to be
compared: a model that gives greys in between is told from real images by them alone.
"""

import torch
from jaxtyping import Float, Int, UInt8
from torch import Tensor
from torch.nn import functional as F


def to_levels(images: UInt8[Tensor, "n height width"], levels: int = 8, shrink: int = 1) -> Int[Tensor, "n pixels"]:
    """Return the images, each square of shrink × shrink pixels averaged, rounded to levels, as rows of pixels.

    TypeError for pixels that are no bytes; ValueError for sides that shrink does not divide and fewer than 2 levels.
    """
    if images.dtype != torch.uint8:
        raise TypeError(f"images: expected bytes, torch.uint8, got {images.dtype}")
    if shrink < 1 or images.shape[1] % shrink or images.shape[2] % shrink:
        raise ValueError(f"shrink: expected a divisor of both sides of {tuple(images.shape[1:])}, got {shrink}")
    grey = F.avg_pool2d(images.float()[:, None] / 255, shrink)
    return quantise(2 * grey - 1, levels)


def quantise(images: Float[Tensor, "n 1 height width"], levels: int = 8) -> Int[Tensor, "n pixels"]:
    """Return images in [−1, 1], as a generator makes them, rounded to the nearest level, as rows of pixels.

    ValueError for fewer than 2 levels.
    """
    _check(levels)
    return ((images.flatten(1) + 1) / 2 * (levels - 1)).round().clamp(0, levels - 1).long()


def from_levels(x: Int[Tensor, "n pixels"], levels: int = 8, enlarge: int = 1) -> Float[Tensor, "n 1 height width"]:
    """Return square images in [−1, 1] from rows of levels, each pixel a square of enlarge × enlarge.

    ValueError for rows that are no square, levels out of range and fewer than 2 levels.
    """
    _check(levels)
    side = round(x.shape[1] ** 0.5)
    if side * side != x.shape[1]:
        raise ValueError(f"x: expected rows of a square number of pixels, got {x.shape[1]}")
    if x.device.type == "cpu" and x.numel() and not (x.min() >= 0 and x.max() < levels):
        raise ValueError(f"x: expected levels 0 … {levels - 1}, got {x.min().item()} … {x.max().item()}")
    images = (2 * x.float() / (levels - 1) - 1).view(-1, 1, side, side)
    return images.repeat_interleave(enlarge, 2).repeat_interleave(enlarge, 3)


def _check(levels: int) -> None:
    if levels < 2:
        raise ValueError(f"levels: expected at least 2, got {levels}")
