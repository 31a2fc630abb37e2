"""Pictures of chapter 02b: the model among its rivals, what heads look at and what that is worth, three curves."""

from collections.abc import Mapping, Sequence

import torch
from matplotlib.figure import Figure
from torch import Tensor

from course_lib.chapters.ch02_attention.figures import box
from course_lib.classroom.figures import BERRY, BLUE, INK, MUTE, ORANGE, TEAL, TEXT, level, line, new, title, values

MARKS = ((BLUE, "o"), (ORANGE, "^"), (TEAL, "s"), (BERRY, "D"))


def ladder(rivals: Mapping[str, float], bits: Sequence[float]) -> Figure:
    """Return held-out bits a character of every rival and of the model, one dot a seed."""
    figure, ((ax,),) = new(width=9.5, height=3.2)
    mean = sum(bits) / len(bits)
    rows = sorted([*rivals.items(), ("two layers of attention", mean)], key=lambda row: -row[1])
    for y, (name, value) in enumerate(reversed(rows)):
        ours = name == "two layers of attention"
        if ours:
            ax.scatter(bits, [y] * len(bits), color=ORANGE, marker="^", s=36, zorder=3)
        else:
            ax.barh(y, value, height=0.5, color="white", edgecolor=MUTE, hatch="///", linewidth=0.8)
        ax.text(value + 0.1, y, f"{value:.2f}", va="center", fontsize=9.5, color=TEXT[ORANGE] if ours else INK)
    ax.set_yticks(range(len(rows)), [name for name, _ in reversed(rows)], fontsize=10)
    ax.set(
        xlabel="bits per character on held-out text (▲ 5 trainings; counts: 1 added, to the last two 0.01)", xlim=(0, 7)
    )
    title(ax, "After 1,500 steps attention beats counts of three in a row, not of four or five")
    return figure


def training(losses: Tensor, bits: float, rivals: Mapping[str, float]) -> Figure:
    """Return the loss of one training, means of 25 steps, with its held-out bits and the rivals as levels."""
    figure, ((ax,),) = new(width=9.5, height=3.6)
    running = losses.unfold(0, min(25, len(losses)), 1).mean(-1)
    line(ax, torch.arange(len(running)) + min(25, len(losses)), running, ORANGE)
    ax.text(len(losses) * 0.05, running[0], "training loss", color=TEXT[ORANGE], fontsize=9.5, va="center")
    ax.scatter([len(losses)], [bits], color=INK, marker="D", zorder=3, s=25)
    ax.text(len(losses), bits + 0.06, f"held-out {bits:.2f}", fontsize=9.5, va="bottom", ha="right")
    *others, (last, lowest) = rivals.items()
    for name, y in others:
        level(ax, y, f"{name} {y:.2f}")
    level(ax, lowest, "")
    ax.text(len(losses) * 1.29, lowest - 0.05, f"{last} {lowest:.2f}", ha="right", va="top", color=MUTE, fontsize=9)
    ax.set(xlabel="training step", ylabel="bits per character", xlim=(0, len(losses) * 1.3), ylim=(lowest - 0.3, None))
    title(ax, f"This training ends at {bits:.2f} bits on held-out text")
    return figure


def looks_back(by_distance: Tensor) -> Figure:
    """Return mean weight against distance, (layers, heads, distance), a panel a layer and a line a head."""
    figure, (axes,) = new(1, len(by_distance), height=3.3)
    for n, (ax, heads) in enumerate(zip(axes, by_distance, strict=True)):
        for h, (head, (colour, mark)) in enumerate(zip(heads, MARKS, strict=True)):
            ax.plot(range(len(head)), values(head), color=colour, marker=mark, label=f"head {h}")
        ax.set(xlabel="distance looked back (characters)", ylim=(0, 1), xticks=range(by_distance.shape[-1]))
        ax.legend(frameon=False, fontsize=9)
        title(ax, f"Layer {n}: up to {heads[:, 1].max():.2f} on the character before")
    axes[0].set_ylabel("mean weight")
    return figure


