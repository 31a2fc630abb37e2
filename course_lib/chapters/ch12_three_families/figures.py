"""Pictures of chapter 12: completed digits, the data, the three families and their recipes, bits, the table."""

import inspect
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from torch import Tensor

from course_lib.chapters.ch12_three_families.families import FAMILIES
from course_lib.classroom import diagrams, figures
from course_lib.classroom.figures import BERRY, BLUE, INK, MUTE, ORANGE, TEAL, TEXT
from course_lib.classroom.records import Record

NAMES = {"ar": "Transformer", "vae": "VAE", "gan": "GAN"}
COLOURS = {"ar": BERRY, "vae": TEAL, "gan": ORANGE}
MARKS = {"ar": "s", "vae": "D", "gan": "^"}
RECIPES = {  # layers; optimiser
    "ar": ("2 blocks, width 64, 2 heads", "Muon, AdamW"),
    "vae": ("2 hidden of 400 in each network", "AdamW"),
    "gan": ("G: linear, 2 conv.; D: 3 conv., 2 linear", "Adam"),
}


def _row(ax: Axes, images: Tensor, label: str, wrong: Sequence[bool] = ()) -> None:
    """Draw one row of images, white to dark, with its name at the left and a cross over those that failed."""
    side = round(images.shape[-1] ** 0.5)
    figures.tiles(ax, images / 7, columns=len(images))
    ax.set_ylabel(label, rotation=0, ha="right", va="center", fontsize=9)
    for i, failed in enumerate(wrong):
        if failed:
            x = (side + 2) * i
            ax.add_patch(Rectangle((x, 0), side + 1, side + 1, fill=False, edgecolor=ORANGE, linewidth=2.2))
            ax.text(x + 1, side, "✗", color=TEXT[ORANGE], fontsize=11, fontweight="bold")


def of_seed_0() -> dict[str, Any]:
    """Return what the first seed's models of the record drew and completed; levels as tensors (10, 196).

    digits: one test digit of each class; real: ten others; completed, drawn: family → images; read: family → the class
    that the classifier sees in each completion. Written by ``benchmarks/together/three_pictures.py``.
    """
    stored = json.loads(Path(__file__).with_name("seed_0.json").read_text(encoding="utf-8"))

    def levels(words: Sequence[str]) -> Tensor:
        return torch.tensor([[int(level) for level in word] for word in words])

    images = {part: {name: levels(words) for name, words in stored[part].items()} for part in ("completed", "drawn")}
    return images | {"digits": levels(stored["digits"]), "real": levels(stored["real"]), "read": stored["read"]}


