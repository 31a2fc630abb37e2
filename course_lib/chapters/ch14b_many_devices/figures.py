"""Pictures of chapter 14b: the ring, what the exchange costs, two curves, bytes by stage, card-hours."""

from collections.abc import Sequence

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from course_lib.chapters.ch14b_many_devices.costs import TRAININGS, bytes_a_device, training_days
from course_lib.chapters.ch14b_many_devices.ring import seconds_a_step
from course_lib.classroom import figures
from course_lib.classroom.diagrams import arrows, boxes
from course_lib.classroom.figures import BERRY, BLUE, INK, MUTE, ORANGE, TEAL, TEXT


def opening() -> Figure:
    """Return the card-hours of four published trainings against those that 6 · parameters · tokens gives at 40 %."""
    figure, ((ax,),) = figures.new(width=7.5, height=4.2)
    line = torch.tensor([60.0, 1e8])
    ax.fill_between(line, line / 2.1, line * 2.1, color=figures.PALE, linewidth=0)
    ax.plot(line, line, color=MUTE, linestyle="--", linewidth=1.2)
    for each in TRAININGS:
        predicted = 24 * training_days(each.parameters, each.tokens, 1, each.peak)
        ax.plot(predicted, each.hours, color=BERRY, marker="o", markersize=7, linestyle="")
        away, side = ((-8, 4), "right") if each.name == "GPT-3" else ((9, -9), "left")
        where = {"xytext": away, "textcoords": "offset points", "ha": side}
        ax.annotate(f"{each.name} ({each.card})", (predicted, each.hours), fontsize=9.5, color=TEXT[BERRY], **where)
    ax.set(xscale="log", yscale="log", xlim=(60, 2e9), ylim=(60, 1e8))
    ax.set(xlabel="card-hours by 6 · parameters · tokens, at 40 % of the peak", ylabel="card-hours, published")
    figures.title(ax, "Four published trainings, each within a factor of 2.1 of the estimate")
    return figure


def devices_and_batch() -> Figure:
    """Return the step as a diagram: one batch, shares, gradients, their mean, the same update everywhere."""
    figure, ((ax,),) = figures.new(width=9.5, height=2.9)
    placed = {"one batch\nof B rows": (0.0, 0.7, 1.5, BLUE), "all-reduce:\nmean gradient": (6.4, 0.7, 1.9, BERRY)}
    for n, y in enumerate((1.4, 0.0)):
        placed[f"rows of\ndevice {n}"] = (2.1, y, 1.3, BLUE)
        placed[f"its copy: forward,\nbackward → gradient {n}"] = (3.8, y, 2.2, INK)
        placed[f"the same update\non device {n}"] = (8.8, y, 1.9, TEAL)
    boxes(ax, placed, height=0.6, size=9)
    for y in (1.7, 0.3):
        arrows(
            ax, [((1.53, 1.0), (2.08, y)), ((3.43, y), (3.78, y)), ((6.03, y), (6.38, 1.0)), ((8.33, 1.0), (8.78, y))]
        )
    ax.set(xlim=(-0.1, 10.8), ylim=(-0.15, 2.15), xticks=(), yticks=())
    ax.spines[:].set_visible(False)
    return figure


def ring(shares: Sequence[Tensor]) -> Figure:
    """Return which share of each chunk's sum every device holds, after 0, 1, 2, 3 and 6 steps of four devices."""
    figure, axes = figures.new(1, len(shares), width=11, height=2.9)
    names = ["at the start", "after step 1", "after step 2", "after step 3", "after step 6"]
    rows, columns = [[f"{what}{n}" for n in range(4)] for what in ("device ", "")]
    for ax, share, name in zip(axes[0], shares, names, strict=True):
        figures.matrix(ax, share, rows if ax is axes[0, 0] else [""] * 4, columns)
        ax.set_title(name, fontsize=10.5, loc="left")
        ax.set_xlabel("chunk", fontsize=9.5)
    return figure


