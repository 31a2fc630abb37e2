"""Pictures of chapter 02: the stages of attention."""

from collections.abc import Sequence

from matplotlib.figure import Figure
from torch import Tensor

from course_lib.classroom.figures import matrix, new, title


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
