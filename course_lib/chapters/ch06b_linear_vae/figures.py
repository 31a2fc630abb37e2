"""Pictures of chapter 06b: the two matrices, what they learn, what dies, and what more draws do."""

from collections.abc import Mapping, Sequence

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from course_lib.classroom import figures
from course_lib.classroom.diagrams import arrows, boxes
from course_lib.classroom.figures import BERRY, BLUE, INK, MUTE, ORANGE, TEAL, TEXT


def _lengths(ax: Axes, eigenvalues: Sequence[float]) -> None:
    s2 = torch.linspace(0, 0.065, 200)
    for j, each in enumerate(eigenvalues):
        y = (each - s2).clamp(min=0)
        ax.plot(s2, y, color=MUTE, linestyle="--", linewidth=1.4)
        ax.text(-0.0012, each, f"λ{'₁₂₃₄₅'[j]}", ha="right", va="center", fontsize=9, color=TEXT[MUTE])
    ax.axhline(0, color=INK, linewidth=0.8)
    ax.set(xlabel="noise of the decoder, σ²", ylabel="squared length of a column", ylim=(-0.002, 0.062))
    ax.set_xlim(-0.006, 0.066)


def _ratios(ax: Axes, ks: Sequence[int], ratios: Mapping[str, Sequence[float] | Tensor]) -> None:
    looks = {"plain": (TEAL, "o"), "doubly\nreparam.": (BERRY, "s"), "decoder": (ORANGE, "^")}
    for name, values in ratios.items():
        colour, mark = looks[name]
        figures.line(ax, ks, values, colour, name, marker=mark)
    ax.set(xscale="log", yscale="log", xlabel="draws k", ylabel="signal-to-noise of a gradient")
    ax.set_xticks(ks, [str(k) for k in ks])
    ax.minorticks_off()


def opening(eigenvalues: Sequence[float], ks: Sequence[int], ratios: Mapping[str, Sequence[float]]) -> Figure:
    """Return which latents live at which noise, and the signal of two gradients of one encoder against k."""
    figure, ((left, right),) = figures.new(1, 2, height=3.5)
    _lengths(left, eigenvalues)
    figures.title(left, "Above σ² = 0.057 nothing is learned")
    _ratios(right, ks, ratios)
    figures.title(right, "Two estimates of an encoder's gradient")
    return figure


def linear_vae() -> Figure:
    """Return the linear VAE as a diagram: two matrices and two kinds of noise."""
    figure, ((ax,),) = figures.new(width=9.5, height=2.4)
    placed = {
        "x − m\n(16,)": (0.0, 0.3, 1.2, BLUE),
        "V\n(5, 16)": (1.9, 0.3, 1.1, TEAL),
        "z\n(5,)": (4.7, 0.3, 1.1, TEAL),
        "W\n(16, 5)": (6.5, 0.3, 1.1, ORANGE),
        "x̂ − m\n(16,)": (9.3, 0.3, 1.3, ORANGE),
        "noise of variance D": (2.7, 1.5, 2.2, MUTE),
        "noise of variance σ²": (7.2, 1.5, 2.3, MUTE),
    }
    boxes(ax, placed)
    ways = [((1.25, 0.61), (1.85, 0.61)), ((3.05, 0.61), (3.65, 0.61)), ((3.95, 0.61), (4.65, 0.61)),
            ((5.85, 0.61), (6.45, 0.61)), ((7.65, 0.61), (8.2, 0.61)), ((8.5, 0.61), (9.25, 0.61)),
            ((3.8, 1.45), (3.8, 0.78)), ((8.35, 1.45), (8.35, 0.78))]  # fmt: skip
    arrows(ax, ways)
    for x in (3.8, 8.35):
        ax.text(x, 0.61, "+", ha="center", va="center", fontsize=13, color=INK)
    ax.text(1.9, 0.0, "encoder", fontsize=9.5, color=TEXT[TEAL])
    ax.text(6.5, 0.0, "decoder", fontsize=9.5, color=TEXT[ORANGE])
    ax.set(xlim=(-0.1, 10.8), ylim=(-0.1, 2.25), xticks=(), yticks=())
    ax.spines[:].set_visible(False)
    return figure


def columns(directions: Tensor, found: Sequence[Tensor]) -> Figure:
    """Return principal directions (16, 5) as 4 × 4 pictures, and under them the columns that seeds found."""
    rows = [directions, *found]
    figure, axes = figures.new(len(rows), 5, width=7.2, height=1.35 * len(rows) + 0.3)
    figure.suptitle(
        "Each column that training found looks like a principal direction (hatched: below zero)",
        x=0.01,
        ha="left",
        fontsize=12,
    )
    for r, matrix in enumerate(rows):
        for j in range(5):
            column = matrix[:, j] / matrix[:, j].norm()
            column = column * (column @ directions[:, j]).sign()
            axes[r, j].imshow(figures.values(column.view(4, 4)), cmap=figures.SIGNED, vmin=-0.7, vmax=0.7)
            figures.hatch_negative(axes[r, j], column.view(4, 4))
            axes[r, j].set(xticks=(), yticks=())
            axes[r, j].spines[:].set_visible(False)
            if r == 0:
                axes[r, j].set_xlabel(f"direction {j + 1}", fontsize=9)
        axes[r, 0].set_ylabel("PCA" if r == 0 else f"seed {r - 1}", fontsize=9.5, rotation=0, labelpad=22, va="center")
    return figure


def collapse(eigenvalues: Sequence[float], noise: Sequence[float], found: Tensor) -> Figure:
    """Return the squared lengths of trained columns, (noises, 5), on the lines that the theory draws."""
    figure, ((ax,),) = figures.new(width=6.5, height=3.5)
    _lengths(ax, eigenvalues)
    for s2, squares in zip(noise, found, strict=True):
        ax.plot([s2] * len(squares), figures.values(squares), "o", color=ORANGE, markersize=5)
    ax.text(0.034, 0.046, "– – eigenvalue − σ², or 0\n● trained", color=INK, fontsize=9.5)
    return figure


def gaps(ks: Sequence[int], wide: Tensor, narrow: Tensor) -> Figure:
    """Return ln p(x) minus the bound against the number of draws, for a q that is too wide and one too narrow."""
    figure, ((ax,),) = figures.new(width=7.5, height=3.5)
    figures.line(ax, ks, wide, TEAL, "too wide", marker="o")
    figures.line(ax, ks, narrow, BERRY, "too narrow", marker="s")
    ax.set(xscale="log", yscale="log", xlabel="draws k", ylabel="ln p(x) − bound (nats)")
    return figure


def signal(ks: Sequence[int], ratios: Mapping[str, Tensor]) -> Figure:
    """Return signal-to-noise ratios against k: name → (seeds, ks); a thin line a seed, the marked one their mean."""
    figure, ((ax,),) = figures.new(width=7.5, height=3.8)
    for name, colour in (("plain", TEAL), ("doubly\nreparam.", BERRY), ("decoder", ORANGE)):
        for each in ratios[name]:
            ax.plot(ks, figures.values(each), color=colour, linewidth=0.7, alpha=0.6)
    _ratios(ax, ks, {name: each.log().mean(0).exp() for name, each in ratios.items()})
    return figure
