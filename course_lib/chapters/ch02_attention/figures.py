"""Pictures of chapter 02: the look-up, the stages of attention, the way back, three faults."""

from collections.abc import Sequence

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from course_lib.attention.masks import causal_mask
from course_lib.classroom.figures import BERRY, BLUE, INK, MUTE, ORANGE, TEAL, TEXT, matrix, new, title


def box(ax: Axes, x: float, y: float, text: str, colour: str, size: float = 10) -> None:
    """Write a text in a box with a border of this colour, centred at x, y."""
    style = {"boxstyle": "round,pad=0.35", "facecolor": "white", "edgecolor": colour, "linewidth": 1.6}
    ax.text(x, y, text, ha="center", va="center", fontsize=size, color=TEXT[colour], bbox=style, zorder=3)


def _pair(numbers: Tensor | Sequence[float]) -> str:
    return "  ".join(f"{float(number):.1f}" for number in numbers)


def look_up(
    tokens: Sequence[str],
    asking: str,
    query: Tensor,
    keys: Tensor,
    weights: Sequence[float],
    values: Tensor,
    output: Sequence[float],
) -> Figure:
    """Return the soft look-up of one query as a diagram: compared with every key, weighted, added up."""
    figure, ((ax,),) = new(width=9.5, height=3.5)
    middle = (len(tokens) - 1) / 2
    for x, name in zip(
        (0.9, 3.0, 4.3, 5.9, 7.6, 9.4), ("query", "key", "score", "weight", "value", "output"), strict=True
    ):
        ax.text(x, -0.85, name, ha="center", fontsize=10, color=INK, weight="bold")
    for r, (token, key, weight, value) in enumerate(zip(tokens, keys, weights, values, strict=True)):
        ax.plot([0.9, 1.75], [middle, r], color=BLUE, linewidth=1, zorder=1)
        ax.text(2.1, r, token, ha="center", va="center", fontsize=10, color=INK)
        box(ax, 3.0, r, _pair(key), ORANGE)
        ax.text(4.3, r, f"{float(query @ key):.2f}", ha="center", va="center", fontsize=10, color=INK)
        ax.barh(r, 1.4 * weight, left=5.1, height=0.55, color=BERRY)
        ax.text(5.18 + 1.4 * weight, r, f"{weight:.2f}", va="center", fontsize=10, color=BERRY)
        box(ax, 7.6, r, _pair(value), TEAL)
        ax.plot([8.0, 9.4], [r, middle], color=TEAL, linewidth=0.6 + 7 * weight, zorder=1, solid_capstyle="butt")
    box(ax, 0.9, middle, f"{asking}\n{_pair(query)}", BLUE)
    box(ax, 9.4, middle, "  ".join(f"{each:.2f}" for each in output), INK)
    ax.set(xlim=(0.2, 10.2), ylim=(len(tokens) - 0.4, -1.1))
    ax.axis("off")
    title(ax, f"‘{asking}’ takes most of what it gets from ‘{tokens[weights.index(max(weights))]}’")
    return figure


def backward_pass() -> Figure:
    """Return attention as boxes, with the way of the values (solid) and of the gradients (dashed)."""
    figure, ((ax,),) = new(width=9.5, height=2.7)
    places = {"Q": (0, 1), "K": (0, -1), "s": (2.3, 0), "p": (4.6, 0), "V": (4.6, -1.6), "O": (6.9, 0), "L": (9, 0)}
    colours = {"Q": BLUE, "K": ORANGE, "V": TEAL, "p": BERRY}
    ways = {  # what the gradient meets on its way back, and where that is written
        "Qs": ("∂s · K/√d", 0.75, 0.2),
        "Ks": ("∂sᵀ · Q/√d", 1.95, -0.85),
        "sp": ("J · ∂p", 3.45, -0.5),
        "pO": ("G · Vᵀ", 5.25, -0.42),
        "VO": ("pᵀ · G", 6.35, -1.15),
        "OL": ("G", 7.95, -0.5),
    }
    for way, (says, x, y) in ways.items():
        start, end = way[0], way[1]
        (x0, y0), (x1, y1) = places[start], places[end]
        forward, back = {"arrowstyle": "->", "color": INK}, {"arrowstyle": "->", "color": MUTE, "linestyle": "--"}
        ax.annotate("", (x1 - 0.35, y1 + 0.07), (x0 + 0.35, y0 + 0.07), arrowprops=forward)
        ax.annotate("", (x0 + 0.35, y0 - 0.13), (x1 - 0.35, y1 - 0.13), arrowprops=back)
        ax.text(x, y, says, ha="center", va="center", fontsize=9.5, color=MUTE)
    for name, (x, y) in places.items():
        box(ax, x, y, name, colours.get(name, INK))
    for says, x, y in (("QKᵀ/√d", 1.65, 0.65), ("softmax", 3.45, 0.22), ("pV", 5.75, 0.22)):
        ax.text(x, y, says, ha="center", fontsize=9.5, color=INK)
    ax.set(xlim=(-0.5, 9.5), ylim=(-2.3, 1.5))
    ax.axis("off")
    title(ax, "Forward along the solid arrows, the gradient back along the dashed")
    return figure


def faulty_weights() -> Figure:
    """Return the weights of three causal layers, with one fault each, for the reader to name."""
    generator = torch.Generator().manual_seed(8)
    a, b = torch.randn(2, 6, 16, dtype=torch.float64, generator=generator)
    plain, allowed = a @ b.T / 4, causal_mask(6)
    faults = {
        "a": plain.masked_fill(~allowed, -torch.inf).softmax(0),
        "b": (plain * 4).masked_fill(~allowed, -torch.inf).softmax(-1),
        "c": plain.softmax(-1),
    }
    figure, (axes,) = new(1, 3, height=3.4)
    for ax, (name, weights) in zip(axes, faults.items(), strict=True):
        matrix(ax, weights, list("012345"), list("012345"), "weights", row_sums=True)
        title(ax, f"fault {name}")
    return figure


def attention_stages(
    scores: Tensor, scaled: Tensor, weights: Tensor, mask: Tensor, labels: Sequence[str], titles: Sequence[str] = ()
) -> Figure:
    """Return scores, scaled and masked scores, and weights, each (query, key), side by side."""
    figure, (axes,) = new(1, 3, height=3.2)
    matrix(axes[0], scores, labels, labels, "scores q·k", kind="signed")
    matrix(axes[1], scaled, labels, labels, "scaled, masked", kind="signed", mask=mask)
    matrix(axes[2], weights, labels, labels, "weights", mask=mask)
    for ax, text in zip(axes, titles, strict=False):
        title(ax, text)
    return figure