def looking_and_price(looking: Tensor, price: Tensor) -> Figure:
    """Return the price of each head against its weight on the character before, both (seeds, layers, heads)."""
    figure, ((ax,),) = new(width=6.5, height=3.8)
    for layer, (colour, mark) in enumerate(MARKS[:2]):
        x, y = values(looking[:, layer].flatten()), values(price[:, layer].flatten())
        ax.scatter(x, y, color=colour, marker=mark, s=30, label=f"layer {layer}")
    ax.set(xlabel="mean weight on the character before", ylabel="bits lost without the head", ylim=(0, None))
    ax.legend(frameon=False, fontsize=9, loc="upper left")
    title(ax, "Every one of 40 heads has its price")
    return figure


def model_diagram() -> Figure:
    """Return the model as boxes: two tables add up, two layers add what their heads found, a matrix reads it out."""
    figure, ((ax,),) = new(width=9.5, height=2.5)
    ax.plot([0.8, 9.0], [0, 0], color=INK, linewidth=1.6, zorder=1)
    boxes = {
        (0.5, 0.0): ("character\nvector", INK), (0.5, -1.3): ("position\nvector", MUTE),
        (3.7, -1.3): ("layer 0: four heads,\ncausal, mixed by W_o", BERRY),
        (6.3, -1.3): ("layer 1: four heads,\ncausal, mixed by W_o", BERRY),
        (9.0, 0.0): ("logits:\nV scores", ORANGE),
    }  # fmt: skip
    for (x, y), (text, colour) in boxes.items():
        box(ax, x, y, text, colour, size=9.5)
    arrow = {"arrowstyle": "->", "color": INK}
    ax.annotate("", (1.52, -0.14), (0.7, -0.98), arrowprops=arrow)
    for x in (3.7, 6.3):
        ax.annotate("", (x - 0.6, -1.0), (x - 0.6, 0.02), arrowprops=arrow)
        ax.annotate("", (x + 0.6, -0.12), (x + 0.6, -1.0), arrowprops=arrow)
    for x in (1.6, 4.3, 6.9):
        ax.text(x, 0, "+", ha="center", va="center", fontsize=12, color=INK, zorder=3,
                bbox={"boxstyle": "circle,pad=0.1", "facecolor": "white", "edgecolor": INK})  # fmt: skip
    for x in (2.4, 5.3, 7.8):
        ax.text(x, 0.15, "x (T, 64)", ha="center", fontsize=9, color=MUTE)
    ax.set(xlim=(-0.2, 9.8), ylim=(-1.9, 0.6))
    ax.axis("off")
    title(ax, "Each layer reads x and adds to it what its heads have found")
    return figure


def three_curves(curves: Mapping[str, Sequence[float]], bits: Mapping[str, Sequence[float]]) -> Figure:
    """Return the recorded loss of honest models, of four heads and of one, and of three faulty ones: a, b and c."""
    figure, ((ax,),) = new(width=9.5, height=3.8)
    shown = {"honest": ("honest", INK), "honest, one head": ("one head", MUTE), "a": ("wrong axis", BERRY),
             "b": ("one head, no scale", ORANGE), "c": ("no mask", BLUE)}  # fmt: skip
    heights = {"honest": -0.27, "honest, one head": 0.06, "b": 0.25}
    for label, (name, colour) in shown.items():
        steps = 10 * torch.arange(1, len(curves[name]) + 1)
        line(ax, steps, curves[name], colour, dashed=label.startswith("honest"))
        mean = sum(bits[name]) / len(bits[name])
        y = curves[name][-1] + heights.get(label, 0)
        ax.text(356, y, f"{label}: held-out {mean:.2f}", color=TEXT[colour], fontsize=9.5, va="center")
    ax.set(xlabel="training step", ylabel="bits per character", xlim=(0, 480), ylim=(0, 6))
    title(ax, "Three faults: two look like triumphs")
    return figure
