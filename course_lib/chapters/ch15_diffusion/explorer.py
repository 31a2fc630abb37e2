"""The explorer of chapter 15: particles flow from noise to a mixture in the plane, by the exact velocity."""

import itertools
import math
from collections.abc import Collection
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from matplotlib.figure import Figure
from matplotlib.patches import Circle
from scipy.integrate import solve_ivp
from torch import Tensor

from course_lib.classroom import figures
from course_lib.classroom.figures import BERRY, BLUE, INK, MUTE, ORANGE
from course_lib.classroom.live import LiveExplorer
from course_lib.diffusion.mixtures import Mixture, exact
from course_lib.diffusion.paths import COSINE, STRAIGHT, Path
from course_lib.diffusion.samplers import Velocity, ddim_step, euler, even_times, heun

Bell = tuple[float, tuple[float, float], float]  # share, centre, width

TARGETS: dict[str, list[Bell]] = {
    "three clusters": [(0.5, (0.4, 1.8), 0.3), (0.3, (-1.8, -0.6), 0.3), (0.2, (1.7, -1.2), 0.3)],
    "ring of eight": [(1 / 8, (2 * math.cos(k * math.pi / 4), 2 * math.sin(k * math.pi / 4)), 0.2) for k in range(8)],
    "two bells": [(0.6, (-1.5, 0.0), 0.45), (0.4, (1.5, 0.0), 0.45)],
}


PATHS = {path.name: path for path in (STRAIGHT, COSINE)}


SAMPLERS = ("euler", "heun", "fresh noise")


PARTICLES, STEPS, SEED = 40, 64, 7  # most steps


WAY = "#E3B48C"  # a pale orange: where particles have been


PLANE, ARROWS = 3.2, 13  # the plane is the square from −3.2 to 3.2, with so many arrows a side


@dataclass(frozen=True)
class FlowState:
    """What is shown: the flow, how it is followed, the moment, the particle in focus, whether the field is drawn."""

    target: str = "three clusters"
    path: str = "straight"
    sampler: str = "euler"
    steps: int = 8
    t: float = 0.6
    particle: int = 12
    field: bool = True

    def __post_init__(self) -> None:
        known: dict[str, Collection[str]] = {"target": TARGETS, "path": PATHS, "sampler": SAMPLERS}
        for name, names in known.items():
            if getattr(self, name) not in names:
                raise ValueError(f"{name}: expected one of {', '.join(names)}, got {getattr(self, name)!r}")


def mixture(bells: list[Any]) -> Mixture:
    """Return the mixture of bells (share, centre, width), in float64."""
    shares, centres, widths = zip(*bells, strict=True)
    return Mixture(*(torch.tensor(each, dtype=torch.float64) for each in (shares, centres, widths)))


def exact_velocity(target: Mixture, path: Path) -> Velocity:
    """Return v(x, t), the best guess of dx_t/dt by who knows the target."""
    return lambda x, t: exact(target, x, t, path)["velocity"]


def flowed(target: Mixture, starts: Tensor) -> Tensor:
    """Return where the flow itself carries each start (n, 2), to seven digits and more; every path leads there."""

    def slope(t: float, flat: Any) -> Any:
        x = torch.as_tensor(flat).view(-1, 2)
        return exact(target, x, torch.full((len(x),), t, dtype=x.dtype), STRAIGHT)["velocity"].flatten().numpy()

    found = solve_ivp(slope, (0, 1), starts.flatten().numpy(), method="DOP853", rtol=1e-9, atol=1e-9)
    return torch.as_tensor(found.y[:, -1]).view(-1, 2)


def with_fresh_noise(velocity: Velocity, x: Tensor, times: Tensor, path: Path, draws: Tensor) -> list[Tensor]:
    """Return the places at all times: as ``samplers.ddim`` with eta = 1, the noise of each step being given."""
    places = [x]
    for (now, then), drawn in zip(itertools.pairwise(times), draws, strict=False):  # more draws than steps
        x = ddim_step(velocity, x, now, then, path, 1.0, drawn)
        places.append(x)
    return places


def walked(target: Mixture, at: FlowState, starts: Tensor, draws: Tensor) -> Tensor:
    """Return the places (particles, steps + 1, 2) of a sampler at all its times."""
    path, times, seen = PATHS[at.path], even_times(at.steps, dtype=torch.float64), []
    exactly = exact_velocity(target, path)

    def velocity(x: Tensor, t: Tensor) -> Tensor:
        seen.append(x)
        return exactly(x, t)

    if at.sampler == "fresh noise":
        return torch.stack(with_fresh_noise(exactly, starts, times, path, draws), dim=1)
    end = (heun if at.sampler == "heun" else euler)(velocity, starts, times)
    kept = seen[::2] if at.sampler == "heun" else seen  # Heun asks at both ends of a step
    return torch.stack([*kept, end], dim=1)


def along(places: Tensor, t: float) -> Tensor:
    """Return where the particles are at time t (particles, 2): between two steps on the line between."""
    steps = places.shape[1] - 1
    before = min(int(t * steps), steps - 1)
    part = t * steps - before
    return (1 - part) * places[:, before] + part * places[:, before + 1]


