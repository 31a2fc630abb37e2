"""The phase portrait of chapter 10: the Dirac-GAN's field, one path of steps and what becomes of the pair."""

import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from matplotlib.figure import Figure
from torch import Tensor

from course_lib.classroom import figures
from course_lib.classroom.figures import BERRY, INK, MUTE, ORANGE, TEAL
from course_lib.classroom.live import LiveExplorer
from course_lib.gan.dirac import METHODS, SLOPES, dirac_field, dirac_path, multipliers, running_mean

PLANE, ARROWS = 2.6, 15  # the portrait is the square from −2.6 to 2.6, with so many arrows a side


EDGE = 1e6  # farther out is drawn as this far


AT_ONE = 2e-7  # a double multiplier is off by 2e-8; on the sliders' grid the others are 1.1e-6 and more from 1


@dataclass(frozen=True)
class PhaseState:
    """What the portrait depends on: where the pair starts, the two rates, the penalty, how it steps, how often."""

    theta: float = 1.5
    psi: float = 0.0
    rate_g: float = 0.2
    rate_d: float = 0.2
    gamma: float = 0.0
    steps: int = 200
    method: str = "simultaneous"
    loss: str = "minimax"

    def __post_init__(self) -> None:
        for name, value, known in (("method", self.method, METHODS), ("loss", self.loss, SLOPES)):
            if value not in known:
                raise ValueError(f"{name}: expected one of {', '.join(known)}, got {value!r}")


def verdict(largest: float) -> str:
    """Return what becomes of a pair near the equilibrium whose largest multiplier has this modulus.

    A modulus of 1 alone does not decide: what is of higher order does, or how often the multiplier occurs.
    """
    if abs(largest - 1) <= AT_ONE:
        return "that alone does not decide"
    return "the pair comes nearer" if largest < 1 else "the pair moves away"


def size(largest: float) -> str:
    """Return a modulus with four decimals, or as many as tell it from 1; within ``AT_ONE`` it is 1."""
    away = abs(largest - 1)
    return "1" if away <= AT_ONE else f"{largest:.{max(4, 1 - math.floor(math.log10(away)))}f}"


class PhaseExplorer(LiveExplorer):
    """Move the start, the rates and the penalty; choose the update and the loss; see the path and its fate."""

    module = "dirac_phase.js"

    def __init__(self, alt: str, state: PhaseState | None = None) -> None:
        super().__init__({"plane": PLANE, "arrows": ARROWS}, asdict(state or PhaseState()), alt)

    @staticmethod
    def compute(data: dict[str, Any], state: dict[str, Any]) -> dict[str, Any]:
        """Return path and running mean (steps + 1, 2), distance, multipliers [re, im], field (ψ, θ, 2) on the grid."""
        at = PhaseState(**state)
        start_g, start_d = (torch.tensor(x, dtype=torch.float64) for x in (at.theta, at.psi))
        path = dirac_path(start_g, start_d, at.steps, at.rate_g, at.rate_d, at.gamma, at.method, at.loss)
        path = path.clamp(-EDGE, EDGE)
        ticks = torch.linspace(-data["plane"], data["plane"], data["arrows"], dtype=torch.float64)
        psi, theta = torch.meshgrid(ticks, ticks, indexing="ij")
        found = multipliers(at.method, at.rate_g, at.rate_d, at.gamma, SLOPES[at.loss])
        numbers: dict[str, Tensor] = {
            "path": path,
            "mean": running_mean(path),
            "distance": path.norm(dim=-1),
            "multipliers": torch.view_as_real(found),
            "largest": found.abs().max(),
            "field": torch.stack(dirac_field(theta, psi, at.gamma, at.loss), dim=-1),
        }
        made = {name: value.tolist() for name, value in numbers.items()}
        made["multipliers"].sort(key=lambda pair: (round(pair[0] * 1e6), pair[1]))  # of conjugates − comes first
        return made

    @staticmethod
    def figure(data: dict[str, Any], state: dict[str, Any]) -> Figure:
        """Return field and path, distances, and multipliers in the unit circle."""
        found, edge = PhaseExplorer.compute(data, state), data["plane"]
        path, mean, pulls = (np.array(found[name]) for name in ("path", "mean", "field"))
        figure, ((plane, distance, circle),) = figures.new(1, 3, height=3.5, width_ratios=(1.15, 1.15, 1))
        ticks = np.linspace(-edge, edge, data["arrows"])
        pulls /= np.sqrt(np.linalg.norm(pulls, axis=-1, keepdims=True).clip(1e-9))  # the direction counts
        plane.quiver(ticks, ticks, *np.moveaxis(pulls, -1, 0), color="#A8A8A8", width=0.005, scale=22, angles="xy")
        plane.plot(*path.T, color=INK, linewidth=0.9, marker=".", markersize=3)
        plane.plot(*mean.T, color=TEAL, linewidth=1.6, linestyle="--")
        plane.plot([0], [0], "+", color=BERRY, markersize=12)
        plane.plot(*path[0], "o", color=INK, markersize=7)
        plane.plot(*path[-1].clip(-edge, edge), "^", color=ORANGE, markersize=9)
        plane.set(xlim=(-edge, edge), ylim=(-edge, edge), aspect="equal")
        plane.set(xlabel="generator θ   (● start, ▲ end, – – mean)", ylabel="discriminator ψ")
        first, last, time = found["distance"][0], found["distance"][-1], np.arange(len(path))
        distance.plot(time, np.clip(found["distance"], 1e-9, 1e9), color=INK, linewidth=1.6)
        distance.plot(time, (first * found["largest"] ** time).clip(1e-9, 1e9), color=MUTE, linestyle="--")
        distance.set(xlim=(0, 200), ylim=(1e-4, 30), yscale="log", xlabel="step")
        distance.set_ylabel("distance (– – start · |μ|ⁿ)")
        angle = np.linspace(0, 2 * np.pi, 100)
        circle.plot(np.cos(angle), np.sin(angle), color=MUTE, linestyle="--", linewidth=1.2)
        circle.plot(*np.array(found["multipliers"]).T, "s", color=BERRY, markersize=6)
        circle.set(xlim=(-1.5, 1.5), ylim=(-1.5, 1.5), aspect="equal", xlabel="real part of μ", ylabel="imaginary part")
        fate = f"near (0, 0) |μ| = {size(found['largest'])}:\n{verdict(found['largest'])}"
        away = f"{first:.2f} from (0, 0) at first,\n{last:.3g} after {state['steps']} steps"
        for ax, says in ((plane, f"{state['method']},\n{state['loss']}"), (distance, away), (circle, fate)):
            ax.set_title(says, loc="left", fontsize=10.5, color=INK)
        return figure
