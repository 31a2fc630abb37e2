"""Pictures of chapter 09b: two narrow bells that part, what losses leave over, transport, and what critics say."""

from collections.abc import Mapping, Sequence

import torch
from matplotlib.figure import Figure
from torch import Tensor

from course_lib.classroom.figures import BERRY, BLUE, INK, MUTE, ORANGE, line, new, points, title, values
from course_lib.information.divergences import jensen_shannon, total_variation
from course_lib.information.transport import Transport


def opening() -> Figure:
    """Return JSD, TV and W₁ of two narrow bells against their shift."""
    shifts, fine = torch.linspace(-2, 2, 81, dtype=torch.float64), torch.linspace(-3, 3, 3001, dtype=torch.float64)
    mass = torch.exp(-(((fine - shifts[:, None]) / 0.1) ** 2) / 2)
    mass = mass / mass.sum(1, keepdim=True)
    fixed = mass[40]  # at 0
    figure, ((ax,),) = new(width=6.5, height=3.2)
    line(ax, shifts, jensen_shannon(fixed, mass), BERRY, "JSD (nats)")
    line(ax, shifts, total_variation(fixed, mass), BERRY, "TV", dashed=True)
    line(ax, shifts, ((fixed - mass).cumsum(1).abs() * 0.002).sum(1), INK, "W₁ (units of x)")
    ax.set(xlabel="shift (the bells have σ = 0.1)", ylabel="distance", ylim=(0, 2.1), xlim=(-2, 3.4))
    title(ax, "JSD and TV go flat; W₁ is the shift")
    return figure


def left_over(ratio: Tensor, outputs: Sequence[Tensor], u: Tensor, curves: Mapping[str, Tensor]) -> Figure:
    """Return D's best output against ln p/q, one line a loss, and the f that each leaves over; curves: name → f(u)."""
    figure, ((left, right),) = new(1, 2, height=3.3)
    order = ratio.argsort()
    for style, best, (name, f) in zip(("-", "--", ":"), outputs, curves.items(), strict=True):
        left.plot(*values([ratio[order], best[order]]), style, color=BERRY)
        right.plot(*values([u, f]), style, color=BERRY)
        right.text(4.1, float(f[-1]) - 0.03, name, color=BERRY)
    left.set(xlim=(-3, 2), ylim=(-3, 2), xlabel="ln p/q at x", ylabel="best output of D")
    title(left, "D says the log ratio (—), its sign (- -), p/(p+q) (···)")
    right.set(xlabel="u = p/q", ylabel="f(u) (a line added, scaled)", ylim=(0, 3.1), xlim=(0, 5.6))
    title(right, "What is left over: a divergence")
    return figure


def _signed(number: float) -> str:
    return f"{number:g}".replace("-", "−")


def conjugate() -> Figure:
    """Return f(u) = (u − 1)² with two of the lines ut − f*(t) that touch it from below."""
    u = torch.linspace(0, 3, 200, dtype=torch.float64)
    figure, ((ax,),) = new(width=6.5, height=3.2)
    line(ax, u, (u - 1) ** 2, BERRY, "f(u) = (u − 1)²")
    for t, place in ((-1.0, (0.18, 1.3)), (2.0, (0.45, -3.1))):
        at, cut = 1 + t / 2, -(t**2 / 4 + t)
        line(ax, u, u * t + cut, MUTE, f"slope t = {_signed(t)}")
        ax.plot(at, (at - 1) ** 2, "o", color=INK)
        ax.plot(0, cut, "s", color=MUTE, clip_on=False)
        ax.text(*place, f"−f*({_signed(t)}) = {_signed(cut)}", color=MUTE, va="center")
    ax.set(xlabel="u = p/q", ylabel="f, and lines below it", ylim=(-3.5, 4.2), xlim=(0, 4.2))
    title(ax, "Every line that touches f from below is a bound")
    return figure


def transport(sources: Tensor, goals: Tensor, solved: Transport, grid: Tensor, prices: Tensor) -> Figure:
    """Return the plan between two samples of the plane, and the contours of the critic that is its dual."""
    used, side = solved.plan > 1e-9, int(len(grid) ** 0.5)
    figure, ((left, right),) = new(1, 2, height=3.9)
    height = *grid.T.reshape(2, side, side), prices.view(side, side)
    right.contour(*values(height), 14, colors=BERRY, linewidths=0.7)
    for ax in (left, right):
        for i, j in used.nonzero().tolist():
            way = torch.stack([sources[i], goals[j]]).T
            ax.plot(*values(way), color=INK, linewidth=30 * solved.plan[i, j].item())
        points(ax, sources, BLUE, s=30, alpha=1)
        points(ax, goals, ORANGE, s=34, alpha=1)
        ax.set(xlabel="$x_1$", ylabel="$x_2$")
    title(left, f"● data to ▲ fakes: {solved.distance:.2f} a point")
    title(right, "Its dual: a critic of slope 1")
    return figure


def said(arms: Mapping[str, tuple[Sequence[int], Tensor]], batches: Mapping[str, float], clipped: Tensor) -> Figure:
    """Return what critics say of W₁ against their updates (marks, runs), with the exact distances of two batches.

    clipped: (marks, runs) of the arm that is drawn on the right, on a log scale, beside the others' truth.
    """
    figure, ((left, right),) = new(1, 2, height=3.4, width_ratios=[1.5, 1])
    for (name, (marks, shares)), (style, colour) in zip(
        arms.items(), (("o--", MUTE), ("s-", BERRY), ("^:", INK)), strict=True
    ):
        left.plot(marks, values(shares), style, color=colour, markersize=3, linewidth=1)
        left.plot([], [], style, color=colour, markersize=4, linewidth=1, label=name)
    left.axhline(1, color=INK, linewidth=1)
    left.text(5.2, 1.05, "W₁", color=INK)
    for name, share in batches.items():
        left.axhline(share, color=BLUE, linestyle=":", linewidth=1.2)
        left.text(5.2, share + 0.05, name, color=BLUE, fontsize=9)
    left.legend(frameon=False, loc="center left", bbox_to_anchor=(0, 0.62), fontsize=9)
    left.set(xscale="log", xlabel="updates of the critic", ylabel="what it says, share of W₁", ylim=(-1.1, 3.4))
    title(left, "Near W₁ on the way, wrong past the data")
    boxes = ("±0.01", "±0.03", "±0.1", "±0.3")
    for run, shares in enumerate(clipped.T):  # side by side
        right.plot(
            [box + 0.08 * (run - 2) for box in range(len(boxes))], values(shares), "^", color=BERRY, markersize=4
        )
    right.axhline(1, color=INK, linewidth=1)
    right.text(-0.3, 1.25, "W₁", color=INK)
    right.set(yscale="log", xlabel="box of the weights", ylabel="what it says, share of W₁", xlim=(-0.5, 3.5))
    right.set_xticks(range(len(boxes)), boxes)
    title(right, "Clipped: they report the box")
    return figure
