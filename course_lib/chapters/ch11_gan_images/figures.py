"""Pictures of chapter 11: the two networks, half a minute of training, distances, the verdict, the patients."""

import base64
import io
import math
from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, Rectangle
from PIL import Image
from torch import Tensor

from course_lib.classroom import figures
from course_lib.classroom.figures import BERRY, BLUE, INK, MUTE, ORANGE, TEXT
from course_lib.training.history import Curve


def opening(made: Mapping[str, Tensor], distances: Mapping[str, float]) -> Figure:
    """Return fifty generated images of each data set, one class a column, one noise a row."""
    figure, (axes,) = figures.new(1, 2, height=2.9)
    for ax, (data, images) in zip(axes, made.items(), strict=True):
        figures.tiles(ax, images, columns=10, low=-1)
        figures.title(ax, f"▲ {data}: {distances[data]:.1f} from real ones on average")
        ax.set_xlabel("one class a column, one noise a row")
    return figure


def networks() -> Figure:
    """Return the two networks as boxes of the size of their layers, and the way of the gradient."""
    figure, ((ax,),) = figures.new(width=9.5, height=3.1)
    layers = [
        ("z", 64, "noise\n64", ORANGE, 0.25),
        ("", 0, "7 × 7\n64 each", ORANGE, 0.7),
        ("", 0, "14 × 14\n32 each", ORANGE, 1.1),
        ("", 0, "28 × 28\n1 each", INK, 1.7),
        ("", 0, "14 × 14\n32 each", BERRY, 1.1),
        ("", 0, "7 × 7\n64 each", BERRY, 0.7),
        ("", 0, "logit\n1", BERRY, 0.25),
    ]
    for i, (_, _, text, colour, side) in enumerate(layers):
        x = 1.75 * i
        ax.add_patch(Rectangle((x - 0.28, -side / 2), 0.56, side, facecolor="white", edgecolor=colour, linewidth=1.8))
        ax.text(x, -1.02, text, ha="center", va="top", fontsize=9, color=TEXT[colour])
        if i < len(layers) - 1:
            arrow = FancyArrowPatch(
                (x + 0.32, 0), (x + 1.43, 0), arrowstyle="-|>", mutation_scale=12, color=INK, linewidth=1.1
            )
            ax.add_patch(arrow)
    steps = ("linear", "× 2", "× 2, tanh", "÷ 2", "÷ 2", "linear")
    for i, text in enumerate(steps):
        ax.text(1.75 * i + 0.875, 0.1, text, ha="center", fontsize=9, color=TEXT[MUTE])
    ax.text(1.75, 1.05, "generator G", ha="center", color=TEXT[ORANGE])
    ax.text(8.75, 1.05, "discriminator D", ha="center", color=TEXT[BERRY])
    ax.text(5.25, 1.05, "▲ image", ha="center", color=INK)
    back = FancyArrowPatch((10.5, -1.75), (0, -1.75), arrowstyle="-|>", mutation_scale=12, color=INK, linestyle="--")
    ax.add_patch(back)
    ax.text(5.25, -1.93, "in G's turn the gradient comes back through all of D", ha="center", va="top", fontsize=9)
    ax.set(xlim=(-0.6, 11.1), ylim=(-2.3, 1.3), xticks=(), yticks=())
    ax.spines[:].set_visible(False)
    return figure


def half_a_minute(at: Mapping[int, Tensor], d_loss: Curve, g_loss: Curve) -> Figure:
    """Return samples at five moments above both losses; a loss is (steps, values)."""
    figure, (top, below) = figures.new(2, 5, height=4.4, height_ratios=(1, 1.15))
    for ax in below:
        ax.remove()
    curves = figure.add_subplot(2, 1, 2)
    curves.spines[["top", "right"]].set_visible(False)
    for ax, moment in zip(top, (0, 100, 200, 400, 600), strict=True):
        figures.tiles(ax, at[moment][:20], columns=5, low=-1)
        figures.title(ax, f"▲ step {moment}")
    figures.line(curves, d_loss[0], d_loss[1], BERRY)
    figures.line(curves, g_loss[0], g_loss[1], INK, dashed=True)
    curves.axhline(math.log(4), color=MUTE, linestyle=":")
    for x, y, text in ((8, 1.5, "··· ln 4: D knows nothing"), (8, 0.2, "— D's"), (110, 5, "- - G's")):
        curves.text(x, y, text)
    curves.set(xlabel="step", ylabel="loss (nats)", xlim=(0, 600), ylim=(0, 8))
    figures.title(curves, "D's loss is about 1 beside blots and beside digits")
    return figure


