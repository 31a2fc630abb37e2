"""Pictures of chapter 10: the smallest game, its eigenvalues and multipliers, the recipe's arms, rings and scenes."""

import math
from collections.abc import Mapping

import torch
from matplotlib.figure import Figure
from torch import Tensor

from course_lib.classroom import figures
from course_lib.classroom.figures import BERRY, BLUE, INK, MUTE, ORANGE, TEXT
from course_lib.datasets.ring import centres
from course_lib.gan.dirac import dirac_path, multipliers

GREY = "#9A9A9A"


def _number(x: float) -> Tensor:
    return torch.tensor(x, dtype=torch.float64)


def opening(steps: int = 140, rate: float = 0.35) -> Figure:
    """Return three paths of the minimax game from one start: at once, in turn, in turn with R1."""
    figure, (axes,) = figures.new(1, 3, height=3.4)
    arms = (
        ("At once: outwards", "simultaneous", 0.0),
        ("In turn: round and round", "alternating", 0.0),
        ("In turn, slope charged: home", "alternating", 0.4),
    )
    for ax, (fate, method, gamma) in zip(axes, arms, strict=True):
        path = dirac_path(_number(1.2), _number(0.0), steps, rate, rate, gamma, method, "minimax")
        ax.plot(*figures.values(path).T, ".-", color=INK, linewidth=0.7, markersize=3)
        ax.plot(1.2, 0, "o", color=BLUE)
        ax.plot(0, 0, "+", color=BERRY, markersize=12)
        ax.set(xlim=(-3.2, 3.2), ylim=(-3.2, 3.2), aspect="equal", xlabel="generator θ")
        figures.title(ax, fate)
        ax.annotate("", (1.5, -1.1), (1.6, -0.1), arrowprops={"arrowstyle": "-|>", "color": BLUE, "shrinkA": 0})
    axes[2].text(1.35, 0.15, "start", color=BLUE)
    axes[2].text(-0.2, 1.5, "+ end of the game", color=BERRY, ha="center")
    axes[0].set_ylabel("discriminator ψ")
    return figure


def the_game(theta: float = 1.0, psi: float = 0.6) -> Figure:
    """Return the Dirac-GAN drawn: data at 0, a fake at θ, the logit's line of slope ψ, and what each player does."""
    figure, ((ax,),) = figures.new(width=7.5, height=3.2)
    x = torch.tensor([-1.0, 2.2])
    figures.line(ax, x, psi * x, BERRY)
    figures.line(ax, x, 0.25 * psi * x, BERRY, dashed=True)
    ax.axhline(0, color=GREY, linewidth=0.8)
    ax.plot(0, 0, "o", color=BLUE, markersize=11)
    ax.plot(theta, 0, "^", color=ORANGE, markersize=11)
    ax.text(0, -0.28, "all data, at 0", color=BLUE, ha="center")
    ax.text(theta, -0.28, "all fakes, at θ", color=TEXT[ORANGE], ha="center")
    arrow = {"arrowstyle": "-|>", "linewidth": 2, "shrinkA": 0, "shrinkB": 0}
    ax.annotate("", (theta + 0.62, 0), (theta + 0.12, 0), arrowprops=arrow | {"color": ORANGE})
    ax.text(
        theta + 0.68,
        -0.03,
        "G moves the fakes\nto where the line is higher",
        color=TEXT[ORANGE],
        va="center",
        fontsize=9,
    )
    ax.annotate("", (theta, 0.3 * psi), (theta, psi - 0.03), arrowprops=arrow | {"color": BERRY})
    ax.text(theta, 1.0, "D turns the line\ndown at the fakes", color=BERRY, ha="right", va="center", fontsize=9)
    ax.text(2.25, psi * 2.2, "logit ψx", color=BERRY, va="center")
    ax.set(xlim=(-1.1, 3.1), ylim=(-0.7, 1.5), xlabel="x", ylabel="logit l(x)")
    figures.title(ax, "G climbs a line that D turns against it")
    return figure


def eigenvalues(gammas: Tensor, real: Tensor, imaginary: Tensor) -> Figure:
    """Return the two eigenvalues of the flow for each γ, in the plane, and the decay of the slower one; s = ½."""
    figure, ((left, right),) = figures.new(1, 2, height=3.4)
    left.plot(*figures.values([real, imaginary]), color=INK, linewidth=1.6)
    marked = [i for i, gamma in enumerate(gammas.tolist()) if round(gamma, 6) in (0, 1, 2.5)]
    for i in marked:
        left.plot(*figures.values([real[i], imaginary[i]]), "s", color=BERRY, markersize=6)
    for place, text in (((0.06, 0.47), "γ = 0"), ((0.06, -0.54), "γ = 0"), ((-0.9, -0.17), "γ = 1"),
                        ((-2.35, 0.07), "γ = 2.5"), ((-0.58, 0.07), "γ = 2.5")):  # fmt: skip
        left.text(*place, text, fontsize=9)
    left.axvline(0, color=MUTE, linestyle="--", linewidth=1)
    left.set(
        xlim=(-2.6, 0.6),
        ylim=(-0.65, 0.75),
        aspect="equal",
        xlabel="real part (1/time)",
        ylabel="imaginary part (radians/time)",
    )
    figures.title(left, "R1 moves the pair left, until it meets")
    figures.line(right, gammas, -real[:, 0], BERRY)
    right.plot(1, 0.5, "o", color=INK)
    right.text(1.08, 0.5, "γ = 2s")
    right.set(xlabel="penalty's weight γ", ylabel="decay of the slower part (1/time)", ylim=(0, 0.6))
    figures.title(right, "From γ = 2s on the slower one comes back")
    return figure


