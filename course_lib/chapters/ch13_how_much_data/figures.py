"""Pictures of chapter 13: data curves with their laws, over-fitting, what a run is made of, and what doubling buys."""

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, NullFormatter, StrMethodFormatter
from torch import Tensor

from course_lib.classroom import figures
from course_lib.classroom.diagrams import arrows, boxes
from course_lib.classroom.figures import BERRY, BLUE, INK, MUTE, ORANGE, TEAL, TEXT
from course_lib.evaluation.power_laws import Interval, PowerLaw

MARKS = {BLUE: "o", ORANGE: "^", TEAL: "s", BERRY: "D", INK: "v"}


class DataCurve(NamedTuple):
    """One panel: losses (seeds, sizes) at sizes n, the size that is kept back, ticks of the loss and its name."""

    n: Sequence[float]
    loss: Tensor
    held_n: float
    axis: str
    ticks: Sequence[float]
    colour: str


def _plain_log(ax: Axes, ticks: Sequence[float]) -> None:
    """Make the loss's axis logarithmic with plain numbers at the ticks."""
    ax.set_yscale("log")
    ax.yaxis.set_major_locator(FixedLocator(list(ticks)))
    ax.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    ax.yaxis.set_minor_formatter(NullFormatter())
    ax.set_ylim(ticks[0] * 0.93, ticks[-1] * 1.07)


def data_curves(
    curves: Mapping[str, DataCurve],
    laws: Mapping[str, PowerLaw] | None = None,
    intervals: Mapping[str, Interval] | None = None,
    held: Mapping[str, Sequence[float]] | None = None,
) -> Figure:
    """Draw the data curves, a mark a seed; with laws their lines, the intervals at what was kept back, and what came.

    curves: title → panel; the other three: the same titles.
    """
    fig, (axes,) = figures.new(1, len(curves), width=9.5, height=3.9)
    for ax, (name, curve) in zip(axes, curves.items(), strict=True):
        for losses in figures.values(curve.loss):
            ax.plot(curve.n, losses, MARKS[curve.colour], color=curve.colour, markersize=5, alpha=0.55, linewidth=0)
        if laws is not None:
            line = torch.logspace(math.log10(curve.n[0]), math.log10(1.3 * curve.held_n), 100)
            ax.plot(line, figures.values(laws[name](line)), color=INK, linewidth=1.4)
        if intervals is None:
            ax.axvspan(curve.held_n / 1.35, curve.held_n * 1.35, color=MUTE, alpha=0.2, linewidth=0)
            ax.text(curve.held_n, 0.9, "?", transform=ax.get_xaxis_transform(), fontsize=18, ha="center", va="center")
        else:
            low, high = intervals[name].low, intervals[name].high
            ax.plot([curve.held_n] * 2, [low, high], color=INK, linewidth=7, alpha=0.35, solid_capstyle="butt")
        if held is not None:
            ax.plot([curve.held_n] * len(held[name]), held[name], "*", color=BERRY, markersize=9, alpha=0.8)
            mean = sum(held[name]) / len(held[name])
            ax.plot(curve.held_n, mean, "_", color=BERRY, markersize=22, markeredgewidth=2)
            if ax is axes[0]:
                ax.text(0.03, 0.03, "bar: 90 % interval of the mean\nstars: the five runs; dash: their mean",
                        transform=ax.transAxes, va="bottom", fontsize=9, color=TEXT[BERRY])  # fmt: skip
        ax.set(xscale="log", xlim=(curve.n[0] / 1.6, curve.held_n * 1.9), ylabel=curve.axis)
        ax.set_xlabel("characters to train on" if curve.n[0] > 1_000 else "digits to train on")
        _plain_log(ax, curve.ticks)
        figures.title(ax, name)
    return fig


def overfitting(curves: Mapping[str, tuple[Sequence[int], Tensor, Tensor]], level: float) -> Figure:
    """Draw loss on the training text and on validation against steps; title → (steps, train, validation), means."""
    fig, (axes,) = figures.new(1, len(curves), width=9.5, height=3.6, width_ratios=[1] * len(curves))
    for ax, (name, (steps, train, validation)) in zip(axes, curves.items(), strict=True):
        ax.plot(steps[1:], figures.values(train)[1:], color=ORANGE, linewidth=1.8, marker="^", markersize=4)
        ax.plot(steps[1:], figures.values(validation)[1:], color=BLUE, linewidth=1.8, linestyle="--", marker="o",
                markersize=4)  # fmt: skip
        start, end = float(validation[1]), float(validation[-1])
        ax.text(steps[1], min(start, level) - 2.4, "trained on", color=TEXT[ORANGE], va="top", fontsize=9.5)
        above = level + 0.35 if level - 1.2 < end < level else end + 0.5
        ax.text(steps[-1], above, "validation", color=BLUE, ha="right", va="bottom", fontsize=9.5)
        ax.axhline(level, color=MUTE, linestyle="--", linewidth=1)
        ax.text(5, level + 0.1, f"equal odds: {level:.2f}", color=MUTE, fontsize=9, va="bottom")
        ax.set(xscale="log", xlabel="training step", ylabel="bits per character", ylim=(0, 12))
        figures.title(ax, name)
    return fig


