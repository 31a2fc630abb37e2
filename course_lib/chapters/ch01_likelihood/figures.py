"""Pictures of chapter 01: averages that settle or do not, a code as a tree, blocks, directions, two averages."""

import math
from collections.abc import Mapping, Sequence

import torch
from matplotlib.figure import Figure
from torch import Tensor

from course_lib.classroom.figures import (
    BERRY,
    BLUE,
    INK,
    MUTE,
    ORANGE,
    PALE,
    TEAL,
    TEXT,
    Numbers,
    bits,
    level,
    line,
    new,
    title,
    values,
)

Picture = tuple[Figure, str]


def opening(surprise: Numbers, phrase: str) -> Picture:
    """Return the surprise of each character of a phrase as bars, with the sum in the title."""
    figure, ((ax,),) = new(height=3.0)
    bits(ax, surprise, phrase)
    title(ax, f"{len(phrase)} characters, {values(surprise).sum():.1f} bits: what follows easily costs little")
    return figure, (
        "Bars: surprise in bits of each character of ‘To be, or not to be’, given the one before; the space after the "
        "comma costs 0.5, the comma 4.6."
    )


def means_settle(drawn: Tensor, truth: float, s: float, sizes: Tensor, spreads: Tensor) -> Picture:
    """Return running means of rows of values in the band of two standard errors, and the spread of many means."""
    figure, ((left, right),) = new(1, 2, height=3.2)
    n = torch.arange(1, drawn.shape[1] + 1, dtype=torch.float64)
    left.fill_between(*values([n, truth - 2 * s / n.sqrt(), truth + 2 * s / n.sqrt()]), color=PALE)
    for row in drawn:
        left.plot(*values([n, row.cumsum(0) / n]), color=BLUE, linewidth=0.9)
    left.axhline(truth, color=MUTE, linestyle="--", linewidth=1.2, zorder=1)
    left.text(2500, truth + 0.5, f"truth {truth}", color=MUTE)
    left.set(xscale="log", xlim=(10, len(n)), ylim=(0, 2 * truth), xlabel="draws n", ylabel="mean of x²")
    title(left, "The band of ±2 s/√n closes on the truth")
    line(right, sizes, s / sizes.sqrt(), MUTE, "  s/√n")
    right.scatter(*values([sizes.double(), spreads]), color=BLUE, zorder=3)
    right.loglog()
    right.set(xlim=(18, 9000), xlabel="draws n", ylabel="spread of 2,000 means")
    right.set_xticks([25, 100, 400, 2500], ["25", "100", "400", "2,500"], minor=False)
    right.set_yticks([0.07, 0.14, 0.35, 0.7], ["0.07", "0.14", "0.35", "0.7"], minor=False)
    right.minorticks_off()
    title(right, "100 times the draws, a tenth of the error")
    return figure, (
        "Left: five running means of x² settle on 2.5 within a band that narrows. Right: on logarithmic axes the "
        "spread of 2,000 means falls along the line s/√n from 25 to 2,500 draws."
    )


def own_errors(off: Mapping[str, Tensor]) -> Picture:
    """Return histograms of how many of its own standard errors each mean is off, one panel a function."""
    figure, (axes,) = new(1, len(off), height=3.2)
    for ax, (name, each), colour in zip(axes, off.items(), (TEAL, BLUE, BERRY), strict=True):
        ax.axvspan(-5, 5, color=PALE, zorder=0)
        ax.hist(values(each.clamp(min=-26)), bins=32, range=(-26, 6), color=colour)
        ax.set(xlabel="(mean − truth) / its own\nstandard error", xlim=(-27, 7), ylim=(0.7, 9000), yscale="log")
        title(ax, f"{name}: {100 * (each.abs() > 5).double().mean():.2f} % beyond 5")
    axes[0].set_ylabel(f"how many of {len(each):,} means")
    return figure, (
        "Histograms, logarithmic upwards, of 10,000 means of 400 values in their own standard errors: for x² nearly "
        "all lie within 5; for e^(5x/2) and e^(2x²/5) alike a long tail of means is too low by far more than its error."
    )


