"""Drawings of chapter 04b: recall against distance, and text against what is visible."""

import math
from collections.abc import Mapping, Sequence

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from course_lib.classroom import figures

Rows = Mapping[tuple[str, int], Sequence[float]]


def recall(ax: Axes, rows: Rows) -> None:
    """Draw the share recalled against distance, one mark a seed, a line through the means."""
    kinds = (("transformer", figures.BLUE, "o", "-", "Transformer with token shift, 400 steps"),
             ("transformer without token shift", figures.TEAL, "s", "none", "the same without it, 1,600 steps"),
             ("lstm", figures.ORANGE, "^", "--", "LSTM, 3,000 steps"))  # fmt: skip
    for kind, colour, mark, dash, label in (each for each in kinds if any(each[0] == name for name, _ in rows)):
        where = sorted(distance for name, distance in rows if name == kind)
        means = [sum(rows[kind, d]) / len(rows[kind, d]) for d in where]
        ax.plot([d + 4 for d in where], means, color=colour, linestyle=dash, linewidth=1.6)
        ax.plot([], [], mark, color=colour, linestyle=dash, markersize=5, label=label)
        for d in where:
            ax.plot([d + 4] * len(rows[kind, d]), rows[kind, d], mark, color=colour, alpha=0.7, markersize=5)
    figures.level(ax, 1 / 16, "chance")
    ax.set(xscale="log", xlabel="symbols between pairs and questions", ylabel="share recalled", ylim=(0, 1.08))
    ax.set_xticks([d + 4 for d in (0, 8, 32, 128)], ["0", "8", "32", "128"])
    ax.set_xticks([], minor=True)
    ax.legend(frameon=False, fontsize=9, loc="center right", bbox_to_anchor=(1, 0.4))


def smoothed(bits: Tensor) -> Tensor:
    """Return (seed, position) averaged over neighbouring positions, a quarter to each side."""
    parts = [bits[:, max(1, t - t // 4) - 1 : t + t // 4].mean(1) for t in range(1, bits.shape[1] + 1)]
    return torch.stack(parts, dim=1)


def text(ax: Axes, bits: Tensor) -> None:
    """Draw bits against the number of visible characters, a thin line a seed and the mean."""
    curves = smoothed(bits)
    for curve in curves:
        ax.plot(range(1, bits.shape[1] + 1), figures.values(curve), color=figures.BLUE, linewidth=0.7, alpha=0.5)
    figures.line(ax, range(1, bits.shape[1] + 1), curves.mean(0), figures.BLUE)
    ax.axvline(16, color=figures.MUTE, linestyle=":", linewidth=1.2)
    ax.text(17, 3.3, "16 characters", color=figures.MUTE, fontsize=9)
    ax.set(xscale="log", xlabel="visible characters", ylabel="bits per character", ylim=(2, 4))
    ax.set_xticks((1, 4, 16, 64, 256), ("1", "4", "16", "64", "256"))
    ax.set_xticks([], minor=True)


def both(rows: Rows, nats: Sequence[Sequence[float]]) -> Figure:
    """Draw how far the Transformer recalls beside what text gives it from 64 visible characters on."""
    fig, (axes,) = figures.new(1, 2, width=9.5, height=3.6)
    recall(axes[0], {key: shares for key, shares in rows.items() if key[0] == "transformer"})
    curves = smoothed(torch.tensor(nats, dtype=torch.float64) / math.log(2))
    for curve in curves:
        axes[1].plot(range(64, curves.shape[1] + 1), figures.values(curve[63:]), color=figures.BLUE, linewidth=0.9)
    axes[1].set(xlabel="visible characters, 64 to 256", ylabel="bits per character", ylim=(2, 3), xlim=(60, 260))
    figures.title(axes[0], "A task: two blocks with a token shift recall")
    figures.title(axes[1], "Text, from 64 characters on: nearly level")
    return fig


def compared(rows: Rows, elimination: float) -> Figure:
    """Draw the three kinds of model; elimination: the share of one who only strikes values out."""
    fig, ((ax,),) = figures.new(width=6.5, height=3.6)
    recall(ax, rows)
    figures.level(ax, elimination, "elimination")
    figures.title(ax, "With a token shift two blocks recall; without, and the LSTM, do not")
    return fig


def fall(bits: Tensor) -> Figure:
    """Draw the text's curve by itself."""
    fig, ((ax,),) = figures.new(width=6.5, height=3.6)
    text(ax, bits)
    figures.title(ax, "This small model's gain from context comes mostly from the last 16")
    return fig
