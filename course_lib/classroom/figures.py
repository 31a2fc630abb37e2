"""Figures in one style: five colours with fixed meanings, titles that state the finding, alternative text.

A figure is made by ``new``, drawn with the helpers or with matplotlib, and shown by ``show(fig, alt=…)``.
Colour is never alone: every mark has a letter, a dash pattern or a direct label beside it.
Numbers may come as tensors of any device, with or without a graph, as arrays or lists: ``values`` takes them all, and
what is handed to matplotlib itself goes through it too.
"""

import io
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import PatchCollection
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from torch import Tensor

from course_lib.training import runtime

BLUE, ORANGE, TEAL, BERRY = "#0156FC", "#C86A1E", "#0AA582", "#8D066D"


INK, MUTE, PALE = "#222222", "#6E6E6E", "#EFEFEF"


TEXT = {BLUE: BLUE, ORANGE: "#A8550F", TEAL: "#077A60", BERRY: BERRY, INK: INK, MUTE: MUTE}


WEIGHTS = LinearSegmentedColormap.from_list("weights", ["#FFFFFF", "#E9B9DC", "#B8489A", "#8D066D", "#4A0339"])


SIGNED = LinearSegmentedColormap.from_list("signed", [BLUE, "#F2F2F2", ORANGE])


DPI = 100


Numbers = Tensor | np.ndarray | np.generic | Sequence[Any] | float | int


def values(numbers: Numbers) -> np.ndarray:
    """Return numbers as the array that matplotlib takes: tensors are detached and leave their device.

    A list may hold tensors. bfloat16, which NumPy does not have, becomes float32.
    """
    if isinstance(numbers, Tensor):
        numbers = numbers.detach().cpu()
        return (numbers.float() if numbers.dtype == torch.bfloat16 else numbers).numpy()
    if isinstance(numbers, list | tuple) and any(isinstance(each, Tensor | list | tuple) for each in numbers):
        return np.asarray([values(each) for each in numbers])
    return np.asarray(numbers)


def ink_on(value: float, limit: float | None = None) -> str:
    """Return the ink that can be read on a cell: white on the dark ones.

    limit: of a signed cell in −limit … limit, of which only the blue end is dark; None for a weight in 0 … 1.
    """
    dark = value >= 0.47 if limit is None else value < -0.75 * limit
    return "white" if dark else INK


def visible(character: str) -> str:
    """Return a character as it can be seen in a label: a space and the end of a line have signs of their own."""
    return {" ": "␣", "\n": "⏎"}.get(character, character)


def new(
    rows: int = 1, columns: int = 1, width: float = 9.5, height: float = 3.6, **ratios
) -> tuple[Figure, np.ndarray]:
    """Return a figure of width × height inches and its axes as an array (rows, columns).

    ratios: width_ratios and height_ratios of the grid. The figure belongs to no global state.
    """
    figure = Figure(figsize=(width, height), dpi=DPI, layout="constrained", facecolor="white")
    FigureCanvasAgg(figure)
    axes = figure.subplots(rows, columns, squeeze=False, gridspec_kw=ratios)
    for ax in axes.flat:
        ax.spines[["top", "right"]].set_visible(False)
        ax.tick_params(colors=INK, labelsize=9)
    return figure, axes


def title(ax: Axes, text: str) -> None:
    """Set the finding as a left-aligned title."""
    ax.set_title(text, loc="left", fontsize=12 if len(text) < 60 else 11, color=INK)


def line(
    ax: Axes, x: Numbers, y: Numbers, colour: str, label: str = "", dashed: bool = False, end: bool = True, **options
) -> None:
    """Draw a line with its label written at its end (or at its start), in the text shade of its colour."""
    x, y = values(x).astype(float), values(y).astype(float)
    dashed = dashed or colour == MUTE  # mute is always dashed
    ax.plot(x, y, color=colour, linestyle="--" if dashed else "-", linewidth=1.8, **options)
    if label:
        at = -1 if end else 0
        ax.annotate(
            label,
            (x[at], y[at]),
            xytext=(5 if end else -5, 0),
            textcoords="offset points",
            ha="left" if end else "right",
            va="center",
            color=TEXT.get(colour, INK),
            fontsize=9.5,
            annotation_clip=False,
        )


def level(ax: Axes, y: Numbers, label: str) -> None:
    """Draw a dashed reference line across the axes with its label above its right end."""
    y = float(values(y))
    ax.axhline(y, color=MUTE, linestyle="--", linewidth=1.2, zorder=1)
    at_right = ax.get_yaxis_transform()  # x as a fraction of the axes, y as data
    ax.text(0.995, y, label, transform=at_right, ha="right", va="bottom", color=MUTE, fontsize=9)