def completed(shown: Mapping[str, Any], title: str) -> Figure:
    """Return ten digits of the classes 0 … 9 above their completions; those read as another class are framed."""
    figure, grid = figures.new(2 + len(NAMES), 1, height=0.92 * (2 + len(NAMES)))
    rows = grid[:, 0]
    whole = shown["digits"].float()
    _row(rows[0], whole, "● whole")
    given = whole.clone()
    given[:, whole.shape[1] // 2 :] = 1.2
    _row(rows[1], given, "● given")
    for ax, name in zip(rows[2:], NAMES, strict=True):
        failed = [taken != i for i, taken in enumerate(shown["read"][name])]
        _row(ax, shown["completed"][name], f"▲ {NAMES[name]}", failed)
    figures.title(rows[0], title)
    return figure


def the_data(grey: Tensor, levels: Tensor, shares: Tensor) -> Figure:
    """Return one digit as it comes and in levels, forty in levels, and how often each level occurs."""
    figure, ((first, second, sheet, right),) = figures.new(1, 4, height=2.5, width_ratios=(1, 1, 2.2, 1.7))
    first.imshow(figures.values(grey), cmap="gray_r", vmin=0, vmax=255)
    second.imshow(figures.values(levels[0].view(14, 14)), cmap="gray_r", vmin=0, vmax=7)
    for row in range(0, 14, 2):
        for column in range(1, 14, 2):
            level = int(levels[0, 14 * row + column])
            second.text(column, row, level, fontsize=6, ha="center", va="center", color="white" if level > 3 else INK)
    figures.tiles(sheet, levels[:40] / 7, columns=8)
    for ax in (first, second):
        ax.set(xticks=(), yticks=())
    bars = right.bar(range(8), figures.values(100 * shares), color=BLUE, width=0.75)
    right.bar_label(bars, fmt="%.0f", fontsize=8.5, color=INK)
    right.set(xlabel="level", ylabel="pixels of 100", xticks=range(8), ylim=(0, 95))
    texts = ("● 28 × 28 bytes", "● 14 × 14 levels", "● forty of 9,000", f"{shares[0] * 100:.0f} of 100 pixels are 0")
    for ax, text in zip((first, second, sheet, right), texts, strict=True):
        figures.title(ax, text)
    return figure


def families() -> Figure:
    """Return the three families as boxes: what is drawn, what a network makes of it, and what can be known of p(x)."""
    figure, ((ax,),) = figures.new(width=9.5, height=3.5)
    rows = {
        "ar": (
            "start",
            "Transformer",
            "8 shares for\nthe next pixel",
            "pixel by pixel,\n196 draws",
            "a product, exact",
        ),
        "vae": (
            "z, 32 numbers",
            "decoder",
            "middle and scale\nof each pixel",
            "all pixels,\none draw",
            "≥ a bound",
        ),
        "gan": ("z, 64 numbers", "generator", "a grey for\neach pixel", "rounded,\nnothing is drawn", "no formula"),
    }
    for i, (name, (begin, network, out, draw, known)) in enumerate(rows.items()):
        y, colour = 2.3 - 1.15 * i, COLOURS[name]
        placed = {
            begin: (0.0, y, 1.5, MUTE),
            network: (2.0, y, 1.6, colour),
            out: (4.1, y, 2.0, colour),
            draw: (6.6, y, 1.9, INK),
            f"p(x): {known}": (9.0, y, 2.6, BLUE),
        }
        diagrams.boxes(ax, placed, height=0.72, size=9)
        middle = y + 0.36
        ways = [((a, middle), (b, middle)) for a, b in ((1.53, 1.98), (3.63, 4.08), (6.13, 6.58), (8.53, 8.98))]
        diagrams.arrows(ax, ways)
        ax.text(-0.15, middle, f"{NAMES[name]}", ha="right", va="center", color=TEXT[colour], fontsize=10.5)
    back = [(7.5, 2.28), (7.5, 2.13), (2.8, 2.13), (2.8, 2.28)]
    ax.plot(*zip(*back, strict=True), color=MUTE, linewidth=1.1)
    diagrams.arrows(ax, [((2.8, 2.13), (2.8, 2.29))])
    ax.text(5.1, 2.1, "each pixel is read for the next one", ha="center", va="top", fontsize=8.5, color=TEXT[MUTE])
    figures.title(ax, "What each can say of p(x): all, a bound, no formula")
    ax.set(xlim=(-1.5, 11.7), ylim=(-0.15, 3.2), xticks=(), yticks=())
    ax.spines[:].set_visible(False)
    return figure


def recipes(record: Record) -> str:
    """Return the three recipes as a table of text: layers, parameters, batch, optimiser, steps and seconds."""
    lines = [f"{'':<13}{'layers':<41}{'parameters':>20}{'batch':>7}  {'optimiser':<12}{'steps':>6}{'seconds':>9}"]
    for name, (layers, optimiser) in RECIPES.items():
        family = record.arm(name)
        sizes = [n for part, n in family.values["parameters"].items() if part != "average"]
        batch = inspect.signature(FAMILIES[name]).parameters["batch"].default
        numbers = f"{' + '.join(f'{n:,}' for n in sizes):>20}{batch:>7}  {optimiser:<12}{family.values['steps']:>6,}"
        lines.append(f"{NAMES[name]:<13}{layers:<41}{numbers}{family.mean('train_seconds'):>9.0f}")
    return "\n".join(lines)


def bits(known: Mapping[str, float], exact: Sequence[float], low: Sequence[float], high: Sequence[float]) -> Figure:
    """Return bits a pixel: known rivals, the Transformer's seeds, the VAE's bounds, low: 1 draw, high: more."""
    figure, ((ax,),) = figures.new(width=9.5, height=2.9)
    known = dict(sorted(known.items(), key=lambda rival: -rival[1]))
    names = [*known, "GAN", "VAE, at most", "Transformer"]
    for row, value in enumerate(known.values()):
        ax.plot(value, row, "o", color=MUTE, fillstyle="none")
        ax.text(value + 0.012, row, f"{value:.2f}", va="center", fontsize=9, color=TEXT[MUTE])
    ax.text(0.47, len(known), "no figure", va="center", fontsize=9, color=TEXT[ORANGE])
    row = len(known) + 1
    ax.plot(low, [row] * len(low), "|", color=TEAL, markersize=11)
    ax.plot(high, [row] * len(high), "D", color=TEAL, markersize=5)
    ax.text(
        max(low) + 0.015,
        row,
        "bounds: diamonds with 1,000 draws, strokes with 1",
        va="center",
        fontsize=9,
        color=TEXT[TEAL],
    )
    ax.plot(exact, [row + 1] * len(exact), "s", color=BERRY)
    ax.text(max(exact) + 0.015, row + 1, "exact", va="center", fontsize=9, color=TEXT[BERRY])
    ax.set_yticks(range(len(names)), names)
    figures.title(ax, "The Transformer's exact bits lie below the VAE's bound")
    ax.set(xlabel="bits a pixel of the test digits", xlim=(0.45, 1.4), ylim=(len(names) - 0.5, -0.7))
    return figure


def table(
    shown: Mapping[str, Any], columns: Mapping[str, Mapping[str, Sequence[float]]], floors: Mapping[str, float]
) -> Figure:
    """Return ten images of each above six panels: a row a family, a mark a seed, dotted what real digits have.

    columns: name → family → a number a seed, the distance on a log axis; floors: name → the same of real digits.
    """
    figure, grid = figures.new(4, 3, height=6.4, height_ratios=(0.75, 0.75, 1, 1))
    places = grid[0, 0].get_gridspec()
    for ax in grid[:2].flat:
        ax.remove()
    sheets = {"● real": shown["real"]} | {f"▲ {NAMES[name]}": shown["drawn"][name] for name in NAMES}
    inner = places[:2, :].subgridspec(len(sheets), 1)
    for i, (label, images) in enumerate(sheets.items()):
        ax = figure.add_subplot(inner[i])
        _row(ax, images, label)
        if i == 0:
            figures.title(ax, "On average the Transformer is nearest to real digits (dotted) by all six")
    for i, (column, of) in enumerate(columns.items()):
        ax = grid[2 + i // 3, i % 3]
        for row, (name, found) in enumerate(of.items()):
            ax.plot(found, [row] * len(found), MARKS[name], color=COLOURS[name], markersize=5)
        ax.axvline(floors[column], color=BLUE, linestyle=":", linewidth=1.4)
        if column == "distance":
            ax.set_xscale("log")
            column = "distance (log scale)"
        ax.set_yticks(range(len(of)), [NAMES[name] for name in of] if i % 3 == 0 else [""] * len(of))
        ax.set(ylim=(len(of) - 0.4, -0.6), xlabel=column)
    return figure
