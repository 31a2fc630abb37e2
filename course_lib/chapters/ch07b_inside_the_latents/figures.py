"""Pictures of chapter 07b: the map, who works, two paths, the aggregate posterior, the KL in two parts."""

import math
from collections.abc import Mapping, Sequence

import torch
from matplotlib.figure import Figure
from torch import Tensor

from course_lib.classroom import figures
from course_lib.classroom.figures import BERRY, INK, MUTE, TEAL

PALE_BERRY = "#F3DCEE"


def map_and_work(cells: Tensor, kl: Tensor, active: Tensor) -> Figure:
    """Return the decoder's means over two latents beside the KL of each of many latents, largest first."""
    figure, ((left, right),) = figures.new(1, 2, height=4.2, width_ratios=(1, 1.25))
    figures.tiles(left, cells, columns=14)
    figures.title(left, "Two latents: a map")
    order = kl.argsort(descending=True)
    colours = [TEAL if works else MUTE for works in active[order]]
    right.bar(range(len(kl)), figures.values(kl[order]), color=colours)
    count = int(active.sum())
    right.text(count + 3, 0.5, f"{len(kl) - count} latents whose q is\nthe prior, whatever the image", color=MUTE)
    right.set(xlabel="latent, sorted", ylabel="KL (nats)", xlim=(-1, len(kl)))
    figures.title(right, f"Fifty latents: {count} share {kl.sum():.0f} nats of KL")
    return figure


def places(means: Tensor, labels: Sequence[int]) -> Figure:
    """Return the plane of two latents, in steps that are equally likely, with each digit's label at its place."""
    figure, ((ax,),) = figures.new(width=6, height=4.6)
    at = torch.special.ndtr(means)  # the share of the prior's draws below
    for place, label in zip(at.tolist(), labels, strict=True):
        ax.text(*place, str(label), fontsize=8, color=INK, ha="center", va="center")
    marks = [-2, -1, 0, 1, 2]
    ticks = torch.special.ndtr(torch.tensor(marks)).tolist()
    names = [f"{mark}".replace("-", "−") for mark in marks]
    ax.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), aspect="equal", xlabel="$z_1$", ylabel="$z_2$")
    ax.set_xticks(ticks, names)
    ax.set_yticks(ticks, names)
    figures.title(ax, f"Where the encoder puts {len(labels)} test digits")
    return figure


def the_two_ways() -> Figure:
    """Return the diagram of a straight and a turning way between two latents at a right angle, in their plane."""
    figure, ((ax,),) = figures.new(width=6, height=2.9)
    turn = [i / 60 * math.pi / 2 for i in range(61)]
    ax.plot([7.07 * math.cos(w) for w in turn], [7.07 * math.sin(w) for w in turn], color=TEAL)
    ax.plot([7.07, 0], [0, 7.07], color=BERRY, linestyle="-.")
    for x, y, name in ((7.07, 0, "a"), (0, 7.07, "b")):
        ax.plot(x, y, "o", color=INK)
        ax.text(x + 0.25, y + 0.15, name, color=INK)
    ax.plot([0, 3.535], [0, 3.535], color=MUTE, linestyle="--")
    ax.plot(0, 0, "o", color=MUTE)
    ax.text(-0.2, -0.55, "0", color=MUTE, fontsize=9.5, ha="right")
    ax.text(1.1, 2.3, "5.0", color=MUTE, fontsize=9.5)
    ax.text(5.3, 5.2, "along the shell: length 7.07 all the way", color=TEAL, fontsize=9.5)
    ax.text(4.7, 0.35, "straight:\nits middle\nis shorter", color=BERRY, fontsize=9.5, ha="right")
    ax.set(xlim=(-0.8, 15), ylim=(-0.8, 8), aspect="equal")
    ax.set_axis_off()
    return figure


def paths(rows: Mapping[str, Tensor]) -> Figure:
    """Return a row of nine images for each path, one below the other."""
    figure, axes = figures.new(len(rows), 1, width=7, height=1.1 * len(rows))
    for (ax,), (text, images) in zip(axes, rows.items(), strict=True):
        figures.tiles(ax, images, columns=9)
        figures.title(ax, f"▲ {text}")
    return figure


def two_parts(
    ticks: Tensor, density: Tensor, parts: Mapping[str, tuple[float, float, float]], limit: float
) -> Figure:  # fmt: skip
    """Return q(z) over two latents with the prior's circles, and each model's KL as information and mismatch."""
    figure, ((left, right),) = figures.new(1, 2, height=4.2, width_ratios=(1.2, 1))
    side, half = len(ticks), float(ticks[1] - ticks[0]) / 2
    edges = (float(ticks[0]) - half, float(ticks[-1]) + half)
    shades = left.imshow(
        figures.values(density.view(side, side).T), cmap=figures.WEIGHTS, origin="lower", vmin=0,
        extent=edges * 2,
    )  # fmt: skip
    figure.colorbar(shades, ax=left, shrink=0.8, label="density q(z)")
    radius = (ticks[:, None] ** 2 + ticks**2).sqrt()
    left.contour(
        *map(figures.values, (ticks, ticks, radius)), levels=[1, 2, 3], colors=MUTE, linestyles="--", linewidths=1
    )
    left.set(xlim=(-3.5, 3.5), ylim=(-3.5, 3.5), xlabel="$z_1$", ylabel="$z_2$")
    figures.title(left, "q(z) and the prior's circles")
    for i, (_, information, mismatch) in enumerate(parts.values()):
        right.barh(i, information, color=TEAL)
        right.barh(i, mismatch, left=information, color=PALE_BERRY, edgecolor=BERRY, hatch="//")
    right.set_yticks(range(len(parts)), list(parts))
    right.axvline(limit, color=MUTE, linestyle="--", linewidth=1.2)
    right.text(limit + 0.4, 0.46, "ln 9,000", color=MUTE, fontsize=9)
    right.set(xlabel="nats: solid information, hatched mismatch", ylim=(-0.6, len(parts) - 0.4))
    figures.title(right, "The KL, in two parts")
    return figure