def coin_loss(share: float) -> Picture:
    """Return the loss of a coin against its parameter, standing on the entropy of data with this share."""
    figure, ((ax,),) = new(width=6, height=3.2)
    thetas = torch.linspace(0.02, 0.9, 200, dtype=torch.float64)
    loss = -(share * thetas.log2() + (1 - share) * (1 - thetas).log2())
    floor = -(share * math.log2(share) + (1 - share) * math.log2(1 - share))
    line(ax, thetas, loss, ORANGE, "loss")
    ax.fill_between(values(thetas), floor, values(loss), color="#F3DCEE")
    level(ax, floor, "entropy")
    ax.text(0.66, 1.05, "KL", color=BERRY)
    ax.text(share, floor - 0.08, "5/19", ha="center", va="top")
    ax.set(xlabel="θ, the coin's probability of a space", ylabel="bits per character", xlim=(0, 1.08), ylim=(0, 3))
    title(ax, f"A coin for ‘space’: its loss stands on the entropy, {floor:.2f} bits")
    return figure, (
        f"Loss of the coin against theta: a valley that touches the entropy, {floor:.2f} bits, at 5/19; the distance "
        "between curve and floor is the KL."
    )


def code_tree(names: Sequence[str], words: Sequence[str]) -> Picture:
    """Return a prefix code as a tree on its side: a leaf owns the part of [0, 1) that begins with its word."""
    figure, ((ax,),) = new(width=7.5, height=3.6)
    inner = sorted({word[:i] for word in words for i in range(len(word))}, key=len)
    for node in inner:
        for bit in "01":
            begin, end = _middle(node), _middle(node + bit)
            ax.plot((len(node), len(node) + 1), (begin, end), color=MUTE, linewidth=1.4, zorder=1)
            ax.text(len(node) + 0.5, (begin + end) / 2, f" {bit} ", ha="center", va="center", backgroundcolor="white")
        ax.scatter(len(node), _middle(node), color=INK, s=26, zorder=2)
    deepest = max(map(len, words))
    for name, word, colour in zip(names, words, (BLUE, TEAL, BERRY, ORANGE), strict=False):
        low, size = int(word, 2) / 2 ** len(word), 2.0 ** -len(word)
        ax.scatter(len(word), _middle(word), color=colour, marker="s", s=40, zorder=2)
        ax.plot((len(word) + 0.1, deepest + 0.5), (_middle(word),) * 2, color=colour, linewidth=0.8, linestyle=":")
        ax.bar(deepest + 0.75, size, 0.5, low, color="white", edgecolor=colour, linewidth=2)
        share = {1: "½", 2: "¼", 3: "⅛"}.get(len(word), f"1/{2 ** len(word)}")
        ax.text(deepest + 0.75, low + size / 2, share, ha="center", va="center", color=TEXT[colour])
        ax.text(deepest + 1.08, low + size / 2, f"{name}  {word}", va="center", color=TEXT[colour])
    ax.set(xlim=(-0.2, deepest + 1.9), ylim=(1.02, -0.02), xticks=range(deepest + 1), xlabel="bits read")
    ax.set_yticks((0, 0.5, 0.75, 1), ("0", "½", "¾", "1"))
    ax.set_ylabel("part of [0, 1)")
    title(ax, r"A word of $\ell$ bits owns a part of size $2^{-\ell}$; parts do not overlap")
    return figure, (
        "A prefix code as a tree: from the root, 0 leads to the leaf sun, 10 to cloud, 110 to rain, 111 to snow; the "
        "leaves own ½, ¼, ⅛ and ⅛ of the interval from 0 to 1, which together fill it."
    )


def _middle(word: str) -> float:
    """Return the middle of the numbers of [0, 1) whose binary digits begin with word."""
    return (int(word or "0", 2) + 0.5) / 2 ** len(word)


