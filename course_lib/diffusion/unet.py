"""A small U-Net: what is noisy at time t, and what it is to be of, to a prediction of the same shape.

Ronneberger, Fischer and Brox 2015 for the shape, two resolutions here; Ho et al. 2020, appendix B, for residual blocks
that are told the time; Dhariwal and Nichol 2021, section 3, for how: by a gain and a shift behind a group norm. Pixels
are first folded into channels, squares of ``fold`` × ``fold``, which costs nothing and leaves a quarter of the places.
"""

from collections.abc import Callable

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

from course_lib.attention.positions import sinusoidal
from course_lib.training.memory_format import as_convolved

Look = Callable[[int, Tensor], Tensor]
GROUPS = 8
TIME_SCALE = 1000.0  # sinusoidal features were made for positions 0, 1, 2, …: t is stretched to 0 … 1,000 for them


class GroupNorm(nn.GroupNorm):
    """Group norm in float32 under autocast, too: its sums need that, and a processor is faster at it."""

    def forward(self, x: Float[Tensor, "batch channels height wide"]) -> Float[Tensor, "batch channels height wide"]:
        """Return x, each group of channels with mean 0 and variance 1, times a gain, plus a shift."""
        return super().forward(x.float() if x.dtype == torch.bfloat16 else x)


class TimeEmbedding(nn.Module):
    """Times in [0, 1] to vectors: sines and cosines of 1000 t, then two layers (Ho et al. 2020)."""

    def __init__(self, width: int, features: int = 64, scale: float = TIME_SCALE) -> None:
        super().__init__()
        self.features, self.scale = features, scale
        self.layers = nn.Sequential(nn.Linear(features, width), nn.SiLU(), nn.Linear(width, width))

    def forward(self, t: Float[Tensor, "batch"]) -> Float[Tensor, "batch width"]:
        """Return a vector for each time."""
        return self.layers(sinusoidal(self.scale * t, self.features))


class Block(nn.Module):
    """x + f(x, what): twice group norm, SiLU and a convolution of 3 × 3; the vector ``what`` scales and shifts between.

    The last convolution starts at zero, so that a new block changes nothing.
    """

    def __init__(self, inputs: int, outputs: int, width: int) -> None:
        super().__init__()
        self.first = nn.Sequential(
            GroupNorm(GROUPS, inputs), nn.SiLU(), nn.Conv2d(inputs, outputs, 3, padding=1)
        )  # fmt: skip
        self.norm = GroupNorm(GROUPS, outputs)
        self.told = nn.Linear(width, 2 * outputs)
        self.last = nn.Conv2d(outputs, outputs, 3, padding=1)
        self.beside = nn.Conv2d(inputs, outputs, 1) if inputs != outputs else nn.Identity()
        for parameter in self.last.parameters():
            nn.init.zeros_(parameter)

    def forward(
        self, x: Float[Tensor, "batch inputs height wide"], what: Float[Tensor, "batch width"]
    ) -> Float[Tensor, "batch outputs height wide"]:
        """Return x, changed as its values, the time and the class say."""
        gain, shift = self.told(what)[:, :, None, None].chunk(2, dim=1)  # (B, outputs, 1, 1) each
        h = self.norm(self.first(x)) * (1 + gain) + shift
        return self.beside(x) + self.last(F.silu(h))


class UNet(nn.Module):
    """Images (batch, image_channels, side, side) at times (batch,), and classes where there are any, to the same shape.

    channels: at the full resolution, twice as many at half of it. fold: pixels a side that become channels, 1 for
    none. n_classes: labels 0 … n_classes − 1; the label n_classes stands for ‘any’ (Ho and Salimans 2022), which
    training puts in place of some. The output starts at zero.
    """

    def __init__(
        self, image_channels: int = 1, channels: int = 32, n_classes: int = 0, fold: int = 2, depth: int = 1
    ) -> None:
        super().__init__()
        self.n_classes, self.fold = n_classes, fold
        self.unasked = n_classes or None  # the label of any class
        folded, wide, width = image_channels * fold**2, 2 * channels, 4 * channels
        self.time = TimeEmbedding(width)
        self.classes = nn.Embedding(n_classes + 1, width) if n_classes else None
        self.enter = nn.Conv2d(folded, channels, 3, padding=1)
        self.before = _blocks(channels, channels, width, depth)
        self.down = nn.Conv2d(channels, wide, 3, stride=2, padding=1)
        self.below = _blocks(wide, wide, width, 2 * depth)
        self.up = nn.Conv2d(wide, channels, 3, padding=1)
        self.after = _blocks(2 * channels, channels, width, depth)
        self.leave = nn.Sequential(GroupNorm(GROUPS, channels), nn.SiLU(), nn.Conv2d(channels, folded, 3, padding=1))
        for parameter in self.leave[-1].parameters():
            nn.init.zeros_(parameter)
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(
        self,
        x_t: Float[Tensor, "batch image_channels side side"],
        t: Float[Tensor, "batch"],
        labels: Int[Tensor, "batch"] | None = None,
    ) -> Float[Tensor, "batch image_channels side side"]:
        """Return the prediction; ValueError for sides that the fold does not divide, and labels missing or extra."""
        self.check(x_t, t, labels)
        return self.predict(x_t, self.time(t) if self.classes is None else self.time(t) + self.classes(labels))

    def predict(self, x_t: Tensor, what: Float[Tensor, "batch width"], look: Look | None = None) -> Tensor:
        """Return the prediction, told by a vector an image what it is to be of; look: goes between the valley's blocks.

        look(i, x) returns x (batch, 2 · channels, height, wide) changed by what it found elsewhere, behind block i.
        """
        what = F.silu(what)
        x = self.enter(as_convolved(self, F.pixel_unshuffle(x_t, self.fold)))
        for block in self.before:
            x = block(x, what)
        across = x  # goes over the valley on the shortest way
        x = self.down(x)
        for i, block in enumerate(self.below):
            x = block(x, what) if look is None else look(i, block(x, what))
        x = self.up(F.interpolate(x, across.shape[-2:], mode="nearest"))
        x = torch.cat([x, across], dim=1)
        for block in self.after:
            x = block(x, what)
        return F.pixel_shuffle(self.leave(x), self.fold)

    def check(self, x_t: Tensor, t: Tensor, labels: Tensor | None = None) -> None:
        """Raise ValueError for what the network cannot take."""
        if x_t.ndim != 4 or x_t.shape[-1] % self.fold or x_t.shape[-2] % self.fold:
            expected = f"(batch, channels, height, width), sides that {self.fold} divides"
            raise ValueError(f"x_t: expected {expected}, got {tuple(x_t.shape)}")
        if t.shape != x_t.shape[:1]:
            raise ValueError(f"t: expected a time for each of {len(x_t)} images, got {tuple(t.shape)}")
        if (labels is None) == bool(self.n_classes):
            wanted = f"one of 0 … {self.n_classes} an image" if self.n_classes else "none for a model without classes"
            raise ValueError(f"labels: expected {wanted}, got {'none' if labels is None else tuple(labels.shape)}")


def _blocks(inputs: int, outputs: int, width: int, depth: int) -> nn.ModuleList:
    """Return depth blocks, the first of which takes inputs channels."""
    return nn.ModuleList(Block(inputs if i == 0 else outputs, outputs, width) for i in range(depth))
