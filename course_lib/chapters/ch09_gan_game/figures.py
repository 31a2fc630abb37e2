"""Pictures of chapter 09: the perfect game, the two networks, what they reach, pulls, bells, runs on the lines."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch
from torch import Tensor

from course_lib.chapters.ch09_gan_game.bumps import play_perfectly, two_bumps
from course_lib.classroom.diagrams import arrows, boxes
from course_lib.classroom.figures import BERRY, BLUE, INK, MUTE, ORANGE, TEXT, level, line, new, title, values

PALE_BLUE = "#DCE7FF"


def opening() -> Figure:
    """Return the game with a discriminator that is always perfect: before, and after 300 steps."""
    x = torch.linspace(-8, 8, 801, dtype=torch.float64)
    qs, ds, _ = zip(*play_perfectly(x), strict=True)
    figure, (axes,) = new(1, 2, height=3.3)
    for ax, step, text in zip(axes, (0, 299), ("Before", "After 300 steps: q lies on p"), strict=True):
        line(ax, x, two_bumps(x), BLUE)
        line(ax, x, qs[step], ORANGE, dashed=True)
        ax.plot(*values([x, ds[step]]), color=BERRY, linewidth=1)
        ax.set(xlim=(-3.5, 3.5), ylim=(0, 1.05), xlabel="x", ylabel="density, D(x)")
        title(ax, text)
    axes[0].text(-3.4, 0.5, "data p", color=BLUE)
    axes[0].text(2.25, 0.25, "fakes q", color=TEXT[ORANGE])
    axes[0].text(1.9, 0.6, "D", color=BERRY)
    return figure


def two_players() -> Figure:
    """Return the game as boxes: solid arrows carry numbers forward, dashed ones the two gradients back."""
    figure, ((ax,),) = new(width=9.5, height=3.1)
    placed = {
        "noise z": (0.0, 0.4, 1.2, MUTE),
        "generator G": (1.9, 0.4, 1.6, ORANGE),
        "fakes": (4.2, 0.4, 1.0, ORANGE),
        "data": (4.2, 1.9, 1.0, BLUE),
        "discriminator D": (6.0, 1.15, 1.9, BERRY),
        "logits of data": (8.7, 1.9, 1.9, INK),
        "logits of fakes": (8.7, 0.4, 1.9, INK),
    }
    boxes(ax, placed, height=0.6, size=10)
    forward = [((1.22, 0.7), (1.88, 0.7)), ((3.52, 0.7), (4.18, 0.7)), ((5.22, 0.75), (5.98, 1.3)),
               ((5.22, 2.15), (5.98, 1.6)), ((7.92, 1.6), (8.68, 2.15)), ((7.92, 1.3), (8.68, 0.75))]  # fmt: skip
    arrows(ax, forward, INK, head=12, linewidth=1.2)
    bent: dict[str, Any] = {"arrowstyle": "-|>", "mutation_scale": 12, "linestyle": "--", "linewidth": 1.4}
    ax.add_patch(FancyArrowPatch((9.6, 2.55), (6.95, 1.8), connectionstyle="arc3,rad=0.32", color=BERRY, **bent))
    ax.add_patch(FancyArrowPatch((9.6, 0.36), (2.7, 0.36), connectionstyle="arc3,rad=-0.13", color=ORANGE, **bent))
    ax.text(6.9, 2.92, "D's turn: both logits move D, and stop there", color=BERRY, fontsize=9.5, ha="center")
    ax.text(6.2, -0.62, "G's turn: the fakes' logits move G, through a D that stands still", color=TEXT[ORANGE],
            fontsize=9.5, ha="center")  # fmt: skip
    ax.set(xlim=(-0.1, 10.75), ylim=(-0.8, 3.15))
    ax.axis("off")
    return figure


def _density(ax: Axes, draws: Tensor, colour: str, **options) -> None:
    shares = torch.histc(draws.flatten().cpu().float(), 60, -3, 3) / draws.numel() / 0.1
    ax.stairs(values(shares), values(torch.linspace(-3, 3, 61)), color=colour, **options)


def learned(data: Tensor, before: Tensor, after: Tensor, losses: Tensor) -> Figure:
    """Return the fakes of five games (runs, n) before and after, over the data, and D's loss (steps, runs)."""
    figure, (axes,) = new(1, 3, height=3.2)
    for ax, fakes, text in zip(axes, (before, after), ("Before", "After: five games of five"), strict=False):
        _density(ax, data, PALE_BLUE, fill=True)
        for run in fakes:
            _density(ax, run, ORANGE, linewidth=1, alpha=0.8)
        ax.set(xlim=(-3, 3), ylim=(0, None if text == "Before" else 1.4), xlabel="x", ylabel="density (histogram)")
        title(ax, text)
    axes[1].text(-2.9, 1.25, "data (filled)", color=BLUE)
    axes[1].text(-2.9, 1.12, "fakes (lines)", color=TEXT[ORANGE])
    for run in losses.T:
        axes[2].plot(values(run), color=BERRY, linewidth=0.6, alpha=0.7)
    level(axes[2], math.log(4), "ln 4")
    axes[2].set(xlabel="step", ylabel="D's loss (nats)", ylim=(0.9, 1.6))
    title(axes[2], "D's loss dips and returns")
    return figure