def matrix(
    ax: Axes,
    numbers: Numbers,
    rows: Sequence[str],
    columns: Sequence[str],
    name: str = "",
    kind: str = "weights",
    mask: Numbers | None = None,
    row_sums: bool = False,
    limit: float | None = None,
    digits: bool = True,
) -> None:
    """Draw a matrix with its numbers; queries are rows, keys columns.

    kind: weights (white to berry, fixed 0 … 1) or signed (blue – grey – orange, symmetric to ±limit);
    mask: boolean, where False the cell is hatched and has no number: forbidden is not small;
    row_sums: written at the right; digits: off for large matrices.
    """
    cells = values(numbers).astype(float)
    allowed = np.ones(cells.shape, bool) if mask is None else values(mask).astype(bool)
    limit = limit or float(np.abs(cells[allowed]).max(initial=0.0)) or 1.0
    shades, low, high = (WEIGHTS, 0.0, 1.0) if kind == "weights" else (SIGNED, -limit, limit)
    ax.imshow(np.where(allowed, cells, 0.0), cmap=shades, vmin=low, vmax=high, aspect="auto")
    for r, c in np.ndindex(*cells.shape):
        if not allowed[r, c]:
            ax.add_patch(
                Rectangle((c - 0.5, r - 0.5), 1, 1, facecolor=PALE, edgecolor="#C4C4C4", hatch="////", linewidth=0)
            )
        elif digits:
            ink = ink_on(float(cells[r, c]), None if kind == "weights" else limit)
            number = f"{cells[r, c]:.2f}" if abs(cells[r, c]) < 10 else f"{cells[r, c]:.0f}"  # as long as fits
            ax.text(c, r, number, ha="center", va="center", fontsize=9, color=ink)
    if kind == "signed" and not digits:
        hatch_negative(ax, np.where(allowed, cells, 0.0))
    ax.set_xticks(range(len(columns)), columns, fontsize=9)
    ax.set_yticks(range(len(rows)), rows, fontsize=9)
    ax.tick_params(length=0)
    ax.xaxis.tick_top()
    ax.spines[:].set_visible(False)
    if name:
        ax.set_xlabel(f"{name} {tuple(cells.shape)}", fontsize=9.5, color=INK)
    if row_sums:
        for r, total in enumerate(np.where(allowed, cells, 0.0).sum(axis=1)):
            ax.text(cells.shape[1] - 0.4, r, f"Σ {total:.2f}", va="center", fontsize=8.5, color=MUTE)


def hatch_negative(ax: Axes, numbers: Numbers) -> None:
    """Hatch the cells below zero of a signed picture without digits: in grey both ends of its colours look alike."""
    below = [Rectangle((c - 0.5, r - 0.5), 1, 1) for r, c in np.argwhere(values(numbers) < 0)]
    ax.add_collection(PatchCollection(below, hatch="////", facecolor="none", edgecolor=INK, linewidth=0))


def bits(ax: Axes, surprise: Numbers, labels: Sequence[str]) -> None:
    """Draw the surprise of every symbol of a message, in bits, as a bar with its number."""
    heights = values(surprise).astype(float)
    bars = ax.bar(range(len(heights)), heights, color=BERRY, width=0.7)
    ax.bar_label(bars, fmt="%.1f", fontsize=9, padding=2, color=INK)
    ax.set_xticks(range(len(labels)), [visible(label) for label in labels], fontsize=11)
    ax.set_ylabel("surprise (bits)")
    ax.margins(x=0.02, y=0.12)


def tiled(images: Numbers, columns: int, low: float = 0.0) -> np.ndarray:
    """Return square images, flat or not, as one grid with columns a row, each in a frame of low one pixel wide."""
    pictures = torch.tensor(values(images)).float()
    side = math.isqrt(pictures[0].numel())
    pictures = pictures.reshape(-1, side, side)
    rows = -(-len(pictures) // columns)
    blank = torch.full((rows * columns - len(pictures), side, side), low)
    framed = torch.nn.functional.pad(torch.cat([pictures, blank]), (1, 1, 1, 1), value=low)
    return framed.view(rows, columns, side + 2, side + 2).transpose(1, 2).reshape(rows * (side + 2), -1).numpy()


def tiles(ax: Axes, images: Numbers, columns: int, low: float = 0.0, high: float = 1.0) -> None:
    """Draw square images, flat or not, as one grid with columns a row, white paper and dark ink, low to high."""
    ax.imshow(tiled(images, columns, low), cmap="gray_r", vmin=low, vmax=high, interpolation="nearest")
    ax.set(xticks=(), yticks=())
    ax.spines[:].set_visible(False)


def points(ax: Axes, xy: Numbers, colour: str = BLUE, limit: float = 2.3, **options) -> None:
    """Scatter points (n, 2) of the standardised plane: data are blue dots, a model's samples orange triangles."""
    options = {"s": 9, "marker": "^" if colour == ORANGE else "o", "linewidths": 0, "alpha": 0.75} | options
    ax.scatter(*values(xy).T, color=colour, **options)
    plane(ax, limit)


def plane(ax: Axes, limit: float = 2.3) -> None:
    """Fix the axes of the standardised plane, so that panels can be compared."""
    ax.set(xlim=(-limit, limit), ylim=(-limit, limit), xticks=(-2, 0, 2), yticks=(-2, 0, 2), aspect="equal")
    ax.set_xlabel("$x_1$ (standard deviations)", fontsize=9.5)
    ax.set_ylabel("$x_2$", fontsize=9.5)


def png(figure: Figure) -> bytes:
    """Return the figure as PNG without metadata, so that the same picture is the same bytes."""
    out = io.BytesIO()
    figure.savefig(out, format="png", metadata={"Software": None})
    return out.getvalue()


def show(figure: Figure, alt: str) -> None:
    """Show a figure with its alternative text: in the output's metadata, as plain text and as the caption.

    ValueError for an empty alternative text. Outside a notebook, prints the text.
    """
    if not alt.strip():
        raise ValueError("alt: expected one or two sentences that say what the figure shows, got none")
    if not runtime.in_notebook():
        print(f"[figure] {alt}")
        return
    from IPython.display import display

    bundle = {"image/png": png(figure), "text/plain": alt}
    display(bundle, raw=True, metadata={"image/png": {"alt": alt}})
    display({"text/markdown": f"*{alt}*", "text/plain": alt}, raw=True)
