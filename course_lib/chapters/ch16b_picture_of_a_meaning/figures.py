"""Pictures of chapter 16b: who is near to whom, bounds, shares by arm, pictures that fool, pictures from vectors."""

import textwrap
from collections.abc import Mapping, Sequence

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from course_lib.classroom import diagrams, figures
from course_lib.classroom.figures import BERRY, BLUE, INK, MUTE, ORANGE, TEAL, TEXT
from course_lib.classroom.records import Record
from course_lib.datasets.exchanged import WAYS
from course_lib.diffusion.contrastive import as_pixels

MARKS = {BLUE: "o", ORANGE: "^", TEAL: "s", BERRY: "D", MUTE: "x"}


def picture(ax: Axes, image: Tensor) -> None:
    """Show one picture, bytes or −1 black to 1, without axes."""
    ax.imshow(figures.values((as_pixels(image[None])[0].permute(1, 2, 0) + 1) / 2), interpolation="nearest")
    ax.set(xticks=(), yticks=())
    ax.spines[:].set_visible(False)


def strip(rows: Mapping[str, Tensor], title: str, below: Mapping[str, Sequence[str]] | None = None) -> Figure:
    """Return rows of pictures with their names at the left; below: row → what stands under each picture."""
    columns = max(map(len, rows.values()))
    extra = sum(0.2 * max(text.count("\n") + 1 for text in texts) for texts in (below or {}).values())
    figure, axes = figures.new(len(rows), columns, width=9.5, height=9.0 / (columns + 1.2) * len(rows) + 0.35 + extra)
    for line, (name, images) in zip(axes, rows.items(), strict=True):
        for ax in line[len(images) :]:
            ax.set_axis_off()
        for i, (ax, image) in enumerate(zip(line, images, strict=False)):
            picture(ax, image)
            if below and name in below:
                ax.set_xlabel(below[name][i], fontsize=8.5, color=INK)
        line[0].set_ylabel(name, rotation=0, ha="right", va="center", fontsize=9.5, color=INK)
    figure.suptitle(title, x=0.01, ha="left", fontsize=12, color=INK)
    return figure


def wall(images: Tensor, captions: Sequence[str], cosines: Tensor, title: str) -> Figure:
    """Return the cosines of pictures (columns) with captions (rows), each caption's best one framed."""
    n = len(images)
    figure, axes = figures.new(2, n, height=0.95 + 0.42 * len(captions), height_ratios=(1.0, 0.4 * len(captions)))
    for ax, image in zip(axes[0], images, strict=True):
        picture(ax, image)
    grid = axes[1, 0].get_gridspec()
    for ax in axes[1]:
        ax.remove()
    ax = figure.add_subplot(grid[1, :])
    labels = [textwrap.fill(caption, 34) for caption in captions]
    figures.matrix(ax, cosines, labels, [""] * n, kind="signed", limit=1.0)
    for row, best in enumerate(cosines.argmax(1).tolist()):
        frame = figures.Rectangle((best - 0.47, row - 0.44), 0.94, 0.88, fill=False, edgecolor=INK, linewidth=1.8)
        ax.add_patch(frame)
    figure.suptitle(title, x=0.01, ha="left", fontsize=12, color=INK)
    return figure


def two_encoders() -> Figure:
    """Return the diagram: a picture and a sentence become unit vectors, and a table of cosines asks both ways."""
    figure, ((ax,),) = figures.new(width=9.5, height=2.0)
    diagrams.boxes(ax, {"n pictures": (0, 1.25, 1.7, BLUE), "n sentences": (0, 0.25, 1.7, TEAL)}, height=0.7, size=10)
    diagrams.boxes(
        ax, {"convolutions": (2.5, 1.25, 1.9, BLUE), "Transformer": (2.5, 0.25, 1.9, TEAL)}, height=0.7, size=10
    )
    diagrams.boxes(ax, {"unit vectors $u_i$": (5.2, 1.25, 2.0, BLUE), "unit vectors $v_j$": (5.2, 0.25, 2.0, TEAL)},
                   height=0.7, size=10)  # fmt: skip
    diagrams.boxes(ax, {"$u_i \\cdot v_j / \\tau$": (8.1, 0.75, 1.9, BERRY)}, height=0.7, size=11)
    for y in (1.6, 0.6):
        diagrams.arrows(ax, [((1.75, y), (2.45, y)), ((4.45, y), (5.15, y)), ((7.25, y), (8.05, 1.1))], colour=INK)
    ax.text(10.15, 1.1, "n × n scores:\nthe diagonal\nis right", color=TEXT[BERRY], fontsize=9.5, va="center")
    ax.set(xlim=(-0.1, 12.0), ylim=(0.1, 2.1))
    ax.set_axis_off()
    return figure