def step_multipliers(rate: float = 1.0, slope: float = 0.5) -> Figure:
    """Return the two multipliers of an alternating step with R1: in the plane, and their sizes against γ."""
    top = 2.2 / rate
    gammas = torch.linspace(0, top, 441).tolist()
    both = torch.stack([multipliers("alternating", rate, rate, gamma, slope) for gamma in gammas])
    figure, ((plane, sizes),) = figures.new(1, 2, height=3.8, width_ratios=(1, 1.35))
    angle = torch.linspace(0, 2 * math.pi, 200)
    plane.plot(*figures.values([angle.cos(), angle.sin()]), color=MUTE, linestyle="--", linewidth=1.2)
    plane.plot(figures.values(both.real), figures.values(both.imag), ".", color=BERRY, markersize=2.5)
    for gamma, corner in (
        (0.0, (0.95, 0.45)),
        (0.0, (0.95, -0.53)),
        (2 * slope - rate * slope**2, (-0.02, 0.08)),
        (2 / rate - rate * slope**2 / 2, (-0.94, 0.08)),
        (2 / rate - rate * slope**2 / 2, (1.04, -0.04)),
    ):
        pair = multipliers("alternating", rate, rate, gamma, slope)
        plane.plot(figures.values(pair.real), figures.values(pair.imag), "s", color=INK, markersize=5)
        plane.text(*corner, f"γ = {gamma:g}", fontsize=9)
    plane.set(xlim=(-1.4, 1.75), ylim=(-1.15, 1.15), aspect="equal", xlabel="real part", ylabel="imaginary part")
    figures.title(plane, "A pair, then two real ones")
    turning, edge = 2 * slope - rate * slope**2, 2 / rate - rate * slope**2 / 2
    slower = both.real.argmax(1, keepdim=True)  # of a complex pair either: their sizes are one
    ordered = torch.cat([both.gather(1, slower), both.gather(1, 1 - slower)], 1).abs()
    figures.line(sizes, gammas, ordered[:, 0], BERRY)
    figures.line(sizes, gammas, ordered[:, 1], BERRY, dashed=True)
    sizes.axhline(1, color=MUTE, linestyle="--", linewidth=1.2)
    for at, text in ((turning, "2s − hs²"), (edge, "2/h − hs²/2")):
        sizes.axvline(at, color=GREY, linewidth=0.9)
        sizes.text(at - 0.03, 0.06, f"γ = {text}", rotation=90, ha="right", va="bottom", fontsize=9)
    sizes.text(0.06, 0.6, "√(1 − hγ), both", color=BERRY, fontsize=9.5)
    sizes.text(1.02, 0.9, "the upper one", color=BERRY, fontsize=9.5)
    sizes.text(1.1, 0.04, "the lower one", color=BERRY, fontsize=9.5)
    sizes.set(xlim=(0, top), ylim=(0, 1.5), xlabel="penalty's weight γ (h = 1, s = ½)", ylabel="size of a multiplier")
    figures.title(sizes, "Best where the pair turns real; too much escapes")
    return figure


def strange() -> Figure:
    """Return the path of the minimax game whose change is to be named, against steps."""
    start = _number(1.5), _number(-0.5)
    path = dirac_path(*start, 300, 0.2, 0.2, gamma=3.5, method="alternating", loss="minimax")
    figure, ((ax,),) = figures.new(width=6.5, height=3.1)
    figures.line(ax, range(301), path[:, 0], ORANGE)
    figures.line(ax, range(301), path[:, 1], BERRY)
    ax.text(150, 0.4, "θ", color=TEXT[ORANGE])
    ax.text(150, -0.25, "ψ", color=BERRY)
    ax.axhline(0, color=GREY, linewidth=0.8)
    ax.set(xlabel="step", ylabel="value", ylim=(-0.7, 1.7))
    figures.title(ax, "Which change was it?")
    return figure


def recipe_arms(arms: Mapping[str, Tensor], floor: float, first: str = "the recipe") -> Figure:
    """Return the divergence of each arm of the recipe, one mark a seed and the mean."""
    figure, ((ax,),) = figures.new(width=8.5, height=3.9)
    for row, js in enumerate(arms.values()):
        ax.plot(figures.values(js), [row] * len(js), "^", color=ORANGE, markersize=5, alpha=0.6)
        ax.plot(figures.values(js.mean()), row, "|", color=INK, markersize=17, markeredgewidth=2.2)
    ax.axvline(floor, color=MUTE, linestyle="--", linewidth=1.2)
    ax.axvline(figures.values(arms[first].mean()), color=MUTE, linestyle=":", linewidth=1.2)
    for place, text in ((floor, "real against real"), (arms[first].mean().item(), f"mean of {first}")):
        ax.text(place + 0.006, -0.65, text, color=MUTE, fontsize=9)
    ax.set_yticks(range(len(arms)), list(arms))
    ax.set(xlim=(0, 0.72), ylim=(len(arms) - 0.5, -1.1), xlabel="divergence from the data (nats): ▲ seeds, | mean")
    figures.title(ax, "Turns, D's gradient left in G and more of D move the mean; new noise does not")
    return figure


def ring_modes(fakes: Mapping[str, Tensor]) -> Figure:
    """Return the fakes of some arms around the eight modes; a title each."""
    figure, (axes,) = figures.new(1, len(fakes), width=7.5, height=3.6)
    for ax, (text, points) in zip(axes, fakes.items(), strict=True):
        ax.plot(*figures.values(centres()).T, "o", color=BLUE, markersize=11, fillstyle="none")
        ax.plot(*figures.values(points).T, "^", color=ORANGE, markersize=3, alpha=0.6)
        ax.set(xlim=(-3, 3), ylim=(-3, 3), aspect="equal", xlabel="○ where a mode is, ▲ fakes")
        figures.title(ax, text)
    return figure