def distances(
    floor: Mapping[int, float], in_order: Mapping[int, float], over_time: Mapping[int, float], gaussian: float
) -> Figure:
    """Return what real halves are apart by 1/n, shuffled and in order, beside the generator's way over the steps."""
    figure, ((left, right),) = figures.new(1, 2, height=3.4)
    inverse = [1 / n for n in floor]
    left.plot(inverse, list(floor.values()), "o-", color=BLUE)
    left.plot(inverse, list(in_order.values()), "s--", color=MUTE)
    left.set(xlabel="1/n", ylabel="squared distance of real images", ylim=(0, 3.4), xlim=(0, None))
    left.set_xticks(inverse, [f"1/{n}" for n in floor], rotation=30)
    left.text(inverse[-1], floor[min(floor)] - 0.4, "● shuffled", ha="right", color=BLUE)
    left.text(0.00008, 3.1, "■ first against last", color=TEXT[MUTE])
    figures.title(left, "Real against real: towards 0 if shuffled")
    right.semilogy(list(over_time), list(over_time.values()), "^-", color=ORANGE)
    figures.level(right, gaussian, "Gaussian of the pixels")
    figures.level(right, floor[2500], "real against real, n = 2,500")
    right.set(xlabel="step", ylabel="squared distance from real digits", ylim=(0.08, 200))
    figures.title(right, f"▲ The generator comes down to {over_time[max(over_time)]:.1f}")
    return figure


def verdict(rulers: Mapping[str, tuple[Mapping[str, Sequence[float]], float]]) -> Figure:
    """Return one panel a ruler: rows of arms, a mark a seed, and what real images are apart."""
    figure, (axes,) = figures.new(1, len(rulers), height=3.3)
    for ax, (ruler, (arms, real)) in zip(axes, rulers.items(), strict=True):
        for row, (name, found) in enumerate(arms.items()):
            mark = "D" if "VAE" in name else "^"
            full = "full" if "classes" in name and "no classes" not in name else "none"
            ax.plot(found, [row] * len(found), mark, color=ORANGE, fillstyle=full)
        ax.axvline(real, color=BLUE, linestyle=":", linewidth=1.4)
        ax.text(real, len(arms) - 0.55, " ··· real, n = 5,000", color=BLUE)
        ax.set_yticks(range(len(arms)), list(arms))
        ax.set(xscale="log", xlim=(0.08, 40), ylim=(len(arms) - 0.4, -0.6), xlabel="squared distance")
        figures.title(ax, ruler)
    return figure


def chart(ax: Axes, failed: Mapping[str, Any], name: str, top: float = 8, seeds: int = 1) -> None:
    """Draw both losses of an arm's first seeds; what is above top is cut off."""
    curves = failed[name]["curves"]
    moments = range(failed["every"], failed["steps"] + 1, failed["every"])
    for d_loss, g_loss in list(zip(curves["d_loss"], curves["g_loss"], strict=True))[:seeds]:
        ax.plot(moments, d_loss, color=BERRY, linewidth=1.4 if seeds == 1 else 0.9)
        ax.plot(moments, g_loss, color=INK, linewidth=1.2 if seeds == 1 else 0.9, linestyle="--")
    ax.set(ylim=(-0.04 * top, top), xlim=(0, failed["steps"]), xlabel="step", ylabel="loss (nats)")


def specimen(ax: Axes, failed: Mapping[str, Any], name: str) -> None:
    """Show 24 samples of an arm's first seed, white −1, black 1."""
    ax.imshow(Image.open(io.BytesIO(base64.b64decode(failed[name]["png"]))), cmap="gray", vmin=0, vmax=255)
    ax.set(xticks=(), yticks=())
    ax.spines[:].set_visible(False)


def patients(failed: Mapping[str, Any]) -> Figure:
    """Return samples of the first seed above losses of all seeds of the three whose fault is asked for."""
    figure, (above, below) = figures.new(2, 3, height=4.2, height_ratios=(1, 1.2))
    for over, under, (letter, name) in zip(above, below, failed["patients"].items(), strict=True):
        specimen(over, failed, name)
        figures.title(over, f"Patient {letter}")
        chart(under, failed, name, top=3 if letter == "A" else 6, seeds=5)
    below[0].text(150, 2.6, "— D's   - - G's", color=INK)
    return figure


def others(failed: Mapping[str, Any], names: Sequence[str]) -> Figure:
    """Return samples beside losses of six arms, with their mean distance."""
    figure, grid = figures.new(3, 4, height=6.2, width_ratios=(1.5, 1, 1.5, 1))
    for place, name in enumerate(names):
        over, under = grid[place // 2][2 * (place % 2) : 2 * (place % 2) + 2]
        specimen(over, failed, name)
        chart(under, failed, name, top=16)
        under.set(xlabel="step" if place > 3 else "")
        away = failed[name]["frechet_distance"]
        over.set_title(
            f"{name.replace('_', ' ')}: {sum(away) / len(away):.0f} away", loc="left", fontsize=10, color=INK
        )
    grid[0, 1].text(80, 12, "— D's  - - G's", fontsize=9)
    return figure


def own(images: Tensor) -> Figure:
    """Return images made from a reader's own pictures."""
    figure, ((ax,),) = figures.new(width=9.5, height=2.6)
    figures.tiles(ax, images, columns=20, low=-1)
    figures.title(ax, "▲ made after your pictures")
    return figure
