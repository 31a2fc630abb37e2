"""Pictures of chapter 01b: files on their lines, nested intervals, counting as one goes, memory against entropy."""

import math
from collections.abc import Mapping, Sequence
from fractions import Fraction

import torch
from matplotlib.figure import Figure
from torch import Tensor

from course_lib.classroom.figures import (
    BERRY,
    BLUE,
    INK,
    MUTE,
    ORANGE,
    TEAL,
    TEXT,
    level,
    line,
    new,
    title,
    values,
)

Picture = tuple[Figure, str]


def files_on_lines(costs: Mapping[str, Tensor], lengths: Mapping[str, int]) -> Picture:
    """Return the summed surprise along a page for each model, with the length of its file as a dot at the end."""
    figure, ((ax,),) = new(height=3.4)
    for (name, each), colour in zip(costs.items(), (MUTE, TEAL, ORANGE), strict=True):
        n = len(each)
        line(ax, torch.arange(1, n + 1), each.cumsum(0), colour, f"{name}: {each.mean():.2f} a character")
        ax.scatter([n], [lengths[name]], color=colour, s=30, zorder=3)
    ax.set(xlabel="characters of the page", ylabel="bits so far", xlim=(0, 4050), ylim=(0, 20_000))
    ax.set_xticks(range(0, 3001, 500))
    title(ax, "One page, three models, three files: each dot is the length of a real one")
    return figure, (
        "Summed surprise along a page of 3,000 characters for three models, almost straight lines; the files, drawn as "
        "dots, end on the lines, at 18,068, about 14,400 and about 11,000 bits."
    )


def nested_intervals(names: Sequence[str], table: Sequence[int], message: Sequence[int]) -> Picture:
    """Return one bar for each symbol of the message, 0 on top as in chapter 01's tree, cut in proportion to table."""
    figure, (axes,) = new(1, len(message), height=3.0)
    low, width = Fraction(0), Fraction(1)
    for ax, chosen in zip(axes, message, strict=True):
        ends = [Fraction(sum(table[:i]), sum(table)) for i in range(len(table) + 1)]
        for i, name in enumerate(names):
            base, part = float(ends[i]), float(ends[i + 1] - ends[i])
            ax.bar(0, part, 1, base, color="#F3DCEE" if i == chosen else "white", edgecolor=INK)
            ax.text(0, base + part / 2, name, ha="center", va="center", color=BERRY if i == chosen else INK)
        ax.set_yticks([0, 1], [str(low), str(low + width)])
        ax.set(xticks=[], xlim=(-0.5, 0.5), ylim=(1, 0))
        title(ax, f"{names[chosen]} keeps {ends[chosen + 1] - ends[chosen]}")
        low, width = low + width * ends[chosen], width * (ends[chosen + 1] - ends[chosen])
    return figure, (
        "Three bars, 0 on top, cut into sun, cloud, rain, snow: the part kept in one bar is the whole of the next; "
        f"what is left goes from {low} to {low + width}, a width of {width}."
    )


def counting_as_one_goes(bits: Sequence[Sequence[float]], trained: Sequence[float]) -> Picture:
    """Return bits a character of pages coded by counts of their own past, against k, and by a table that was given."""
    figure, ((ax,),) = new(width=6.5, height=3.2)
    for i, page in enumerate(bits):
        ax.plot(range(len(page)), page, color=BLUE, linewidth=1, marker="o", markersize=5)
        ax.plot((0.9, 1.1), (trained[i],) * 2, color=TEAL, linewidth=2)
    ax.text(0.03, bits[0][0] + 0.15, "counting as it goes", color=BLUE)
    ax.text(1.15, sum(trained) / len(trained), "pair counts of a million", color=TEXT[TEAL], va="center")
    level(ax, math.log2(65), "65 symbols alike: 6.02")
    ax.set(xlabel="characters of context, k", ylabel="bits per character", ylim=(3, 6.5), xlim=(-0.2, 2.3))
    ax.set_xticks(range(len(bits[0])))
    title(ax, "Five pages of 2,000 characters: k = 1 is the best of three")
    return figure, (
        "Bits per character against the length of the context for five pages that are counted as they are coded: about "
        "4.9, 4.7 and 5.3; the table of a million pairs, also k = 1, takes 3.5 to 3.7."
    )