def blocks(per_symbol: Sequence[float], entropy: float) -> Picture:
    """Return bits a symbol of the best code against the block's length, between entropy and entropy + 1/n."""
    figure, ((ax,),) = new(width=6.5, height=3.2)
    n = torch.arange(1, len(per_symbol) + 1)
    ax.fill_between(values(n), entropy, values(entropy + 1 / n), color=PALE)
    line(ax, n, entropy + 1 / n, MUTE, "H + 1/n")
    line(ax, n, per_symbol, BLUE, marker="o")
    ax.text(4.3, 0.54, "best code", color=BLUE)
    ax.axhline(entropy, color=INK, linestyle="--", linewidth=1.2)
    ax.text(12.1, entropy - 0.05, f"entropy H = {entropy:.3f}", ha="right", va="top", color=INK)
    for at, beside in enumerate(((-33, -3), (5, 6), (5, 6))):
        ax.annotate(f"{per_symbol[at]:.3f}", (at + 1, per_symbol[at]), beside, textcoords="offset points", fontsize=9)
    ax.set(xlabel="symbols in a block, n", ylabel="bits per symbol", xlim=(0, 12.2), ylim=(0.3, 1.55))
    ax.set_xticks(values(n))
    title(ax, "Blocks bring (0.9, 0.1) from 1 bit down towards its entropy")
    return figure, (
        "Bits per symbol of the best code for blocks of 1 to 10 symbols with shares 0.9 and 0.1: 1, 0.645, 0.533, then "
        "close above the entropy, 0.469, always below entropy plus 1/n."
    )


def two_directions(grid: Numbers, p: Numbers, forward: Sequence[float], *reverse: Sequence[float]) -> Picture:
    """Return the density p with the Gaussian of forward KL, and with two of reverse KL; a fit begins with μ, σ."""
    figure, (axes,) = new(1, 2, height=3.4)
    x = torch.as_tensor(grid)
    places = ((1.9, 0.12), (-5.7, 0.55), (2.9, 0.6))
    names = ("q", "q, start at −3", "q, start at 1")
    for i, (mu, std, *_) in enumerate((forward, *reverse)):
        ax = axes[min(i, 1)]
        curve = (-((x - mu) ** 2) / (2 * std**2)).exp() / (std * math.sqrt(2 * math.pi))
        ax.fill_between(values(x), values(p), color="#DCE7FF")
        ax.plot(*values([x, curve]), "-." if i == 2 else "-", color=ORANGE, linewidth=2)
        ax.text(*places[i], names[i], color=TEXT[ORANGE])
        ax.set(xlim=(-6, 6), ylim=(0, 0.78), xlabel="x", ylabel="density")
    axes[0].text(-3.9, 0.3, "data p", color=BLUE)
    title(axes[0], "KL(p‖q) covers both humps")
    title(axes[1], "KL(q‖p) seeks one, from these starts")
    return figure, (
        "One Gaussian fitted to a mixture of two: by forward KL it covers both humps, its top in the valley at −0.4; "
        "by reverse KL it sits on one hump or the other, depending on the start."
    )


def two_averages(numbers: Sequence[int], above: Sequence[float], below: Sequence[float], d: int) -> Picture:
    """Return held-out and training loss less the entropy, against n, with ±d/2n."""
    figure, ((ax,),) = new(width=6.5, height=3.4)
    n = torch.linspace(min(numbers), max(numbers), 200)
    for sign, losses, colour, name in ((1, above, BLUE, "held-out"), (-1, below, ORANGE, "training")):
        ax.plot(*values([n, sign * d / (2 * n)]), color=MUTE, linewidth=1.2, linestyle="--")
        ax.scatter(numbers, losses, color=colour, marker="^" if sign > 0 else "o", zorder=3)
        ax.text(24, sign * 0.75, name, color=TEXT[colour], va="center")
    ax.text(58, 0.24, "d/2n", color=MUTE)
    ax.text(58, -0.32, "−d/2n", color=MUTE)
    ax.axhline(0, color=INK, linewidth=1)
    ax.set(xlabel="points fitted, n", ylabel="loss less the source's entropy (nats)", ylim=(-1.15, 1.15))
    title(ax, f"{d} parameters: the two averages close in on the entropy")
    return figure, (
        "Mean losses less the entropy against the number of points: held-out falls from 1 nat at 10 points, training "
        "rises from −1, both along d/2n, towards 0 at 200 points."
    )
