"""Pictures of chapter 03: equal scores along diagonals, hands of clocks, a task past its length, pairs in tiles."""

from collections.abc import Sequence

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Circle, Rectangle
from torch import Tensor

from course_lib.chapters.ch03_positions_and_cost.three_back import TRAINED
from course_lib.classroom import figures
from course_lib.classroom.figures import BERRY, BLUE, INK, MUTE, ORANGE, PALE, TEAL, TEXT
from course_lib.classroom.records import Record


def opening(scores: Tensor) -> Figure:
    """Return a table of scores beside the bytes of the largest table of scores, whole and 64 keys at a time."""
    T = 2.0 ** torch.arange(8, 17)
    figure, ((left, right),) = figures.new(1, 2, height=3.5, width_ratios=[1, 1.25])
    places = [str(i) for i in range(5)]
    figures.matrix(left, scores, places, places, kind="signed")
    left.set_xlabel("query at (down), key at (across)", fontsize=9.5)
    figures.title(left, "Equal t − s, equal score")
    figures.line(right, T, 4 * T * T / 2**20, ORANGE, "whole\n16 GiB", marker="^")
    figures.line(right, T, 4 * 64 * T / 2**20, TEAL, "in tiles\n16 MiB", marker="o")
    right.set(xscale="log", yscale="log", xlabel="T (positions)", ylabel="largest table (MiB)")
    figures.title(right, "The largest table at 65,536: 16 GiB or 16 MiB")
    return figure


def _hand(ax: Axes, vector: Tensor, colour: str, label: str, solid: bool) -> None:
    x, y = (vector / vector.norm()).tolist()
    style = {"arrowstyle": "-|>", "color": colour, "lw": 2, "ls": "-" if solid else (0, (4, 2))}
    ax.annotate("", (x, y), (0, 0), arrowprops=style)
    ax.text(1.2 * x, 1.2 * y, label, color=TEXT[colour], ha="center", va="center", fontsize=11)


def clocks(q: Tensor, k: Tensor, omega: Sequence[float], places: Sequence[tuple[int, int]]) -> Figure:
    """Return a clock for each pair of features (columns) and each pair of positions (rows).

    q, k (pairs, 2): the hands before turning; omega: radians a step of each pair; places: positions of q and of k.
    """
    figure, axes = figures.new(len(places), len(omega), width=7.5, height=4.9)
    for line, (t, s) in enumerate(places):
        row = axes[line]
        for i, (ax, turn) in enumerate(zip(row, omega, strict=True)):
            for vector, at, colour, name in ((q[i], t, BLUE, "q"), (k[i], s, ORANGE, "k")):
                a = torch.tensor(turn * at, dtype=vector.dtype)
                turned = torch.stack(
                    [vector[0] * a.cos() - vector[1] * a.sin(), vector[0] * a.sin() + vector[1] * a.cos()]
                )
                _hand(ax, turned, colour, name, solid=name == "q")
            ax.add_patch(Circle((0, 0), 1.0, fill=False, edgecolor="#C4C4C4"))
            ax.set(xlim=(-1.45, 1.45), ylim=(-1.35, 1.35), xticks=(), yticks=(), aspect="equal")
            ax.spines[:].set_visible(False)
            if line == 0:
                figures.title(ax, f"pair {i}: {turn:.2g} rad a step")
        row[0].set_ylabel(f"q at {t}, k at {s}", fontsize=10.5, color=INK)
    figure.suptitle("Five places on, every hand has turned; the angles between them have not", x=0.01, ha="left")
    return figure


def alibi_weights(weights: Tensor, heads: Sequence[int]) -> Figure:
    """Return the weight that each head (heads, distance) gives to keys that fit equally well, by distance."""
    figure, ((ax,),) = figures.new(width=7.5, height=3.2)
    looks = ((BERRY, "o"), (ORANGE, "v"), (BLUE, "^"), (TEAL, "s"))
    for row, head, (colour, mark) in zip(weights, heads, looks, strict=False):
        shown = figures.values(row[:33])
        ax.plot(range(33), shown, color=colour, marker=mark, markersize=4, markevery=4, linewidth=1.8)
        ax.text(33, float(shown[-1]), f"head {head}", color=TEXT[colour], fontsize=9.5, va="center")
    ax.set(yscale="log", xlabel="distance t − s (positions)", ylabel="weight", xlim=(0, 36), xticks=range(0, 33, 8))
    figures.title(ax, "Equal keys: every head prefers the nearer, each with its own reach")
    return figure


