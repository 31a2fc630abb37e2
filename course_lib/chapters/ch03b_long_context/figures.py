"""Pictures of chapter 03b: what is kept for the way back, how a tile is made again, and what a cache weighs."""

from collections.abc import Mapping, Sequence

import torch
from matplotlib.figure import Figure
from torch import Tensor

from course_lib.attention.online import attention_bytes
from course_lib.classroom import figures
from course_lib.classroom.diagrams import arrows, boxes
from course_lib.classroom.figures import BERRY, BLUE, INK, MUTE, ORANGE, TEAL, TEXT


def opening() -> Figure:
    """Return the bytes that one head of 64 numbers keeps for its backward pass, by length, explicit and in tiles."""
    T = [2**i for i in range(8, 17)]
    explicit, online = zip(*(attention_bytes(1, length, 64) for length in T), strict=True)
    figure, ((ax,),) = figures.new(width=7.5, height=3.5)
    figures.line(ax, T, torch.tensor(explicit) / 2**20, ORANGE, "weights kept\n16 GiB", marker="^")
    figures.line(ax, T, torch.tensor(online) / 2**20, TEAL, "computed again\n64 MiB", marker="o")
    ax.set(xscale="log", yscale="log", xlabel="T (positions)", ylabel="kept for backward (MiB)")
    figures.title(ax, "One head at 65,536 positions: 16 GiB or 64 MiB")
    return figure


def made_again() -> Figure:
    """Return what is kept, how one tile's weights come back from it, and what they are used for."""
    figure, ((ax,),) = figures.new(width=9.5, height=3.3)
    placed = {
        "q, k\n(T, d) each": (0.0, 1.6, TEAL),
        "z\n(T,)": (0.0, 0.8, TEAL),
        "v, O\n(T, d) each": (0.0, 0.0, TEAL),
        "scores s\n(T, tile)": (2.5, 1.6, BERRY),
        "weights p\n(T, tile)": (4.6, 1.2, BERRY),
        "∂L/∂s\n(T, tile)": (6.7, 0.8, BERRY),
        "∂L/∂q: added to": (8.9, 1.6, INK),
        "∂L/∂k of this tile": (8.9, 0.8, INK),
        "∂L/∂v of this tile": (8.9, 2.4, INK),
    }
    sized = {text: (x, y, 1.75 if x < 8 else 2.1, colour) for text, (x, y, colour) in placed.items()}
    boxes(ax, sized, height=0.55, size=9)
    ways = [((1.77, 1.9), (2.48, 1.9)), ((4.27, 1.8), (4.58, 1.55)), ((1.77, 1.05), (4.58, 1.4)),
            ((6.37, 1.4), (6.68, 1.1)), ((1.77, 0.25), (6.68, 0.95)), ((8.47, 1.15), (8.88, 1.8)),
            ((8.47, 1.05), (8.88, 1.05)), ((5.5, 1.77), (8.88, 2.65))]  # fmt: skip
    arrows(ax, ways)
    ax.text(3.2, 0.27, "with G, from above", fontsize=9, color=TEXT[MUTE])
    for x, text, colour in ((0.0, "kept", TEAL), (2.5, "made again for each tile, then forgotten", BERRY)):
        ax.text(x, 3.1, text, fontsize=10, color=TEXT[colour])
    ax.set(xlim=(-0.1, 11.2), ylim=(-0.15, 3.4), xticks=(), yticks=())
    ax.spines[:].set_visible(False)
    return figure


def kept_by_length(lengths: Sequence[int], curves: Mapping[str, Sequence[float]]) -> Figure:
    """Return measured bytes in MiB against length, one line a way of computing."""
    figure, ((ax,),) = figures.new(width=9.5, height=3.6)
    looks = ((ORANGE, "^"), (BERRY, "s"), (TEAL, "o"))
    for (name, curve), (colour, mark) in zip(curves.items(), looks, strict=True):
        figures.line(ax, lengths, curve, colour, f"{name}\n{curve[-1]:.1f} MiB", marker=mark)
    ax.set(xscale="log", yscale="log", xlabel="T (positions)", ylabel="kept for backward (MiB)")
    ax.set_xticks(lengths, lengths)
    ax.minorticks_off()
    return figure


def five_apart(positions: Tensor, true: Tensor, broken: Tensor) -> Figure:
    """Return the score of two equal vectors five places apart, against position, exact and rounded."""
    figure, ((ax,),) = figures.new(width=9.5, height=3.2)
    ax.scatter(*figures.values([positions, broken]), s=5, marker="^", color=ORANGE)
    figures.line(ax, positions, true, INK, f"float64\n{float(true[0]):.1f}")
    ax.set(xlabel="position of the query, the key five before", ylabel="score", xlim=(0, 2048))
    ax.text(60, 58, "▲ rounded to bfloat16", color=TEXT[ORANGE])
    return figure


def cache(T: Tensor, sizes: Mapping[int, Tensor], weights: float) -> Figure:
    """Return the gibibytes of a cache against length, a line for each number of key and value heads."""
    figure, ((ax,),) = figures.new(width=9.5, height=3.6)
    for (heads, size), (colour, mark) in zip(sizes.items(), ((ORANGE, "^"), (BLUE, "o")), strict=True):
        figures.line(ax, T, size, colour, f"{heads} heads {float(size[-1]):.0f} GiB", marker=mark)
    figures.level(ax, weights, "")
    ax.text(1100, 1.17 * weights, f"the weights, {weights:.0f} GiB", color=MUTE, fontsize=9.5)
    ax.set(
        xscale="log",
        yscale="log",
        xlabel="T (positions)",
        ylabel="KV cache (GiB)",
        xlim=(900, 1.35e5),
        ylim=(0.08, 120),
    )
    return figure
