"""Two stacks of twelve layers for chapter 04's diagnosis: what the stream's variance shows."""

import math

import torch
from matplotlib.figure import Figure
from torch import Tensor

from course_lib.classroom import figures

WRITES = 0.4  # variance that a layer of these stacks returns for an input of variance 1


def norm(x: Tensor) -> Tensor:
    """Return each position with mean 0 and variance 1."""
    return (x - x.mean(-1, keepdim=True)) / x.var(-1, keepdim=True, correction=0).sqrt()


STACKS = {
    "a": lambda x, layer: x + norm(layer(x)),
    "b": lambda x, layer: x + layer(x),
    "sound": lambda x, layer: x + layer(norm(x)),
    "post_norm": lambda x, layer: norm(x + layer(x)),
    "no_residual": lambda x, layer: layer(norm(x)),
}


def variances(stack: str, n: int = 12, C: int = 256) -> list[float]:
    """Return the stream's variance before the first layer and behind each of n, at the start of training."""
    generator = torch.Generator().manual_seed(5)
    x = torch.randn(64, C, dtype=torch.float64, generator=generator)
    found = [x.var().item()]
    for _ in range(n):
        W = torch.randn(C, C, dtype=torch.float64, generator=generator) * math.sqrt(WRITES / C)
        x = STACKS[stack](x, lambda x, W=W: x @ W)
        found.append(x.var().item())
    return found


def symptoms() -> Figure:
    """Draw the stream's variance in the stacks a and b, layer by layer."""
    fig, (axes,) = figures.new(1, 2, height=3.2)
    for ax, stack, colour, mark in zip(axes, "ab", (figures.ORANGE, figures.BLUE), "^o", strict=True):
        found = variances(stack)
        figures.line(ax, range(13), found, colour, marker=mark, markersize=5)
        for at in (1, 2, 6, 12):
            ax.annotate(f"{found[at]:.1f}", (at, found[at]), xytext=(0, 8), textcoords="offset points", ha="center")
        ax.set(xlabel="layers passed", ylabel="variance of the stream", yscale="log", ylim=(0.5, 120), xlim=(-0.5, 13))
        ax.set_yticks((1, 3, 10, 30, 100), ("1", "3", "10", "30", "100"))
        ax.set_yticks([], minor=True)
        figures.title(ax, f"Stack {stack}: 1 at the start, {found[-1]:.0f} behind twelve layers")
    return fig