def found(x: Tensor, p: Tensor, q: Tensor, best: Tensor, learned: Tensor) -> Figure:
    """Return five learned discriminators (runs, n) over the optimal one, with both densities."""
    figure, ((ax,),) = new(width=6, height=3.3)
    ax.fill_between(*values([x, p]), color=PALE_BLUE, linewidth=0)
    ax.fill_between(*values([x, q]), facecolor="none", edgecolor=ORANGE, hatch="///", linewidth=0)
    for d in learned:
        ax.plot(*values([x, d]), color=BERRY, linewidth=0.9)
    line(ax, x, best, INK, dashed=True)
    level(ax, 0.5, "½")
    for place, text, colour in (((-5.8, 0.93), "D* (dashed)", INK), ((-5.8, 0.84), "five networks", BERRY),
                                ((-1.2, 0.25), "p", BLUE), ((0.1, 0.42), "q", TEXT[ORANGE])):  # fmt: skip
        ax.text(*place, text, color=colour)
    ax.set(xlim=(-6, 6), ylim=(0, 1.1), xlabel="x", ylabel="D(x), density")
    title(ax, "Networks find D* where there are points")
    return figure


def one_bell(x: Tensor, p: Tensor, js_best: Tensor, ns_best: Tensor, costs: Mapping[str, Tensor], u: Tensor) -> Figure:
    """Return the best single bell for each of two divergences, and both costs against u = q/p."""
    figure, ((left, right),) = new(1, 2, height=3.2, width_ratios=[1.3, 1])
    left.fill_between(*values([x, p]), color=PALE_BLUE, linewidth=0)
    line(left, x, js_best, MUTE)
    line(left, x, ns_best, BERRY)
    left.text(1.75, 0.32, "best for 2 JSD", color=MUTE)
    left.text(-0.6, 0.85, "best for 2 KL(m‖p)", color=BERRY)
    left.set(xlim=(-3.5, 3.5), xlabel="x", ylabel="density")
    title(left, "One bell for two bumps")
    for (name, cost), colour in zip(costs.items(), (MUTE, BERRY), strict=True):
        line(right, u, cost, colour, name)
        right.plot(0, float(cost[0]), "o", color=colour, clip_on=False)
        right.text(0.12, float(cost[0]), f"{float(cost[0]):.2f}", color=colour, va="bottom", fontsize=9)
    right.set(xlabel="fakes for one data point, q/p", ylabel="cost (nats)", ylim=(-0.03, 1.75), xlim=(0, 5.4))
    title(right, "Never drawn: 0.69 or 0.31")
    return figure


def _short(number: float) -> str:
    if number >= 0.01:
        return f"{number:.2g}"
    power = math.floor(math.log10(number))
    return f"${number / 10**power:.0f}\\cdot10^{{{power}}}$"


def pulls(places: Tensor, logits: Tensor, at: float, rows: Mapping[str, tuple[float, float, float]]) -> Figure:
    """Return D's logit between the lines (runs, n), and below a run's fakes the three pulls on a log scale.

    at: where the fakes are; rows: name → (least, middle, largest pull of the runs), in nats per unit.
    """
    figure, ((left, right),) = new(1, 2, height=3.5, width_ratios=[1.25, 1])
    for run in logits:
        left.plot(*values([places, run]), color=BERRY, linewidth=1)
    left.axvline(0, color=BLUE, linewidth=3, alpha=0.5)
    left.axvline(at, color=ORANGE, linewidth=3, alpha=0.5)
    top, low = float(logits.max()), float(logits.min())
    left.text(0.05, low + 0.02 * (top - low), "data", color=BLUE)
    left.text(at - 0.05, top - 0.06 * (top - low), "fakes", color=TEXT[ORANGE], ha="right")
    left.annotate("", (at - 0.75, low + 0.35 * (top - low)), (at, low + 0.35 * (top - low)),
                  arrowprops={"arrowstyle": "-|>", "color": INK, "linewidth": 1.6})  # fmt: skip
    left.text(at - 0.38, low + 0.39 * (top - low), "uphill: home", color=INK, ha="center", fontsize=9)
    left.set(xlabel="$x_1$, across the lines", ylabel="logit of D (nats)")
    title(left, "D has a slope where there is no point")
    for i, (least, middle, most) in enumerate(rows.values()):
        right.plot([least, most], [i, i], color=BERRY, linewidth=4, solid_capstyle="butt")
        right.plot(middle, i, "o", color=BERRY)
        right.text(middle, i + 0.2, _short(middle), ha="center", fontsize=9.5, color=BERRY)
    right.set(xscale="log", ylim=(-0.6, len(rows) - 0.3), xlabel="pull on the fakes (nats per unit of $x_1$)")
    right.set_xlim(min(r[0] for r in rows.values()) / 30, 1e4)
    right.set_yticks(range(len(rows)), list(rows))
    title(right, "Three pulls, tried on one D's slope")
    return figure


def runs(panels: Sequence[tuple[str, Sequence[tuple[str, Tensor, str, tuple[float, float]]]]]) -> Figure:
    """Return θ against steps: for each panel its title and arms, (label, (steps, runs), colour, where the label is)."""
    figure, (axes,) = new(1, len(panels), height=3.3)
    for ax, (text, arms) in zip(axes, panels, strict=True):
        for (label, places, colour, at), style in zip(arms, ("-", ":", "--"), strict=False):
            ax.plot(values(places), color=colour, linestyle=style, linewidth=1.2)
            ax.text(*at, label, color=TEXT[colour])
        ax.axhline(0, color=BLUE, linewidth=1)
        ax.text(5, -0.18, "data", color=BLUE)
        ax.set(xlabel="step", ylabel="θ, distance of the fakes", ylim=(-0.7, 2.25))
        title(ax, text)
    return figure
