"""Drawings of chapter 04: the block with its norms before and after, the ladder, the deep stacks."""

from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

from course_lib.classroom import figures

LADDER = ("attention", "+ feed-forward", "+ residual", "+ norm")


def ladder(bits: Mapping[str, Sequence[float]], letters: float) -> Figure:
    """Draw the bits of the ladder's rows, one mark a seed; letters: what letter frequencies alone need."""
    fig, ((ax,),) = figures.new(width=9.5, height=3.2)
    for y, row in enumerate(LADDER):
        colour = figures.BLUE if row == "+ norm" else figures.ORANGE
        ax.plot(bits[row], [-y] * len(bits[row]), "o", color=colour, markersize=7, alpha=0.7)
        mean = sum(bits[row]) / len(bits[row])
        ax.text(mean - 0.08, -y, f"{mean:.2f}", ha="right", va="center", fontsize=10, color=figures.TEXT[colour])
    ax.axvline(letters, color=figures.MUTE, linestyle="--", linewidth=1.2)
    ax.text(letters + 0.03, -1.5, f"letter frequencies\nalone: {letters:.2f}", color=figures.MUTE, va="center")
    names = ("attention alone", "then a feed-forward layer", "both added to a stream", "and two norms")
    ax.set_yticks([0, -1, -2, -3], names)
    ax.set(xlim=(2.6, 5.4), ylim=(-3.5, 0.6), xlabel="bits per character on text not trained on (one mark a seed)")
    figures.title(ax, "Four blocks, 600 steps: little beyond letter frequencies until results are added")
    return fig


def _box(ax: Axes, y: float, text: str, face: str, edge: str, x: float = 0.0) -> None:
    ax.add_patch(FancyBboxPatch((x - 0.62, y - 0.2), 1.24, 0.4, boxstyle="round,pad=0.03", fc=face, ec=edge, lw=1.5))
    ax.text(x, y, text, ha="center", va="center", fontsize=10)


def _arrow(ax: Axes, start: tuple[float, float], end: tuple[float, float], width: float = 1.4) -> None:
    ax.annotate("", end, start, arrowprops={"arrowstyle": "-|>", "color": figures.INK, "lw": width, "shrinkA": 0,
                                            "shrinkB": 0})  # fmt: skip


def _sum(ax: Axes, y: float) -> None:
    ax.text(0, y, "+", ha="center", va="center", fontsize=13,
            bbox={"boxstyle": "circle,pad=0.12", "fc": "white", "ec": figures.INK})  # fmt: skip


def block(ax: Axes, before: bool) -> None:
    """Draw one block: the stream runs upwards at x = 0, the layers stand on side roads at x = 1.6."""
    side = 1.6
    for bottom, layer, face, edge in ((0.0, "attention", "#F3DCEE", figures.BERRY),
                                      (3.0, "feed-forward", "#FAE6D6", figures.ORANGE)):  # fmt: skip
        ax.plot([0, side], [bottom + 0.35] * 2, color=figures.INK, lw=1.4)
        if before:
            _arrow(ax, (side, bottom + 0.35), (side, bottom + 0.67))
            _box(ax, bottom + 0.9, "norm", "#DCE7FF", figures.BLUE, side)
            _arrow(ax, (side, bottom + 1.13), (side, bottom + 1.44))
            _box(ax, bottom + 1.67, layer, face, edge, side)
            ax.plot([side, side], [bottom + 1.9, bottom + 2.3], color=figures.INK, lw=1.4)
            _arrow(ax, (side, bottom + 2.3), (0.2, bottom + 2.3))
            _arrow(ax, (0, bottom), (0, bottom + 2.1), width=2.6)
            _sum(ax, bottom + 2.3)
            _arrow(ax, (0, bottom + 2.5), (0, bottom + 3.0), width=2.6)
        else:
            _arrow(ax, (side, bottom + 0.35), (side, bottom + 0.72))
            _box(ax, bottom + 0.95, layer, face, edge, side)
            ax.plot([side, side], [bottom + 1.18, bottom + 1.6], color=figures.INK, lw=1.4)
            _arrow(ax, (side, bottom + 1.6), (0.2, bottom + 1.6))
            _arrow(ax, (0, bottom), (0, bottom + 1.4), width=2.6)
            _sum(ax, bottom + 1.6)
            _arrow(ax, (0, bottom + 1.8), (0, bottom + 2.12), width=2.6)
            _box(ax, bottom + 2.35, "norm", "#DCE7FF", figures.BLUE)
            _arrow(ax, (0, bottom + 2.58), (0, bottom + 3.0), width=2.6)
    ax.text(0, -0.2, "stream in", ha="center", va="top", fontsize=10)
    ax.text(0, 6.1, "stream out", ha="center", va="bottom", fontsize=10)
    ax.set(xlim=(-1.2, 2.7), ylim=(-0.7, 6.6), xticks=(), yticks=())
    ax.spines[:].set_visible(False)


def block_diagram() -> Figure:
    """Draw the block with the norms before its layers beside the one with the norms after its sums."""
    fig, (axes,) = figures.new(1, 2, width=9.5, height=5.4)
    for ax, before in zip(axes, (True, False), strict=True):
        block(ax, before)
    figures.title(axes[0], "Norm before: the stream meets only sums")
    figures.title(axes[1], "Norm after: the stream itself is normalised")
    return fig


ARMS = {
    "norm before": (figures.BLUE, "-", "o"),
    "norm after": (figures.ORANGE, "--", "^"),
    "norm after, slow start": (figures.MUTE, ":", "v"),
    "norm before, small layers": (figures.INK, "-", "*"),
    "norm after, four blocks": (figures.TEAL, "-.", "s"),
    "norm after, small layers": (figures.BERRY, "-", "D"),
    "norm after, small layers, alike": (figures.ORANGE, "-", "X"),
    "norm before, small layers, alike": (figures.BLUE, "--", "P"),
}


def deep(values: Mapping, letters: float) -> Figure:
    """Draw the deep stacks' losses, and against each other how alike positions were at the start and the last loss."""
    fig, (axes,) = figures.new(1, 2, width=9.5, height=4.2)
    curves, cosine = values["curves"], values["cosine"]
    for arm, (colour, dash, mark) in ARMS.items():
        mean = [sum(losses) / len(losses) for losses in zip(*curves[arm], strict=True)]
        axes[0].plot(values["steps"], mean, color=colour, linestyle=dash, linewidth=1.8, label=arm,
                     marker=mark, markevery=[-1])  # fmt: skip
        starts, ends = [start for start, _ in cosine[arm]], [losses[-1] for losses in curves[arm]]
        axes[1].plot(starts, ends, mark, color=colour, alpha=0.75, label=arm)
    for ax in axes:
        ax.axhline(letters, color=figures.MUTE, linestyle="--", linewidth=1)
    axes[0].text(121, letters - 0.02, "letter frequencies", color=figures.MUTE, fontsize=9, ha="right", va="top")
    axes[0].set(xlabel="training step", ylabel="loss (nats a character), mean of 5 seeds", ylim=(2.4, 4.3))
    axes[1].set(xlabel="mean cosine of two positions at the start", ylabel="loss after 120 steps (nats)",
                xlim=(-0.05, 1.05), ylim=(2.4, 3.9))  # fmt: skip
    axes[1].legend(frameon=False, fontsize=9, loc="upper left")
    figures.title(axes[0], "Three of eight stay at letter frequencies")
    figures.title(axes[1], "They began nearly alike, as did one other")
    return fig
