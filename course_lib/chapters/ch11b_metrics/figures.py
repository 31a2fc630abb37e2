"""Pictures of chapter 11b: what four numbers see, one Gaussian carried to another, lines over 1/n, truncated noise."""

from collections.abc import Mapping, Sequence

import torch
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from torch import Tensor

from course_lib.classroom import figures
from course_lib.classroom.figures import BERRY, BLUE, INK, MUTE, ORANGE, PALE, TEXT

CASES = {
    "real": "other real digits",
    "impostors": "Gaussian impostors",
    "no ones": "real, but no ones",
    "again": "100 real, 20 times each",
}
NUMBERS = {"frechet": "squared distance", "kernel": "kernel distance", "density": "density", "coverage": "coverage"}


def two_sheets(all_noise: Tensor, less_noise: Tensor) -> Figure:
    """Return forty digits of each sheet side by side."""
    figure, (axes,) = figures.new(1, 2, height=2.5)
    for ax, images, name in zip(axes, (all_noise, less_noise), ("▲ all noise", "▲ less noise"), strict=True):
        figures.tiles(ax, images, columns=10, low=-1)
        figures.title(ax, name)
    return figure


def what_each_sees(values: Mapping[str, Mapping[str, float]], sees: Mapping[str, Sequence[str]]) -> Figure:
    """Return a table: a row a case, a column a number; a dark cell where the number tells the case from real digits."""
    figure, ((ax,),) = figures.new(width=9.5, height=2.9)
    for row, case in enumerate(CASES):
        for column, number in enumerate(NUMBERS):
            seen = case in sees[number]
            face = BERRY if seen else PALE
            ax.add_patch(Rectangle((column, row), 1, 1, facecolor=face, edgecolor="white", linewidth=2))
            text = f"{values[number][case]:.2f}" + (" !" if seen else "")
            ax.text(column + 0.5, row + 0.5, text, ha="center", va="center", color="white" if seen else INK)
    for column, bar in enumerate(("! 3 × real", "! above 0.02", "! 0.15 below real", "! 0.05 below real")):
        ax.text(column + 0.5, len(CASES) + 0.3, bar, ha="center", va="center", fontsize=9, color=TEXT[MUTE])
    ax.set_xticks([i + 0.5 for i in range(len(NUMBERS))], list(NUMBERS.values()))
    ax.set_yticks([i + 0.5 for i in range(len(CASES))], list(CASES.values()))
    ax.set(xlim=(0, len(NUMBERS)), ylim=(len(CASES) + 0.5, 0))
    ax.xaxis.tick_top()
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    figures.title(ax, "n = 2,000: the distance misses impostors, density what is not made (! = seen)")
    return figure


def carried(x: Tensor, best: Tensor, apart: Tensor, costs: Sequence[float]) -> Figure:
    """Return two plans between the same two clouds on the plane, (n, 2) each, drawn as lines."""
    figure, (axes,) = figures.new(1, 2, width=9.5, height=3.4)
    ends = torch.cat([x, best])
    low, high = (ends.min(0).values - 0.4).tolist(), (ends.max(0).values + 0.4).tolist()
    for ax, y, cost, name in zip(axes, (best, apart), costs, ("best plan", "paired at random"), strict=True):
        for start, end in zip(x, y, strict=True):
            ax.plot(*figures.values(torch.stack([start, end], 1)), color=MUTE, linewidth=0.7, linestyle="--")
        ax.plot(*figures.values(x.T), "o", color=BLUE, markersize=3.5)
        ax.plot(*figures.values(y.T), "^", color=ORANGE, markersize=3.5)
        ax.set(xlabel="$x_1$", ylabel="$x_2$", aspect="equal", xlim=(low[0], high[0]), ylim=(low[1], high[1]))
        figures.title(ax, f"{name}: squared way {cost:.1f}")
    return figure


def over_n(lines: Mapping[str, tuple[Sequence[int], Sequence[float], float, float]]) -> Figure:
    """Return distances against 1/n with the line through them; each line is sizes, distances, limit, slope."""
    figure, ((ax,),) = figures.new(width=8, height=3.3)
    looks = {"real, shuffled": ("o", BLUE), "real, in order": ("s", MUTE), "generated": ("^", ORANGE)}
    for name, (sizes, found, limit, slope) in lines.items():
        mark, colour = looks[name]
        inverse = [1 / n for n in sizes]
        ax.plot(inverse, found, mark, color=colour)
        ends = [0.0, max(inverse)]
        figures.line(ax, ends, [limit + slope * x for x in ends], colour, f"{mark_of(mark)} {name}")
    ax.set(xlabel="1/n", ylabel="squared distance", xlim=(0, None))
    return figure


def mark_of(mark: str) -> str:
    """Return a marker as a character for a label."""
    return {"o": "●", "s": "■", "^": "▲"}[mark]


def truncated(images: Mapping[str, Tensor], found: Mapping[str, tuple[float, float]]) -> Figure:
    """Return samples for each threshold beside precision and recall, a row a threshold."""
    figure, ((left, right),) = figures.new(1, 2, height=3.2, width_ratios=(2, 1))
    figures.tiles(left, torch.cat(list(images.values())), columns=15, low=-1)
    left.set_yticks([30 + 60 * i for i in range(len(images))], list(images))
    left.tick_params(length=0)
    figures.title(left, "▲ With less noise cleaner and more alike")
    rows = range(len(found))
    right.plot([p for p, _ in found.values()], rows, "^-", color=ORANGE)
    right.plot([r for _, r in found.values()], rows, "o--", color=BLUE)
    right.set_yticks(list(rows), list(found))
    right.set(xlabel="share", xlim=(0, 1), ylim=(len(found) - 0.3, -0.5))
    figures.title(right, "Recall is the price")
    (last_precision, last_recall) = list(found.values())[-1]
    right.text(last_precision, len(found) - 0.7, "precision", ha="center", va="top", color=TEXT[ORANGE])
    right.text(last_recall, len(found) - 0.7, "recall", ha="center", va="top", color=BLUE)
    return figure


def copies(pairs: Tensor) -> Figure:
    """Return ten generated images above the training images that they lie nearest to."""
    figure, ((ax,),) = figures.new(1, 1, height=2.4)
    figures.tiles(ax, pairs, columns=10, low=-1)
    ax.set_yticks((15, 45), ["▲ made", "● trained on"])
    ax.tick_params(length=0)
    figures.title(ax, "The ten of 2,000 that lie nearest to a training digit")
    return figure