LOOKS = {
    "none": (MUTE, ""),
    "learned": (BERRY, "s"),
    "sinusoidal": (BLUE, "^"),
    "rotary": (TEAL, "o"),
    "alibi": (ORANGE, "v"),
}


def past_the_length(record: Record) -> Figure:
    """Return the share of right answers by position, mean of the seeds, all before in sight and the last 32 alone."""
    figure, (axes,) = figures.new(1, 2, height=3.7)
    centres = torch.arange(4, 256, 8)
    for ax, seen, text in zip(axes, ("all", "window"), ("sees all before", "sees the last 32"), strict=True):
        for scheme, (colour, mark) in LOOKS.items():
            curves = torch.tensor(record.arm(scheme, seen).each("curves"))
            ax.plot(
                figures.values(centres), figures.values(curves.mean(0)), color=colour, marker=mark, markersize=4,
                markevery=(1, 5), label="ALiBi" if scheme == "alibi" else scheme, linestyle="-" if mark else "--",
            )  # fmt: skip
            if scheme == "rotary":
                low, high = figures.values(curves.amin(0)), figures.values(curves.amax(0))
                ax.fill_between(
                    figures.values(centres), low, high, color=colour, alpha=0.15, linewidth=0, label="rotary, all 5"
                )
        ax.axvline(TRAINED - 0.5, color=INK, linewidth=0.8)
        ax.set(xlabel="position", ylim=(0, 1.06), xlim=(0, 258), xticks=(0, 32, 64, 128, 192, 256))
        far = record.arm("rotary", seen).mean("far")
        figures.title(ax, f"two heads, {text}: rotary ends at {far:.2f}")
    axes[0].set_ylabel("share of right answers")
    axes[0].legend(frameon=False, fontsize=9, loc="upper right", title="| trained up to here")
    return figure


def in_tiles(T: int = 8, tile: int = 2, now: int = 2) -> Figure:
    """Return the grid of all pairs, cut into tiles of keys: gone, held now, still to come; and m, l, o beside it."""
    figure, ((ax,),) = figures.new(width=7.5, height=3.7)
    shades = {"gone": ("white", "#C4C4C4", ""), "now": ("#F3DCEE", BERRY, ""), "later": (PALE, "#C4C4C4", "////")}
    for j in range(T):
        state = "gone" if j // tile < now else "now" if j // tile == now else "later"
        face, edge, hatch = shades[state]
        for i in range(T):
            corner = (j, T - 1 - i)
            ax.add_patch(Rectangle(corner, 1, 1, facecolor=face, edgecolor=edge, hatch=hatch, linewidth=0.8))
    for first, words in ((0, "added up,\nforgotten"), (now * tile, "scores held\nnow"), (now * tile + tile, "to come")):
        ax.text(first + 0.1, T + 0.15, words, fontsize=9.5, va="bottom", color=TEXT[BERRY] if "now" in words else INK)
    for x, width, name in ((T + 1.2, 1, "m"), (T + 2.7, 1, "l"), (T + 4.2, 3, "o")):
        ax.add_patch(Rectangle((x, 0), width, T, facecolor="#D6F2EA", edgecolor=TEAL))
        ax.text(x + width / 2, T / 2, name, ha="center", va="center", fontsize=13, style="italic", color=TEXT[TEAL])
    ax.text(T + 1.2, T + 0.15, "kept: T (d + 2) numbers", fontsize=9.5, va="bottom", color=TEXT[TEAL])
    ax.text(T / 2, -0.25, "keys, in tiles of two", ha="center", va="top", fontsize=9.5)
    ax.text(-0.25, T / 2, "queries", ha="right", va="center", rotation=90, fontsize=9.5)
    figures.title(ax, "One tile of scores exists at a time; m, l, o stand for all before it")
    ax.set(xlim=(-0.8, T + 8.6), ylim=(-1.0, T + 1.8), xticks=(), yticks=(), aspect="equal")
    ax.spines[:].set_visible(False)
    return figure