def memory(
    entropy: float,
    source: tuple[Sequence[Sequence[float]], Sequence[Sequence[float]]],
    real: tuple[Sequence[Sequence[float]], Sequence[Sequence[float]]],
    more: Sequence[Sequence[float]],
) -> Picture:
    """Return training and held-out bits against the context, for a drawn text and for Shakespeare, a line a draw."""
    figure, (axes,) = new(1, 2, height=3.9)
    for ax, (train, held_out), y in zip(axes, (source, real), (5.2, 4.6), strict=True):
        for row in train:
            ax.plot(row, color=ORANGE, linewidth=1, marker="o", markersize=4)
        for row in held_out:
            ax.plot(row, color=BLUE, linewidth=1, linestyle="--", marker="^", markersize=4)
        ax.text(6.15, train[0][-1], "training", color=TEXT[ORANGE], va="center")
        ax.text(2.2, y, "held-out", ha="right", color=BLUE)
        level(ax, math.log2(65), "uniform 6.02")
        ax.set(xlabel="characters of context, k", ylabel="bits per character", xlim=(-0.3, 8.4), ylim=(0, 6.9))
        ax.set_xticks(range(7))
    level(axes[0], entropy, f"entropy {entropy:.2f}")
    for row in more:
        axes[1].plot(row, color=TEAL, linewidth=1, linestyle="--", marker="s", markersize=4)
    axes[1].text(6.15, more[0][-1], "held-out,\n50 × the text", color=TEXT[TEAL], va="center")
    title(axes[0], "Known source: far below the entropy is memory")
    title(axes[1], "Shakespeare: more text, more context")
    return figure, (
        "Bits against the length of the context, five draws each. Training falls far below the entropy. Held-out, the "
        "drawn source is lowest at k = 1, rises above uniform at 4 and falls back to it at 6; 20,000 characters of "
        "Shakespeare are lowest at k = 2, then rise; with 50 times the text the lowest is at 4."
    )


def surprise_per_symbol(lengths: Sequence[int], within: float) -> Picture:
    """Return how the surprise per symbol of messages of (0.9, 0.1) is distributed, one panel a length of message."""
    figure, (axes,) = new(1, len(lengths), height=2.9)
    high, low = math.log2(10), -math.log2(0.9)
    entropy = 0.1 * high + 0.9 * low
    for ax, n in zip(axes, lengths, strict=True):
        rare = torch.arange(n + 1, dtype=torch.float64)
        mass = torch.distributions.Binomial(n, torch.tensor(0.1, dtype=torch.float64)).log_prob(rare).exp()
        cost = (rare * high + (n - rare) * low) / n
        ax.axvspan(entropy - within, entropy + within, color="#D6F2EA", zorder=0, label=f"entropy ± {within}")
        ax.bar(*values([cost, mass / mass.max()]), width=0.8 * (high - low) / n, color=BLUE)
        ax.axvline(entropy, color=INK, linewidth=1.2, linestyle="--", label=f"entropy {entropy:.3f}")
        ax.axvline(low, color=BERRY, linewidth=1.2, linestyle=":", label=f"most likely, {low:.3f}")
        inside = mass[(cost - entropy).abs() < within].sum().item()
        title(ax, f"n = {n:,}: {100 * inside:.1f} % within ±{within}")
        ax.set(xlim=(0, 1.6), ylim=(0, 1.15), xlabel="surprise per symbol (bits)", yticks=())
    axes[0].set_ylabel("probability (highest = 1)")
    axes[-1].legend(loc="upper right", fontsize=9, frameon=False)
    return figure, (
        "Bars: distribution of the surprise per symbol of messages of 10, 100 and 1,000 symbols. It narrows about the "
        "entropy, 0.469; the most likely message, at 0.152, is outside the band of ±0.1 for all three."
    )
