"""Pictures of chapter 05b: a line cut into tokens, the tree of its merges, and what vocabularies cost."""

from collections.abc import Mapping, Sequence

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from course_lib.attention.tokens import BytePairs
from course_lib.classroom import figures
from course_lib.classroom.figures import BERRY, BLUE, INK, MUTE, ORANGE, PALE, TEAL, TEXT

LINE = "To be, or not to be, that is the question:"
SHADES = ("#DCE7FF", PALE)  # in turns, each with a border


def pieces_of(tokenizer: BytePairs, text: str) -> list[str]:
    """Return the strings that the tokens of text stand for; those of bytes that are no character as �."""
    return [tokenizer.decode([token]) for token in tokenizer.encode(text).tolist()]


def cuts(ax: Axes, rows: Mapping[str, Sequence[str]]) -> None:
    """Draw each row's pieces as boxes, a character one unit wide, with the number of pieces behind them."""
    width = max(sum(map(len, pieces)) for pieces in rows.values())
    for y, (name, pieces) in enumerate(rows.items()):
        at = 0
        for i, piece in enumerate(pieces):
            box = Rectangle((at, -y - 0.38), len(piece), 0.76, facecolor=SHADES[i % 2], edgecolor=INK, linewidth=0.7)
            ax.add_patch(box)
            for j, character in enumerate(piece):
                sign = figures.visible(character)
                ax.text(at + j + 0.5, -y, sign, ha="center", va="center", fontsize=9.5, family="monospace", color=INK)
            at += len(piece)
        ax.text(-0.5, -y, name, ha="right", va="center", fontsize=9.5, color=TEXT[BLUE])
        ax.text(width + 0.5, -y, f"{len(pieces)} tokens", ha="left", va="center", fontsize=9.5, color=INK)
    ax.set(xlim=(-width * 0.16, width * 1.15), ylim=(-len(rows) + 0.4, 0.6), xticks=(), yticks=())
    ax.spines[:].set_visible(False)


def opening(tokenizer: BytePairs) -> tuple[Figure, str]:
    """Return one line cut by four vocabularies of the same training, and its alternative text."""
    rows = {f"{size:,} tokens": pieces_of(tokenizer.first(size), LINE) for size in (256, 512, 1024, 4096)}
    figure, ((ax,),) = figures.new(height=2.3)
    cuts(ax, rows)
    numbers = [len(pieces) for pieces in rows.values()]
    figures.title(ax, f"A larger vocabulary makes fewer tokens of this line: {', '.join(map(str, numbers))}")
    alt = (
        f"The line ‘{LINE}’ cut into boxes by vocabularies of 256, 512, 1,024 and 4,096 tokens: {numbers[0]} boxes of "
        f"one letter, then {numbers[1]}, {numbers[2]} and {numbers[3]}, the last ones whole words."
    )
    return figure, alt


def tree(ax: Axes, text: str, steps: Sequence[Sequence[int]], bytes_of: Sequence[bytes]) -> None:
    """Draw the merges of an ASCII text: letters at the bottom, each merge a node above the two that it joins.

    steps: the tokens of the text before the first merge, after it, after the second, and so on.
    """
    centre = {(i, i + 1): float(i) for i in range(len(text))}
    height = dict.fromkeys(centre, 0)
    for level, tokens in enumerate(steps):
        start = 0
        for token in tokens:
            span = (start, start + len(bytes_of[token]))
            if span not in centre:
                inside = [s for s in centre if span[0] <= s[0] and s[1] <= span[1]]
                widest = max(s[1] for s in inside if s[0] == span[0] and s != span)
                parts = [(span[0], widest), (widest, span[1])]
                centre[span], height[span] = (span[0] + span[1] - 1) / 2, level
                for part in parts:
                    ends = ([centre[part], centre[span]], [height[part] + 0.2, level - 0.2])
                    ax.plot(*ends, color=MUTE, linewidth=1.2, zorder=1)
            start = span[1]
    for (a, b), x in centre.items():
        box = {"boxstyle": "round,pad=0.25", "facecolor": SHADES[height[a, b] == 0], "edgecolor": INK, "linewidth": 0.7}
        label = "".join(map(figures.visible, text[a:b]))
        ax.text(x, height[a, b], label, ha="center", va="center", family="monospace", fontsize=10.5, bbox=box)
    ax.set(xlim=(-0.7, len(text) - 0.3), ylim=(-0.5, len(steps) - 0.5), xticks=(), ylabel="merge")
    ax.set_yticks(range(len(steps)), ["bytes", *(str(i) for i in range(1, len(steps)))])
    ax.spines[["bottom"]].set_visible(False)


def costs(sizes: Mapping[int, Mapping[str, Sequence[float]]]) -> Figure:
    """Return two panels over the vocabulary: nats a token and bits a character; sizes: size → key → one a seed.

    The right panel has both held-out splits: keys that begin with ``validation_`` are of that split, others of the test
    split.
    """
    figure, (axes,) = figures.new(1, 2, height=3.2)
    x = torch.tensor([float(size) for size in sizes]).log2()
    curves = [
        (axes[0], "nats_per_token", BERRY, "o", "", False),
        (axes[1], "bits_per_character", ORANGE, "^", "test split", False),
        (axes[1], "validation_bits_per_character", TEAL, "s", "validation split", True),
    ]
    for ax, key, colour, marker, label, dashed in curves:
        rows = torch.tensor([sizes[size][key] for size in sizes])  # (size, seed)
        figures.line(ax, x, rows.mean(1), colour, dashed=dashed)
        for seed, row in enumerate(rows.T):
            named = {"label": label} if label and not seed else {}
            ax.plot(figures.values(x), figures.values(row), marker, color=colour, markersize=5, alpha=0.7, **named)
    for ax, label in zip(axes, ("nats per token, test split", "bits per character"), strict=True):
        ax.set_xticks(figures.values(x), [f"{size:,}" for size in sizes])
        ax.set(xlabel="vocabulary (tokens)", ylabel=label, xlim=(7.7, 11.3))
    axes[0].set_ylim(0, 5.2)
    axes[1].legend(frameon=False, fontsize=9.5)
    return figure


def languages(counts: Mapping[str, Mapping[str, int]], english: str = "English") -> Figure:
    """Return bars: tokens of one text in each language, by encoding; counts: encoding → language → tokens."""
    figure, ((ax,),) = figures.new(height=3.1)
    names = list(next(iter(counts.values())))
    styles = zip(counts.items(), (BLUE, TEAL, ORANGE), ("", "//", ".."), strict=True)
    for i, ((encoding, by_language), colour, hatch) in enumerate(styles):
        x = [place + 0.27 * (i - 1) for place in range(len(names))]
        heights = [by_language[name] for name in names]
        bars = ax.bar(x, heights, width=0.25, color=colour, hatch=hatch, edgecolor="white", label=encoding)
        ax.bar_label(bars, fontsize=9, color=INK)
    ax.set_xticks(range(len(names)), names, fontsize=10)
    ax.set_ylabel("tokens")
    ax.margins(y=0.12)
    ax.legend(frameon=False, fontsize=9.5, loc="upper left")
    return figure
