"""Pictures of chapter 14b: the ring, what the exchange costs, two curves, bytes by stage, card-hours."""

from collections.abc import Sequence

from matplotlib.figure import Figure
from matplotlib.patches import Patch
from torch import Tensor

from course_lib.chapters.ch14b_many_devices.costs import TRAININGS, bytes_a_device, training_days
from course_lib.chapters.ch14b_many_devices.ring import seconds_a_step
from course_lib.classroom import figures
from course_lib.classroom.diagrams import arrows, boxes
from course_lib.classroom.figures import BERRY, BLUE, INK, MUTE, ORANGE, TEAL, TEXT


def opening() -> Figure:
    """Return the card-hours of known trainings against those that 6 · parameters · tokens gives at 40 %.

    Filled: published hours; hollow: hours that their source worked out from the same operations.
    """
    figure, ((ax,),) = figures.new(width=7.5, height=4.2)
    ends = (40, 2e8)
    ax.plot(ends, ends, color=MUTE, linestyle="--", linewidth=1.2)
    for each in TRAININGS:
        estimate = 24 * training_days(each.parameters, each.tokens, 1, each.peak)
        reached = 0.4 * estimate / each.hours
        inside = "white" if each.derived else BERRY
        ax.plot(estimate, each.hours, color=BERRY, markerfacecolor=inside, marker="o", markersize=7, linestyle="")
        away, side = ((-10, 0), "right") if each.hours > 2e6 else ((10, -14), "left")
        name = f"{each.name} ({each.card})\n{100 * reached:.0f} % of the peak"
        where = {"xytext": away, "textcoords": "offset points", "ha": side}
        ax.annotate(name, (estimate, each.hours), fontsize=9.5, color=TEXT[BERRY], **where)
    ax.text(3e3, 5e3, "equal", color=MUTE, fontsize=9.5, ha="right")
    ax.set(xscale="log", yscale="log", xlim=ends, ylim=ends)
    ax.set(xlabel="GPU-hours by 6 · parameters · tokens, at 40 % of the peak", ylabel="GPU-hours, as published")
    ax.text(1.5e8, 60, "○ nobody counted: operations divided by a rate", color=INK, fontsize=9.5, ha="right")
    figures.title(ax, "Three trainings of 192 to 31 million GPU-hours reached 35 to 46 % of the peak")
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


def circle() -> Figure:
    """Return four devices in a ring, and the chunk that each sends to its right neighbour in step 0."""
    figure, ((ax,),) = figures.new(width=7.5, height=2.7)
    corners = [(0.0, 1.4), (4.6, 1.4), (4.6, 0.0), (0.0, 0.0)]
    boxes(ax, {f"device {n}\nchunks 0 1 2 3": (x, y, 1.7, BLUE) for n, (x, y) in enumerate(corners)}, 0.7, 9.5)
    ways = [((1.75, 1.75), (4.55, 1.75)), ((5.45, 1.36), (5.45, 0.74)), ((4.55, 0.35), (1.75, 0.35))]
    arrows(ax, [*ways, ((0.85, 0.74), (0.85, 1.36))], colour=ORANGE, head=14, linewidth=1.6)
    for n, (x, y) in enumerate([(3.15, 1.85), (5.95, 0.98), (3.15, 0.45), (0.35, 0.98)]):
        ax.text(x, y, f"chunk {n}", color=TEXT[ORANGE], fontsize=9.5, ha="center")
    ax.set(xlim=(-0.2, 6.6), ylim=(-0.1, 2.2), xticks=(), yticks=())
    ax.spines[:].set_visible(False)
    figures.title(ax, "Step 0 of a ring of four: everybody sends, everybody receives")
    return figure


def ring(shares: Sequence[Tensor]) -> Figure:
    """Return which share of each chunk's sum every device holds, after 0, 1, 2, 3 and 6 steps of four devices."""
    figure, axes = figures.new(1, len(shares), width=11, height=2.9)
    names = ["at the start", "after 1 step", "after 2 steps", "after 3 steps", "after 6 steps"]
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
    kinds = [
        Patch(facecolor="white", edgecolor=colour, hatch=hatch, label=f"{name}: {size}")
        for name, size, colour, hatch in KINDS
    ]
    ax.legend(
        handles=kinds, title="bytes a parameter", loc="lower right", frameon=False, fontsize=9.5, handlelength=2.6,
        handleheight=1.5,
    )  # fmt: skip
    return figure
