"""Pictures of chapter 16: captions and what was drawn, symbols, attention to words, the yardstick, edits."""

import textwrap
from collections.abc import Mapping, Sequence

import numpy as np
import torch
from jaxtyping import Float, Int
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from torch import Tensor

from course_lib.chapters.ch16_text_to_image.looking import share_of_map
from course_lib.classroom import figures
from course_lib.classroom.figures import BERRY, BLUE, INK, MUTE, ORANGE, TEAL, TEXT
from course_lib.datasets.captions import phrase
from course_lib.datasets.emoji import Emoji
from course_lib.datasets.scenes import Scene
from course_lib.vae.quantised import perplexity

GAP = 2  # pixels between pictures


def colours_of(images: Tensor) -> np.ndarray:
    """Return pictures, bytes or −1 … 1, as (n, height, width, 3) in 0 … 1."""
    pixels = images.detach().cpu().float()
    pixels = pixels / 255 if images.dtype == torch.uint8 else (pixels.clamp(-1, 1) + 1) / 2
    return figures.values(pixels.permute(0, 2, 3, 1))


def sheet(ax: Axes, images: Tensor, columns: int) -> None:
    """Draw pictures in colour as one grid on white, columns a row."""
    pixels = colours_of(images)
    n, side = len(pixels), pixels.shape[1]
    rows = -(-n // columns)
    grid = np.ones((rows * (side + GAP) - GAP, columns * (side + GAP) - GAP, 3))
    for i, picture in enumerate(pixels):
        top, left = (i // columns) * (side + GAP), (i % columns) * (side + GAP)
        grid[top : top + side, left : left + side] = picture
    ax.imshow(grid, interpolation="nearest")
    ax.set(xticks=(), yticks=())
    ax.spines[:].set_visible(False)


def said(numbers: Sequence[int], asked: Sequence[int] | None = None) -> str:
    """Return what was found in a picture in words, 'nothing' where nothing was; strokes where they were asked for."""
    numbers = list(numbers)
    if numbers[0] < 0:
        return "nothing"
    for at in (3, 7):
        if asked is not None and asked[at] < 0:
            numbers[at] = -1
    return phrase(Scene.of(numbers), iter([0.0] * 16)).replace("a ", "", 1)


def opening(rows: Mapping[str, Tensor], captions: Sequence[str]) -> Figure:
    """Return pictures under their captions, a row for each system."""
    columns = len(captions)
    figure, axes = figures.new(len(rows), columns, height=1.3 + 1.45 * len(rows))
    for line, (name, images) in zip(axes, rows.items(), strict=True):
        for ax, image in zip(line, images, strict=True):
            sheet(ax, image[None], 1)
        line[0].set_ylabel(name, fontsize=9.5)
    for ax, caption in zip(axes[0], captions, strict=True):
        ax.set_title("\n".join(textwrap.wrap(caption, 20)), fontsize=9.5, color=INK)
    _above(figure, "▲ Drawn after the sentence, in two ways")
    return figure


def _above(figure: Figure, finding: str) -> None:
    """Set a title over all panels."""
    figure.suptitle(finding, x=0.01, ha="left", fontsize=12, color=INK)


def judged(images: Tensor, captions: Sequence[str], box: Int[Tensor, "n 2 4"], numbers: Tensor) -> Figure:
    """Return pictures with the boxes that the program finds, captions above, what it says below."""
    figure, axes = figures.new(2, len(images) // 2, height=5.6)
    for ax, image, caption, boxes, found in zip(axes.flat, images, captions, box.tolist(), numbers, strict=True):
        sheet(ax, image[None], 1)
        for top, left, height, width in boxes:
            if height:
                ax.add_patch(Rectangle((left - 1, top - 1), width + 1, height + 1, fill=False, edgecolor="white"))
        ax.set_title("\n".join(textwrap.wrap(caption, 26)), fontsize=9, color=INK)
        ax.set_xlabel("\n".join(textwrap.wrap("found: " + said(found.tolist()), 26)), fontsize=9, color=TEXT[BERRY])
    _above(figure, "● The program finds in real pictures what their captions say")
    return figure


def codes(images: Tensor, symbols: Int[Tensor, "n 8 8"], again: Tensor, use: Mapping[str, Tensor]) -> Figure:
    """Return pictures, their symbols as patches of grey, what the decoder makes of them, and how entries are used.

    use: name → shares of the entries; the first is drawn dashed.
    """
    figure, ((left, right),) = figures.new(1, 2, height=3.7, width_ratios=(1.35, 1))
    k = max(len(shares) for shares in use.values())
    scattered = (symbols * 197) % k  # neighbours in number are no neighbours in meaning
    shown = (scattered.float() / k * 1.6 - 0.8).repeat_interleave(4, 1).repeat_interleave(4, 2)
    rows = (_floats(images), shown[:, None].expand(-1, 3, -1, -1), again.clamp(-1, 1))
    sheet(left, torch.cat([row.cpu() for row in rows]), len(images))
    left.set_yticks([16 + 34 * i for i in range(3)], ["picture", "64 symbols", "decoded"])
    left.tick_params(length=0)
    figures.title(left, "64 symbols keep colour, place and most of the shape")
    for (name, shares), colour in zip(use.items(), (MUTE, TEAL), strict=True):
        ordered = shares.sort(descending=True).values.clamp(min=1e-6)
        figures.line(right, torch.arange(1, k + 1), ordered, colour)
        right.plot([], [], color=colour, linestyle="--" if colour == MUTE else "-", label=name)
    right.legend(frameon=False, fontsize=9)
    right.set(xscale="log", yscale="log", xlim=(1, k), ylim=(1e-5, 1.2), ylabel="share of all places",
              xlabel="entries, the most used first")  # fmt: skip
    low, high = (round(perplexity(shares)) for shares in use.values())
    figures.title(right, f"As if {low} entries were used, and {high}")
    return figure


def _floats(images: Tensor) -> Tensor:
    return images.float() / 127.5 - 1 if images.dtype == torch.uint8 else images


def guidance(rows: Mapping[float, Tensor], captions: Sequence[str], curves: Mapping[str, Sequence[float]],
             weights: Sequence[float], claim: str) -> Figure:  # fmt: skip
    """Return one caption a column at some weights, and the share that is all right against the weight.

    curves: name → a share for each weight; claim: the finding.
    """
    figure, ((left, right),) = figures.new(1, 2, height=3.6, width_ratios=(1.2, 1))
    sheet(left, torch.cat([images.cpu() for images in rows.values()]), len(captions))
    left.set_yticks([16 + 34 * i for i in range(len(rows))], [f"w = {weight:g}" for weight in rows])
    left.tick_params(length=0)
    for i, caption in enumerate(captions):
        left.text(
            16 + 34 * i, 34 * len(rows) + 1, "\n".join(textwrap.wrap(caption, 15)), ha="center", va="top", fontsize=7.5
        )
    figures.title(left, "▲ one caption a column")
    for (name, shares), colour in zip(curves.items(), (ORANGE, BLUE, TEAL), strict=False):
        figures.line(right, weights, shares, colour, name, marker="o" if colour == BLUE else "^", markersize=4)
    right.set(xlabel="weight w of the guidance", ylabel="share all right", ylim=(0, 1.02), xscale="log")
    right.set_xticks(weights, [f"{weight:g}" for weight in weights])
    right.minorticks_off()
    right.margins(x=0.16)
    figures.title(right, claim)
    return figure


def looked_at(image: Float[Tensor, "3 32 32"], words: Sequence[str], maps: Float[Tensor, "words 8 8"],
              name: str = "") -> Figure:  # fmt: skip
    """Return a picture, and for each word how much each place looks at it, as a share of the most of all places."""
    figure, (axes,) = figures.new(1, 1 + len(words), height=2.2)
    sheet(axes[0], image[None], 1)
    axes[0].set_title(name, fontsize=9.5, color=INK)
    for ax, word, one in zip(axes[1:], words, maps, strict=True):
        ax.imshow(figures.values(share_of_map(one)), cmap=figures.WEIGHTS, vmin=0, vmax=1, interpolation="nearest")
        ax.set(xticks=(), yticks=())
        ax.set_title(word, fontsize=9.5, color=TEXT[BERRY])
        ax.set_xlabel(f"most: {float(one.max()):.2f}", fontsize=8.5, color=INK)
    _above(figure, "Where each word is looked at, half-way from noise")
    return figure


ATTRIBUTES = ("count", "digit", "colour", "size", "stroke", "place", "all")
LOOKS = {"real": (MUTE, "s"), "codes": (TEAL, "D"), "symbols": (ORANGE, "^"), "flow": (BLUE, "o")}
NAMES = {"real": "real pictures", "codes": "decoded from 64 symbols", "symbols": "symbol by symbol", "flow": "flow"}


def yardstick(shares: Mapping[str, Mapping[str, Mapping[str, Tensor]]], title: str) -> Figure:
    """Return every attribute's share for each system, of seen combinations filled, of unseen ones hollow.

    shares: system → "seen" or "unseen" → attribute → (seeds,).
    """
    figure, ((ax,),) = figures.new(height=4.3)
    for i, (name, parts) in enumerate(shares.items()):
        colour, marker = LOOKS[name]
        for part, face in (("seen", colour), ("unseen", "white")):
            for j, attribute in enumerate(ATTRIBUTES):
                each = figures.values(parts[part][attribute])
                y = -j + 0.3 - 0.2 * i - (0.07 if part == "unseen" else 0.0)
                ax.plot(each, [y] * len(each), marker, color=colour, markerfacecolor=face, markersize=4.5)
        ax.plot([], [], marker, color=colour, label=NAMES[name], markersize=6)
    ax.plot([], [], "o", color=INK, markerfacecolor="white", label="hollow: unseen combinations")
    ax.legend(frameon=False, fontsize=9, loc="center left", bbox_to_anchor=(1, 0.5))
    for j in range(1, len(ATTRIBUTES)):
        ax.axhline(-j + 0.5, color="#DDDDDD", linewidth=0.8)
    ax.set_yticks([-j for j in range(len(ATTRIBUTES))], ["all right" if a == "all" else a for a in ATTRIBUTES])
    ax.set(xlim=(0, 1.01), ylim=(-len(ATTRIBUTES) + 0.5, 0.5), xlabel="share of test captions, one mark a training")
    figures.title(ax, title)
    return figure


def sheets(sets: Mapping[str, Tensor], shares: Mapping[str, Mapping[str, float]], captions: Sequence[str]) -> Figure:
    """Return drawings of each patient, four a caption, above the shares that the program found right."""
    figure, (top, below) = figures.new(2, len(sets), height=5.2, height_ratios=(1.5, 1))
    keys = ("count", "digit", "colour", "place", "exchanged")
    for ax, bars, (name, images) in zip(top, below, sets.items(), strict=True):
        sheet(ax, images, 4)
        figures.title(ax, f"▲ {name}")
        heights = [shares[name][key] for key in keys]
        drawn = bars.bar(range(len(keys)), heights, color=[BLUE] * 4 + [BERRY], width=0.7)
        drawn[-1].set_hatch("///")
        bars.bar_label(drawn, fmt="%.2f", fontsize=8.5, padding=1)
        bars.set_xticks(range(len(keys)), [*keys[:-1], "ex-\nchanged"], fontsize=8.5)
        bars.set(ylim=(0, 1.12), yticks=(0, 1))
    for row, caption in enumerate(captions):
        top[0].text(-3, 16 + 34 * row, "\n".join(textwrap.wrap(caption, 14)), ha="right", va="center", fontsize=8)
    below[0].set_ylabel("share right")
    return figure


def edits(rows: Mapping[str, Tensor], title: str) -> Figure:
    """Return a row of pictures for each edit."""
    figure, axes = figures.new(len(rows), 1, height=0.92 * len(rows) + 0.3)
    for (ax,), (name, images) in zip(axes, rows.items(), strict=True):
        sheet(ax, images, len(images))
        ax.set_ylabel("\n".join(textwrap.wrap(name, 18)), rotation=0, ha="right", va="center", fontsize=8.5)
    figures.title(axes[0][0], title)
    return figure


def drawings(trained_on: Emoji, pairs: Emoji) -> Figure:
    """Return real drawings of a colour and a shape: some that were trained on, and the six that were held out."""
    some = ("red heart", "green square", "blue heart", "yellow circle", "purple heart", "brown circle")
    rows = {
        "trained on": (some, torch.stack([trained_on.images[trained_on.names.index(name)] for name in some])),
        "held out": (pairs.names, pairs.images),
    }
    figure, axes = figures.new(2, 6, height=3.2)
    for line, (label, (names, images)) in zip(axes, rows.items(), strict=True):
        for ax, name, image in zip(line, names, images, strict=True):
            sheet(ax, image[None], 1)
            ax.set_title(name, fontsize=9.5, color=INK)
        line[0].set_ylabel(label, fontsize=9.5)
    _above(figure, "● Colours and shapes are seen, and some of their pairs are not")
    return figure
