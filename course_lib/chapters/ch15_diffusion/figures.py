"""Pictures of chapter 15: from noise to digits, paths, the U-Net, its first steps, distances, guidance, patients."""

import itertools
from collections.abc import Mapping, Sequence

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, Rectangle
from torch import Tensor, nn

from course_lib.chapters.ch15_diffusion.patients import Patient
from course_lib.classroom import figures
from course_lib.classroom.figures import BERRY, BLUE, INK, MUTE, ORANGE, TEAL, TEXT
from course_lib.classroom.records import Record
from course_lib.diffusion.guidance import guided_velocity, sample
from course_lib.diffusion.mixtures import Mixture, exact, log_density
from course_lib.diffusion.paths import STRAIGHT
from course_lib.diffusion.samplers import euler_step, even_times, heun_step
from course_lib.diffusion.unet import UNet
from course_lib.training.history import Curve

GREY = "#9A9A9A"


@torch.no_grad()
def opening(unet: UNet, noise: Tensor, classes: Tensor, steps: int = 50) -> Figure:
    """Return one noise a column on its way: at t = 0, 0.2, 0.4, 0.6, 0.8 and 1, top to bottom."""
    velocity = guided_velocity(unet, classes)
    x, kept = noise, [noise]
    for i, (now, then) in enumerate(itertools.pairwise(even_times(steps, noise.device))):
        x = euler_step(velocity, x, now, then)
        if (i + 1) % (steps // 5) == 0:
            kept.append(x)
    figure, ((ax,),) = figures.new(width=7.5, height=4.9)
    figures.tiles(ax, torch.cat(kept).clamp(-1, 1), columns=len(noise), low=-1)
    ax.set_yticks([30 * i + 15 for i in range(6)], [f"t = {i / 5:g}" for i in range(6)])
    ax.set_xticks([30 * i + 15 for i in range(10)], [str(c) for c in classes.tolist()])
    ax.tick_params(length=0)
    ax.set_xlabel("class that was asked for")
    figures.title(ax, "From noise to digits in fifty small steps")
    return figure


def ways(bells: Mixture, pairs: int = 40) -> Figure:
    """Return the density of x_t over time with the lines of pairs, and with the flow's paths."""
    generator = torch.Generator().manual_seed(5)
    t = torch.linspace(0, 1, 161, dtype=torch.float64)
    y = torch.linspace(-3, 3, 201, dtype=torch.float64)
    grid_t, grid_y = torch.meshgrid(t, y, indexing="xy")
    density = log_density(bells, grid_y.reshape(-1, 1), grid_t.reshape(-1), STRAIGHT).exp().view(len(y), len(t))
    figure, (axes,) = figures.new(1, 2, height=3.9)
    for ax in axes:
        ax.imshow(figures.values(density), origin="lower", extent=(0, 1, -3, 3), aspect="auto", cmap="Greys", vmax=1.4)
        ax.set(xlim=(0, 1), ylim=(-3, 3), xlabel="time t: noise at 0, data at 1")
    data = bells.sample(pairs, generator)[:, 0]
    noise = torch.randn(pairs, dtype=torch.float64, generator=generator)
    for pair in torch.stack([noise, data], 1):
        axes[0].plot((0, 1), figures.values(pair), color=BLUE, linewidth=0.9)
    x = torch.special.ndtri((torch.arange(20, dtype=torch.float64) + 0.5) / 20)[:, None]
    kept = [x]
    for now, then in itertools.pairwise(t):
        x = heun_step(lambda x, t: exact(bells, x, t, STRAIGHT)["velocity"], x, now, then)
        kept.append(x)
    for way in torch.cat(kept, 1):
        axes[1].plot(figures.values(t), figures.values(way), color=ORANGE, linewidth=1.2)
    axes[0].set_ylabel("place x")
    figures.title(axes[0], "The pairs' paths are straight, and cross")
    figures.title(axes[1], "The flow's bend, and never cross")
    return figure


def _arrow(ax: Axes, start: tuple[float, float], end: tuple[float, float], colour: str = INK, style: str = "-") -> None:
    """Draw an arrow."""
    ax.add_patch(
        FancyArrowPatch(start, end, arrowstyle="-|>", mutation_scale=12, color=colour, linewidth=1.1, linestyle=style)
    )


def valley() -> Figure:
    """Return the U-Net drawn: what is folded, goes down, up, and across, and what every block is told."""
    figure, ((ax,),) = figures.new(width=9.5, height=3.4)
    boxes = (
        (0, 1.9, "x_t\n1 × 28 × 28", INK),
        (1.9, 1.3, "folded\n4 × 14 × 14", INK),
        (3.6, 1.3, "32 × 14 × 14", TEAL),
        (5.4, 0.75, "64 × 7 × 7, told as well", BERRY),
        (7.2, 1.3, "64 × 14 × 14", TEAL),
        (9.0, 1.3, "4 × 14 × 14", INK),
        (10.9, 1.9, "prediction\n1 × 28 × 28", INK),
    )
    heights = (0, 0, 0, -1.5, 0, 0, 0)
    for (x, side, text, colour), y in zip(boxes, heights, strict=True):
        ax.add_patch(Rectangle((x - 0.3, y - side / 2), 0.6, side, facecolor="white", edgecolor=colour, linewidth=1.8))
        ax.text(x, y - side / 2 - 0.1, text, ha="center", va="top", fontsize=9, color=TEXT[colour])
    for (a, b), text in (
        ((0, 1), "fold"),
        ((1, 2), ""),
        ((2, 3), "down"),
        ((3, 4), "up"),
        ((4, 5), ""),
        ((5, 6), "unfold"),
    ):
        start, end = (boxes[a][0] + 0.34, heights[a]), (boxes[b][0] - 0.34, heights[b])
        _arrow(ax, start, end)
        aside = {"down": 0.45, "up": -0.4}.get(text, 0.0)
        ax.text((start[0] + end[0]) / 2 + aside, (start[1] + end[1]) / 2 + 0.12, text, ha="center", fontsize=9)
    _arrow(ax, (3.94, 0.45), (6.86, 0.45), style="--")
    ax.text(5.4, 0.55, "the rim is carried across", ha="center", fontsize=9)
    ax.text(5.4, 1.35, "time, class: a vector that every block is told", ha="center", color=TEXT[ORANGE], fontsize=9.5)
    for x, y in ((3.6, 0.7), (7.2, 0.7)):
        _arrow(ax, (5.4 + (x - 5.4) * 0.35, 1.28), (x, y), ORANGE)
    ax.set(xlim=(-1.1, 12), ylim=(-2.4, 1.7), xticks=(), yticks=())
    ax.spines[:].set_visible(False)
    return figure


def first_steps(curve: Curve, record: Record, average: nn.Module, noise: Tensor) -> Figure:
    """Return the loss beside the recorded runs', and digits of this run."""
    figure, ((left, right),) = figures.new(1, 2, height=3.1, width_ratios=(1.1, 1))
    for each in record.arm("classes").each("loss"):
        left.plot(record.values["evaluated"], each, color=MUTE, linestyle="--", linewidth=0.8)
    figures.line(left, curve.steps, curve.values, BERRY)
    left.set(xlabel="step of 64 images", ylabel="loss, mean square of a pixel", yscale="log")
    _plain_ticks(left, "y")
    left.text(0.98, 0.93, "— this run   - - five recorded", transform=left.transAxes, ha="right", fontsize=9)
    figures.title(left, "Steep at first, then ever slower")
    classes = torch.arange(10, device=noise.device).repeat(3)
    z = torch.randn(30, 1, 28, 28, generator=torch.Generator().manual_seed(8)).to(noise.device)
    figures.tiles(right, sample(average, z, classes, steps=10).clamp(-1, 1), columns=10, low=-1)
    figures.title(right, f"▲ this run's average at step {curve.steps[-1]:,}")
    return figure


def _plain_ticks(ax: Axes, axis: str) -> None:
    """Name the ticks of a logarithmic axis 1, 2, (3,) 5, 10, …, those within its limits."""
    low, high = ax.get_xlim() if axis == "x" else ax.get_ylim()
    first = (1, 2, 3, 5) if axis == "y" else (1, 2, 5)
    ticks = [m * 10**e for e in range(-3, 4) for m in first if low <= m * 10**e <= high]
    ax.minorticks_off()
    (ax.set_xticks if axis == "x" else ax.set_yticks)(ticks, [f"{tick:g}" for tick in ticks])


def _by_seed(ax: Axes, at: Sequence[float], rows: Tensor, colour: str, label: str, dashed: bool = False) -> None:
    """Draw the mean of each row with its five seeds as dots, and the label at the end."""
    figures.line(ax, at, rows.mean(1), colour, label, dashed=dashed)
    for x, row in zip(at, rows, strict=True):
        ax.plot([x] * len(row), figures.values(row), ".", color=colour, markersize=4)


@torch.no_grad()
def guidance(unet: UNet, noise: Tensor, table: Mapping[str, Tensor]) -> Figure:
    """Return one noise a column at four weights, and the recorded shares against the weight."""
    figure, ((left, right),) = figures.new(1, 2, height=3.3, width_ratios=(1.35, 1))
    classes = torch.arange(len(noise), device=noise.device)
    rows = [sample(unet, noise, classes, weight, steps=10).clamp(-1, 1) for weight in (0.0, 1.0, 2.0, 4.0)]
    figures.tiles(left, torch.cat(rows), columns=len(noise), low=-1)
    left.set_yticks([30 * i + 15 for i in range(4)], ["w = 0", "w = 1", "w = 2", "w = 4"])
    left.tick_params(length=0)
    figures.title(left, "▲ one noise a column, 0 to 9 asked for")
    weights = (0, 1, 1.5, 2, 4)
    for key, colour, dashed in (("accuracy", INK, True), ("precision", BLUE, False), ("recall", ORANGE, False),
                                ("coverage", BERRY, True)):  # fmt: skip
        name = "as asked" if key == "accuracy" else key
        _by_seed(right, weights, table[key], colour, "", dashed)
        right.plot([], [], color=colour, linestyle="--" if dashed else "-", label=name)
    right.legend(frameon=False, fontsize=9, loc="upper left", bbox_to_anchor=(1, 0.9))
    right.set(xlabel="weight w of the guidance", ylabel="share", ylim=(0, 1.03), xlim=(0, 4.1), xticks=(0, 1, 2, 3, 4))
    figures.title(right, "▲ recall falls from weight 1 on")
    return figure


EVALUATIONS = (4, 8, 16, 32)
GANS = {"GAN, no classes": "no classes, long", "GAN, deeper D": "both", "GAN, classes": "long"}  # arms of their record
LABELS = {
    "late weight": "weight\n1/(1 − t)²",
    "times not stretched": "times not\nstretched",
    "uniform times": "times equally\nlikely",
}
SAMPLERS = {
    "euler": (BLUE, False),
    "heun": (ORANGE, False),
    "heun, euler last": (TEAL, True),
    "fresh noise": (BERRY, True),
}  # colour, dashed


def verdict(
    by: Mapping[str, Tensor], models: Mapping[str, Tensor], breaks: Mapping[str, Tensor], floor: Tensor
) -> Figure:
    """Return the distances: of samplers by evaluations, of GANs and diffusion models, of short trainings with a fault.

    by: name → (evaluations, seeds); models, breaks: name → (seeds,).
    """
    figure, (axes,) = figures.new(1, 3, height=3.3, width_ratios=(1.25, 1, 1))
    for name, (colour, dashed) in SAMPLERS.items():
        _by_seed(axes[0], EVALUATIONS, by[name], colour, "", dashed)
        axes[0].plot([], [], color=colour, linestyle="--" if dashed else "-", label=name)
    axes[0].legend(frameon=False, fontsize=9)
    axes[0].set(xscale="log", yscale="log", xlabel="evaluations, n = 2,000", ylabel="squared distance from test digits")
    axes[0].set_xticks(EVALUATIONS, [str(n) for n in EVALUATIONS])
    _plain_ticks(axes[0], "y")
    axes[1].axvline(float(floor.mean()), color=MUTE, linestyle="--", linewidth=1.2)
    for ax, arms in zip(axes[1:], (models, breaks), strict=True):
        for i, (name, found) in enumerate(arms.items()):
            gan = name.startswith("GAN")
            look = {"color": ORANGE if gan else BLUE, "markersize": 5}
            ax.plot(figures.values(found), [-i] * len(found), "^" if gan else "o", **look)
        ax.set_yticks([-i for i in range(len(arms))], [LABELS.get(name, name.replace(", ", ",\n", 1)) for name in arms])
        ax.set(xscale="log", ylim=(-len(arms) + 0.5, 0.5))
        ax.margins(x=0.25)
        _plain_ticks(ax, "x")
    axes[1].set_xticks((0.1, 0.5, 2, 10), ("0.1", "0.5", "2", "10"))
    axes[1].set_xlabel("squared distance; - - real halves")
    axes[2].set_xlabel("n = 2,000")
    figures.title(axes[0], "Nearer from 4 to 16")
    figures.title(axes[1], "▲ GAN, ● diffusion")
    figures.title(axes[2], "One change each")
    return figure


def sheets(patients: Sequence[Patient]) -> Figure:
    """Return the samples of each patient above the spread of their pixels on the way."""
    figure, (top, below) = figures.new(2, 3, height=3.4, height_ratios=(1, 1.1))
    for ax, spread, patient in zip(top, below, patients, strict=True):
        figures.tiles(ax, patient.images.clamp(-1, 1), columns=10, low=-1)
        figures.title(ax, f"▲ {patient.name}")
        figures.line(spread, patient.times, patient.spread, BERRY, marker=".")
        spread.set(xlim=(0, 1), ylim=(0, max(1.1, 1.1 * float(patient.spread.max()))), xlabel="time t")
    below[0].set_ylabel("spread of all pixels")
    return figure