def capped(sizes: Sequence[int], bounds: Mapping[str, Tensor], information: float, title: str) -> Figure:
    """Return bounds on the mutual information against the number of pairs in a batch, below ln n and the truth.

    bounds: name → (sizes,) or (seeds, sizes).
    """
    figure, ((ax,),) = figures.new(height=3.3)
    x = torch.tensor(sizes, dtype=torch.float64)
    figures.line(ax, x, x.log(), MUTE)
    ax.axhline(information, color=MUTE, linestyle=":", linewidth=1.4)
    ax.text(2, information + 0.1, "the information itself", color=MUTE, fontsize=9.5, va="bottom")
    ax.text(
        25, float(x.new_tensor(32).log()) + 0.25, "ln n: no score can show more", color=MUTE, fontsize=9.5, ha="right"
    )
    for (name, values), colour in zip(bounds.items(), (ORANGE, BERRY), strict=False):
        for each in values.view(-1, len(sizes)):
            ax.plot(figures.values(x), figures.values(each), color=colour, marker=MARKS[colour], linewidth=1.3)
        last = values.view(-1, len(sizes)).mean(0)[-1]
        ax.annotate(name, (float(x[-1]), float(last)), xytext=(8, -2), textcoords="offset points", va="top",
                    color=TEXT[colour], fontsize=9.5, annotation_clip=False)  # fmt: skip
    ax.set_xscale("log", base=2)
    ax.set_xticks(list(sizes), list(map(str, sizes)))
    ax.set(xlabel="pairs in a batch, n", ylabel="nats", ylim=(0, 1.12 * max(information, float(x.log()[-1]))))
    ax.minorticks_off()
    figures.title(ax, title)
    return figure


def exchanged_words(record: Record, arms: Mapping[str, str], title: str) -> Figure:
    """Return how often the right one of two sentences with the same words is nearer, by what is exchanged."""
    figure, ((ax,),) = figures.new(height=3.2)
    for (arm, name), colour, shift in zip(arms.items(), (TEAL, ORANGE, BERRY), (-0.16, 0.0, 0.16), strict=False):
        for place, what in enumerate(WAYS):
            shares = record.arm(arm, "exchanged").each(what)
            ax.scatter([place + shift] * len(shares), shares, color=colour, marker=MARKS[colour], s=30)
        ax.scatter([], [], color=colour, marker=MARKS[colour], label=name)
    figures.level(ax, 0.5, "chance")
    ax.legend(frameon=False, fontsize=9.5, loc="center left", bbox_to_anchor=(1.0, 0.5))
    ax.set_xticks(range(len(WAYS)), [f"{what}s exchanged" for what in WAYS])
    ax.set(ylabel="share of pairs, five seeds", ylim=(0.4, 1.02), xlim=(-0.5, len(WAYS) - 0.5))
    figures.title(ax, title)
    return figure


def all_right(record: Record, arms: Mapping[str, str], title: str) -> Figure:
    """Return the share of drawn pictures that are right in all that was asked, by what the decoder was told."""
    figure, ((ax,),) = figures.new(height=2.9)
    for place, arm in enumerate(arms):
        for part, colour, shift in (("seen", BLUE, 0.13), ("unseen", ORANGE, -0.13)):
            shares = record.arm(part, arm).each("all")
            ax.scatter(shares, [shift - place] * len(shares), color=colour, marker=MARKS[colour], s=36)
    for part, colour in (("combinations seen in training", BLUE), ("unseen ones", ORANGE)):
        ax.scatter([], [], color=colour, marker=MARKS[colour], label=part)
    ax.legend(frameon=False, fontsize=9.5, loc="center left", bbox_to_anchor=(1.0, 0.5))
    ax.set_yticks([-place for place in range(len(arms))], list(arms.values()))
    ax.set(xlabel="share of pictures that show all that the caption says, five seeds", xlim=(0, 1))
    figures.title(ax, title)
    return figure