def speed(compute: float, size: float, bandwidth: float, latency: float) -> Figure:
    """Return the seconds of a step against the number of devices: work, exchange, both."""
    figure, ((ax,),) = figures.new(width=9.5, height=3.4)
    N = [2**i for i in range(11)]
    whole = [seconds_a_step(n, compute, size, bandwidth, latency) for n in N]
    work = [compute / n for n in N]
    exchange = [a - b for a, b in zip(whole, work, strict=True)]
    figures.line(ax, N, whole, BERRY, "both", marker="o")
    figures.line(ax, N, work, MUTE, "work")
    figures.line(ax, N[1:], exchange[1:], ORANGE, "", marker="^")
    ax.text(2.1, 0.026, "exchange", color=TEXT[ORANGE], fontsize=9.5)
    ax.set(xscale="log", yscale="log", xlabel="devices", ylabel="seconds a step", xlim=(0.9, 1500))
    ax.set_xticks(N, [str(n) for n in N])
    ax.minorticks_off()
    return figure


def curves(alone: Sequence[float], together: Sequence[float]) -> Figure:
    """Return the losses of one process and of two, and how far they are apart."""
    figure, ((left, right),) = figures.new(1, 2, width=9.5, height=3.1)
    steps = list(range(1, len(alone) + 1))
    left.plot(steps, alone, color=BLUE, linewidth=1.8)
    left.plot(steps, together, color=ORANGE, marker="^", markersize=5, linestyle="")
    left.text(0.4, 0.85, "line: one process · ▲ two", transform=left.transAxes, fontsize=9.5, color=INK)
    left.set(xlabel="step", ylabel="loss (nats)")
    gaps = [max(abs(a - b), 1e-9) for a, b in zip(alone, together, strict=True)]
    right.plot(steps, gaps, color=BERRY, marker="o", markersize=4, linewidth=1)
    right.axhline(1e-5, color=MUTE, linestyle="--", linewidth=1.2)
    right.text(1, 1.3e-5, "1e-5", color=MUTE, fontsize=9)
    right.set(yscale="log", xlabel="step", ylabel="difference (nats)", ylim=(5e-10, 5e-5))
    figures.title(left, "Two processes descend as one does")
    return figure


KINDS = (("weights", 2, TEAL, ""), ("gradients", 2, ORANGE, "//"), ("copy and moments", 12, BERRY, "xx"))


def stages(parameters: float, devices: int) -> Figure:
    """Return the gigabytes on one device at each stage as stacked bars, by kind."""
    figure, ((ax,),) = figures.new(width=9.5, height=3.2)
    for stage in range(4):
        left = 0.0
        for kind, (_, size, colour, hatch) in enumerate(KINDS):
            width = parameters * (size / devices if stage >= 3 - kind else size) / 1e9
            ax.barh(stage, width, left=left, color="white", edgecolor=colour, hatch=hatch, linewidth=1.4, height=0.6)
            left += width
        ax.text(
            left + 0.3, stage, f"{bytes_a_device(parameters, devices, stage) / 1e9:.1f} GB", va="center", fontsize=9.5
        )
    ax.set_yticks(range(4), ["0: nothing", "1: + copy, moments", "2: + gradients", "3: + weights"])
    ax.set(xlabel=f"GB on each of {devices} devices", ylabel="what is divided", xlim=(0, 32))
    ax.invert_yaxis()
    _key(ax)
    return figure


def _key(ax: Axes) -> None:
    """Name the kinds in the colours of their bars."""
    for i, (name, size, colour, hatch) in enumerate(KINDS):
        sign = {"": "□", "//": "▨", "xx": "▩"}[hatch]
        ax.text(27.2, 1.5 + 0.55 * i, f"{sign} {name}: {size}", color=TEXT[colour], fontsize=9.5)
    ax.text(27.2, 3.2, "bytes a parameter", color=INK, fontsize=9)
