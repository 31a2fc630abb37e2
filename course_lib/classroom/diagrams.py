"""Diagrams of boxes with arrows between them."""

from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

from course_lib.classroom.figures import MUTE, TEXT

Point = tuple[float, float]


def boxes(
    ax: Axes, placed: Mapping[str, tuple[float, float, float, str]], height: float = 0.62, size: float = 9.5
) -> None:
    """Draw boxes with a text in their middle: text → (left, bottom, width, colour of the edge); size: of the font."""
    for text, (x, y, width, colour) in placed.items():
        ax.add_patch(
            FancyBboxPatch((x, y), width, height, "round,pad=0.02", facecolor="white", edgecolor=colour, linewidth=1.6)
        )
        ax.text(x + width / 2, y + height / 2, text, ha="center", va="center", fontsize=size, color=TEXT[colour])


def arrows(
    ax: Axes, ways: Sequence[tuple[Point, Point]], colour: str = MUTE, head: float = 11, linewidth: float = 1.1
) -> None:
    """Draw a straight arrow from the start to the end of each way; head: size of its tip, in points."""
    for start, end in ways:
        patch = FancyArrowPatch(start, end, arrowstyle="-|>", mutation_scale=head, color=colour, linewidth=linewidth)
        ax.add_patch(patch)