def field(target: Mixture, path: Path, t: float, plane: float, arrows: int) -> Tensor:
    """Return the velocity at time t on the grid, (y, x, 2)."""
    ticks = torch.linspace(-plane, plane, arrows, dtype=torch.float64)
    y, x = torch.meshgrid(ticks, ticks, indexing="ij")
    spots = torch.stack([x, y], dim=-1).view(-1, 2)
    moments = torch.full((len(spots),), t, dtype=torch.float64)
    return exact_velocity(target, path)(spots, moments).view(arrows, arrows, 2)


class FlowExplorer(LiveExplorer):
    """Choose target, path, sampler and steps; let time run; follow one particle on its way to the data."""

    module = "flow.js"

    def __init__(self, alt: str, state: FlowState | None = None) -> None:
        generator = torch.Generator().manual_seed(SEED)
        every = torch.randn(1 + STEPS, PARTICLES, 2, dtype=torch.float64, generator=generator)
        starts, *draws = every.mul(1e3).round() / 1e3
        ends = {name: flowed(mixture(bells), starts).mul(1e6).round().div(1e6) for name, bells in TARGETS.items()}
        data = {
            "targets": TARGETS,
            "starts": starts.tolist(),
            "draws": [each.tolist() for each in draws],
            "ends": {name: each.tolist() for name, each in ends.items()},
            "plane": PLANE,
            "arrows": ARROWS,
        }
        super().__init__(data, asdict(state or FlowState()), alt)

    @staticmethod
    def compute(data: dict[str, Any], state: dict[str, Any]) -> dict[str, Any]:
        """Return places at all steps and at t, the field at t, how far ends lie from others', lengths of the ways.

        places: (particles, steps + 1, 2); off: mean distance from where the flow itself ends, None with fresh noise;
        near: share of ends within two widths of a centre; spread: largest distance of an end from the data's mean;
        length, distance: of the followed way and from its start to its end; detour: of all ways, sum over sum.
        """
        at, target = FlowState(**state), mixture(data["targets"][state["target"]])
        starts, draws, ends = (
            torch.tensor(each, dtype=torch.float64) for each in (data["starts"], data["draws"], data["ends"][at.target])
        )
        places = walked(target, at, starts, draws)
        last, mean = places[:, -1], target.weights @ target.centres
        length = places.diff(dim=1).norm(dim=-1).sum(1)
        distance = (last - starts).norm(dim=-1)
        inside = (last[:, None] - target.centres).norm(dim=-1) < 2 * target.widths
        return {
            "places": places.tolist(),
            "now": along(places, at.t).tolist(),
            "field": field(target, PATHS[at.path], at.t, data["plane"], data["arrows"]).tolist(),
            "evaluations": at.steps * (2 if at.sampler == "heun" else 1),
            "off": None if at.sampler == "fresh noise" else (last - ends).norm(dim=-1).mean().item(),
            "near": inside.any(dim=1).double().mean().item(),
            "mean": mean.tolist(),
            "spread": (last - mean).norm(dim=-1).max().item(),
            "length": length[at.particle].item(),
            "distance": distance[at.particle].item(),
            "detour": (length.sum() / distance.sum()).item() if distance.sum() > 1e-9 else 1.0,
        }

    @staticmethod
    def figure(data: dict[str, Any], state: dict[str, Any]) -> Figure:
        """Return the particles at t with the field, and all their ways with the one that is followed."""
        found, at, edge = FlowExplorer.compute(data, state), FlowState(**state), data["plane"]
        places, now = np.array(found["places"]), np.array(found["now"])
        figure, ((left, right),) = figures.new(1, 2, height=4.9)
        if at.field:
            pull, ticks = np.array(found["field"]), np.linspace(-edge, edge, data["arrows"])
            pull /= np.sqrt(np.linalg.norm(pull, axis=-1, keepdims=True).clip(1e-9))  # the direction counts
            left.quiver(ticks, ticks, *np.moveaxis(pull, -1, 0), color="#A8A8A8", width=0.004, scale=34, angles="xy")
        done = math.floor(at.t * at.steps + 1e-9) + 1
        for way, place in zip(places, now, strict=True):
            left.plot(*np.vstack([way[:done], place]).T, color=WAY, linewidth=0.8)
            right.plot(*way.T, color=WAY, linewidth=0.8)
        followed = places[at.particle]
        right.plot(*followed[[0, -1]].T, color=MUTE, linestyle="--", linewidth=1.3)
        right.plot(*followed.T, color=INK, linewidth=1.6, marker=".", markersize=5)
        for ax, spots in ((left, now), (right, places[:, -1])):
            for _, centre, width in data["targets"][at.target]:
                ax.add_patch(Circle(centre, 2 * width, fill=False, edgecolor=BLUE, linestyle="--", linewidth=1.4))
            ax.plot(*spots.T, "^", color=ORANGE, markersize=6, markeredgecolor="white", markeredgewidth=0.5)
            ax.plot(*spots[at.particle], "s", color=BERRY, markersize=7)
            ax.set(xlim=(-edge, edge), ylim=(-edge, edge), aspect="equal", xlabel="first number of x")
        left.set_ylabel("second number of x")
        if found["off"] is not None:  # fresh noise leads anywhere
            right.plot(*data["ends"][at.target][at.particle], "+", color=INK, markersize=11)
            right.set_xlabel("first number of x   (+ the flow's own end of ■)")
        figures.title(left, f"t = {at.t:.2f}: {len(now)} particles, ■ the one that is followed")
        went = f"■ went {found['length']:.2f}, came {found['distance']:.2f} far"
        figures.title(right, f"{at.sampler}, {at.steps} steps: {went}")
        return figure