def plan() -> Figure:
    """Draw what a run is made of and what can be counted before it starts."""
    fig, ((ax,),) = figures.new(width=9.5, height=2.9)
    placed = {
        "data\nn characters": (0.0, 1.9, 1.9, BLUE),
        "model\nN parameters": (0.0, 0.95, 1.9, ORANGE),
        "plan\nsteps of B · T tokens": (0.0, 0.0, 1.9, INK),
        "how often each\ncharacter is read": (3.1, 1.9, 2.0, BLUE),
        "operations\n≈ 6 N a token": (3.1, 0.5, 2.0, INK),
        "machine\noperations a second": (6.0, -0.25, 2.0, INK),
        "test loss\nmeasured, or by a law": (9.0, 1.7, 2.1, BERRY),
        "seconds\npredicted": (9.0, 0.5, 2.1, TEAL),
    }
    boxes(ax, placed, height=0.68, size=9)
    arrows(ax, [((1.95, 2.24), (3.05, 2.24)), ((1.95, 0.5), (3.05, 2.0)), ((1.95, 1.25), (3.05, 0.95)),
                ((1.95, 0.3), (3.05, 0.7)), ((5.15, 2.24), (8.95, 2.1)), ((5.15, 0.84), (8.95, 0.84)),
                ((8.05, 0.2), (8.95, 0.65)), ((1.95, 1.4), (8.95, 1.9))])  # fmt: skip
    ax.set(xlim=(-0.1, 11.3), ylim=(-0.4, 2.75), xticks=(), yticks=())
    ax.spines[:].set_visible(False)
    return fig


def parameters_and_steps(
    parameters: Sequence[int],
    loss: Tensor,
    law: PowerLaw,
    interval: Interval,
    runs: Mapping[str, tuple[Sequence[int], Tensor]],
) -> Figure:
    """Draw test loss against parameters, a mark a seed, the law of all but the last and its interval there; and
    validation loss against steps; name → (steps, mean).
    """
    fig, (axes,) = figures.new(1, 2, width=9.5, height=3.7)
    for losses in figures.values(loss):
        axes[0].plot(parameters, losses, "^", color=ORANGE, markersize=6, alpha=0.6)
    line = torch.logspace(math.log10(parameters[0]), math.log10(parameters[-1]), 50)
    axes[0].plot(line, figures.values(law(line)), color=INK, linewidth=1.4, label="law of the narrower ones")
    axes[0].plot([parameters[-1]] * 2, interval[1:], color=INK, linewidth=7, alpha=0.35, solid_capstyle="butt",
                 label="its 90 % interval")  # fmt: skip
    axes[0].legend(frameon=False, fontsize=9)
    axes[0].set(xscale="log", xlabel="parameters in the blocks", ylabel="test loss (bits per character)")
    _plain_log(axes[0], (2.4, 2.6, 2.8, 3.0))
    looks = ((BLUE, "-", "o"), (TEAL, "--", "s"), (BERRY, "-.", "D"))
    for (name, (steps, mean)), (colour, dash, mark) in zip(runs.items(), looks, strict=False):
        axes[1].plot(steps, figures.values(mean), color=colour, linestyle=dash, marker=mark, markersize=4, label=name)
    axes[1].set(xlabel="training step", ylabel="validation loss (bits per character)")
    axes[1].legend(frameon=False, fontsize=9)
    figures.title(axes[0], "1,000 steps on all the text: wider is better")
    figures.title(axes[1], "At step 1,000 the longer plan is behind")
    return fig


def doublings(gains: Mapping[str, Mapping[str, tuple[float, float]]], axis: str = "bits saved per character") -> Figure:
    """Draw what each doubling saves, mean and standard error; start → what is doubled → (mean, error)."""
    fig, (axes,) = figures.new(1, len(gains), width=9.5, height=2.9)
    for ax, (start, each) in zip(axes, gains.items(), strict=True):
        for y, ((mean, error), colour) in enumerate(zip(each.values(), (BLUE, ORANGE, INK), strict=True)):
            ax.errorbar(mean, -y, xerr=error, fmt=MARKS[colour], color=colour, capsize=4, markersize=8)
            said = f"{mean:+.3f}" if abs(mean) >= 5e-4 else "0.000"
            ax.text(mean, -y + 0.2, said, ha="center", va="bottom", fontsize=9.5, color=TEXT[colour],
                    bbox={"facecolor": "white", "edgecolor": "none", "pad": 1})  # fmt: skip
        ax.axvline(0, color=MUTE, linestyle="--", linewidth=1.2)
        ax.set_yticks([0, -1, -2], [f"twice the {what}" for what in each])
        ax.set(ylim=(-2.5, 0.7), xlabel=axis)
        ax.margins(x=0.2)
        figures.title(ax, start)
    return fig
