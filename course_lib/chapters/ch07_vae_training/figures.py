"""Pictures of chapter 07: its end, one step of training, collapse, the recipe's curves, bounds from both sides."""

from collections.abc import Mapping, Sequence

from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, Rectangle
from torch import Tensor

from course_lib.classroom import figures
from course_lib.classroom.figures import BERRY, BLUE, INK, MUTE, ORANGE, TEAL, TEXT


def the_end(drawn: Tensor, nats: Mapping[str, float]) -> Figure:
    """Return drawn digits beside −ln p(x) of every model; those named VAE in the model's colour."""
    figure, ((left, right),) = figures.new(1, 2, height=3.3, width_ratios=(1.25, 1))
    figures.tiles(left, drawn, columns=8)
    figures.title(left, "▲ 32 digits that nobody wrote")
    names = [("▲ " if name.startswith("VAE") else "") + name for name in nats]
    bars = right.barh(names, [-x for x in nats.values()], color=MUTE)
    for bar, name in zip(bars, nats, strict=True):
        if name.startswith("VAE"):
            bar.set_color(ORANGE)
    right.bar_label(bars, [f"{-x:.1f}" for x in nats.values()], padding=3, fontsize=9)
    right.set(xlabel="−ln p(x), nats (VAEs: bound, k = 100)", xlim=(0, 255))
    right.invert_yaxis()
    ahead = max(nats.values()) - nats["best mixture"]
    figures.title(right, f"{ahead:.0f} nats below the best mixture")
    return figure


def one_step() -> Figure:
    """Return the diagram of a training step: encoder, draw, decoder, and the two terms of the loss."""
    figure, ((ax,),) = figures.new(width=9.5, height=2.6)
    boxes = (
        (0, 1.2, "x", "100 × 784", BLUE),
        (2.2, 1.2, "encoder", "μ, ln σ²", TEAL),
        (5.0, 1.2, "draw", "z = μ + σ ε", TEAL),
        (7.8, 1.2, "decoder", "784 logits", ORANGE),
        (10.6, 2.0, "recon", "ln p(x | z)", ORANGE),
        (10.6, 0.3, "kl", "KL(q ‖ p)", BERRY),
        (13.2, 1.2, "loss", "one number", BERRY),
    )
    for x, y, name, below, colour in boxes:
        ax.add_patch(Rectangle((x, y), 1.7, 1.0, facecolor="white", edgecolor=colour))
        ax.text(x + 0.85, y + 0.66, name, ha="center", va="center", fontsize=10.5, color=TEXT[colour])
        ax.text(x + 0.85, y + 0.27, below, ha="center", va="center", fontsize=8.5, color=INK)
    ways = (
        ((1.7, 1.7), (2.2, 1.7)),
        ((3.9, 1.7), (5.0, 1.7)),
        ((6.7, 1.7), (7.8, 1.7)),
        ((9.5, 1.8), (10.6, 2.4)),
        ((3.05, 1.2), (10.6, 0.7)),
        ((0.85, 2.2), (10.6, 2.75)),
        ((12.3, 2.4), (13.2, 1.9)),
        ((12.3, 0.8), (13.2, 1.5)),
    )
    for start, end in ways:
        ax.add_patch(FancyArrowPatch(start, end, arrowstyle="-|>", mutation_scale=11, color=INK, linewidth=1))
    ax.text(5.85, 0.06, "ε ~ N(0, 1)", ha="center", color=MUTE, fontsize=9)
    ax.add_patch(FancyArrowPatch((5.85, 0.3), (5.85, 1.2), arrowstyle="-|>", mutation_scale=11, color=MUTE))
    ax.set(xlim=(-0.2, 15.1), ylim=(-0.2, 3.3))
    ax.set_axis_off()
    return figure


def ten_digits(panels: Mapping[str, Tensor]) -> Figure:
    """Return ten images a panel, in two rows of five."""
    figure, (axes,) = figures.new(1, len(panels), height=2.0)
    for ax, (text, images) in zip(axes, panels.items(), strict=True):
        figures.tiles(ax, images, columns=5)
        figures.title(ax, text)
    return figure


def recipe(steps: Sequence[int], curves: Tensor, live: tuple[int, float] | None, levels: Mapping[str, float]) -> Figure:
    """Return the recorded validation curves (seeds, evaluations), one live point, and rivals' validation levels."""
    figure, ((ax,),) = figures.new(width=9.5, height=3.4)
    for curve in curves:
        figures.line(ax, steps, curve, ORANGE)
    if live:
        ax.plot(*live, "D", color=INK, markersize=6)
        late = live[0] > steps[-1] / 2
        place = {"xytext": (-6 if late else 12, -18), "ha": "right" if late else "left"}
        ax.annotate("this run", live, textcoords="offset points", fontsize=9.5, **place)
    for name, value in levels.items():
        figures.level(ax, value, f"{name}, {value:.1f}".replace("-", "−"))
    ax.set(xlabel="training step", ylabel="validation digits, k = 10 (nats)", ylim=(-210, -85))
    ends = curves[:, -1]
    text = f"{len(curves)} seeds end between {ends.min():.1f} and {ends.max():.1f} nats on validation digits"
    figures.title(ax, text.replace("-", "−"))
    return figure


def both_sides(
    draws: Sequence[int], bound: Sequence[Sequence[float]], temperatures: Mapping[str, Mapping[str, Sequence[float]]],
    k_5000: Sequence[float], digits: int,
) -> Figure:  # fmt: skip
    """Return the importance-weighted bound by k on test digits, and bounds from both sides on the model's own images.

    Pairs of numbers are a mean and its standard error. All three bounds of the right are relative to the bound with
    5,000 draws on the same images.
    """
    figure, ((left, right),) = figures.new(1, 2, height=3.2)
    left.errorbar(draws, [m for m, _ in bound], [e for _, e in bound], fmt="^-", color=ORANGE, capsize=3)
    left.set(xscale="log", xlabel="draws of z an image, k", ylabel="bound on ln p(x) (nats)")
    figures.title(left, f"{digits:,} test digits: every k still gains")
    at = range(len(temperatures))
    for key, mark, colour, text in (
        ("above", "v", BERRY, "from above"), ("below", "^", TEAL, "from below"),
    ):  # fmt: skip
        means, errors = zip(*(row[f"{key}_minus_k_5000"] for row in temperatures.values()), strict=True)
        right.errorbar(at, means, errors, fmt=f"{mark}-", color=colour, capsize=3)
        right.annotate(text, (1, means[1]), xytext=(14, 7 if key == "above" else -18), textcoords="offset points",
                       color=TEXT[colour], fontsize=9.5)  # fmt: skip
    right.axhline(0, color=MUTE, linestyle="--", linewidth=1.2)
    right.text(0.02, 0.4, "k = 5,000", color=MUTE, fontsize=9)
    right.set_xticks(list(at), list(temperatures))
    right.set(xlabel="steps from q to the posterior", ylabel="nats above the bound of k = 5,000")
    figures.title(right, "Its own images: the truth lies between")
    return figure


def draws_and_means(panels: Mapping[str, Tensor]) -> Figure:
    """Return four panels of 20 images."""
    figure, axes = figures.new(2, 2, height=2.7)
    for ax, (text, images) in zip(axes.flat, panels.items(), strict=True):
        figures.tiles(ax, images, columns=10)
        figures.title(ax, text)
    return figure
