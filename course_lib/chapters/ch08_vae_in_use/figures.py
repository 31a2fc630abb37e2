"""Pictures of chapter 08: a file and a gap, the sender's three moves, the bill, a step of the walk, what was filled."""

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch
from torch import Tensor

from course_lib.chapters.ch02_attention.figures import box
from course_lib.classroom import figures
from course_lib.classroom.figures import BERRY, BLUE, INK, MUTE, ORANGE, TEAL, TEXT
from course_lib.datasets.images import binary_test_digits
from course_lib.pretrained.vaes import load_digit_vae
from course_lib.training.runtime import runtime
from course_lib.vae import bits_back
from course_lib.vae.inpainting import gibbs_inpaint


def opening() -> Figure:
    """Return ten digits, the bits of a file that holds them, and the ten with rows hidden and drawn by the model."""
    device = runtime().device
    vae = load_digit_vae().to(device).requires_grad_(False)
    order = torch.randperm(10_000, generator=torch.Generator().manual_seed(0))
    digits = binary_test_digits().flatten(1)[order[:10]].to(device)
    words = np.random.default_rng(0).integers(0, 2**32, 20, dtype=np.uint32)
    message = bits_back.compress(vae, digits, words, lanes=1)
    bits = np.unpackbits(message.words.view(np.uint8)).reshape(-1, 32)
    observed = (torch.arange(784, device=device) < 28 * 18).expand(10, -1)
    filled = gibbs_inpaint(vae, digits, observed, 300, torch.Generator().manual_seed(1))[2]
    figure, ((left, middle, up, right),) = figures.new(1, 4, height=2.5, width_ratios=(1, 0.5, 1, 1))
    hidden = torch.where(observed, digits, 0.3)
    panels = (
        (left, digits, "● 7,840 pixels"),
        (up, hidden, "● ten rows hidden"),
        (right, filled, "▲ drawn by the model"),
    )
    for ax, images, text in panels:
        figures.tiles(ax, images, columns=4)
        figures.title(ax, text)
    middle.imshow(bits, cmap="gray_r", interpolation="nearest")
    middle.set(xticks=(), yticks=())
    figures.title(middle, "▲ as bits")
    return figure


def rate_and_distortion(betas: Sequence[float], R: Sequence[float], D: Sequence[float]) -> Figure:
    """Return distortion against rate, and their sum against β."""
    figure, ((left, right),) = figures.new(1, 2, height=3.4)
    figures.line(left, R, D, BERRY, marker="o")
    for beta, r, d in zip(betas, R, D, strict=True):
        left.annotate(f"β = {beta:g}", (r, d), xytext=(7, 3), textcoords="offset points", fontsize=9.5)
    left.set(xlabel="rate R (nats)", ylabel="distortion D (nats)", xlim=(-2, 62), ylim=(75, 180))
    figures.title(left, "Less distortion is bought with rate")
    figures.line(right, betas, [r + d for r, d in zip(R, D, strict=True)], BERRY, marker="o")
    right.set(xscale="log", xlabel="β", ylabel="R + D = −ELBO (nats)")
    figures.title(right, "Of these five, β = 1 has the least sum")
    return figure


def moves(waiting: float, taken: float, image: float, latents: float) -> Figure:
    """Return the expected length of a message, in bits, before, between and after the sender's three moves."""
    lengths = (waiting, waiting - taken, waiting - taken + image, waiting - taken + image + latents)
    texts = (
        "the message that waits",
        f"1. z popped with q(z | x): {taken:.0f} bits off",
        f"2. x pushed with p(x | z): {image:.0f} bits on",
        f"3. z pushed with p(z): {latents:.0f} bits on",
    )
    figure, ((ax,),) = figures.new(height=2.7)
    for row, length in enumerate(lengths):
        ax.barh(-row, min(length, waiting), color=figures.PALE, edgecolor=MUTE, height=0.62)
        if length > waiting:
            ax.barh(-row, length - waiting, left=waiting, color=ORANGE, height=0.62)
        ax.text(length + 8, -row, f"{length:.0f}", va="center", fontsize=9.5, color=INK)
    ax.axvline(waiting, color=MUTE, linestyle="--", linewidth=1)
    ax.set(xlabel="expected length of the message (bits)", xlim=(0, 1.15 * lengths[-1]))
    ax.set_yticks([-row for row in range(4)], texts, fontsize=9.5)
    ax.tick_params(axis="y", length=0)
    figures.title(ax, f"z is drawn by {taken:.0f} bits that were there; net it grows by {lengths[-1] - waiting:.0f}")
    return figure


def bill(lengths: Mapping[str, tuple[float, float]]) -> Figure:
    """Return bits an image as bars: name → (what the images cost, what must lie in the message first)."""
    figure, ((ax,),) = figures.new(height=3.6)
    names = list(lengths)[::-1]
    net, first = (np.array([lengths[name][i] for name in names]) for i in (0, 1))
    colours = [ORANGE if name.startswith("VAE") else MUTE for name in names]
    ax.barh(names, net, color=colours, height=0.65)
    held = first > 0
    ax.barh(
        np.array(names)[held],
        first[held],
        left=net[held],
        facecolor="white",
        edgecolor=ORANGE,
        hatch="////",
        height=0.65,
    )
    for row, (a, b) in enumerate(zip(net, first, strict=True)):
        ax.text(a + b + 8, row, f"{a:.0f}" + (f" + {b:.0f}" if b else ""), va="center", fontsize=9)
    ax.axvline(784, color=INK, linewidth=0.8)
    ax.text(776, len(names) - 1, "784 raw", ha="right", va="center", fontsize=9)
    ax.text(776, len(names) - 2, "hatched: bits that must wait\nin the message, or be added", ha="right", va="center",
            fontsize=9, color=TEXT[ORANGE])  # fmt: skip
    ax.set(xlabel="bits an image, without the weights' own size", xlim=(0, 1200))
    return figure


def one_step() -> Figure:
    """Return a step of the walk as a diagram: propose, decide, decode, draw the hidden pixels."""
    figure, ((ax,),) = figures.new(height=2.9)
    boxes = ((0.9, 1.5, "image\nseen ● and hidden", BLUE), (3.4, 2.2, "encoder\nproposes z′", TEAL),
             (3.4, 0.8, "or a small\nstep from z", TEAL), (5.9, 1.5, "take z′ or\nstay at z", BERRY),
             (8.4, 1.5, "decoder\nhidden pixels drawn ▲", ORANGE))  # fmt: skip
    for x, y, text, colour in boxes:
        box(ax, x, y, text, colour, size=9.5)
    ways = [
        ((1.85, 1.65), (2.75, 2.1)),
        ((4.1, 2.1), (5.25, 1.65)),
        ((4.1, 0.9), (5.25, 1.35)),
        ((6.55, 1.5), (7.3, 1.5)),
    ]
    for start, end in ways:
        ax.add_patch(FancyArrowPatch(start, end, arrowstyle="-|>", mutation_scale=13, color=INK, linewidth=1.2))
    for start, end, bend in (((8.4, 1.95), (0.9, 1.95), 0.28), ((5.9, 1.1), (3.4, 0.4), -0.35)):
        ax.add_patch(FancyArrowPatch(start, end, connectionstyle=f"arc3,rad={bend}", arrowstyle="-|>",
                                     mutation_scale=13, color=MUTE, linestyle="--"))  # fmt: skip
    ax.text(4.7, 3.5, "the hidden pixels, for the next step", ha="center", fontsize=9, color=TEXT[MUTE])
    ax.text(5.3, 0.1, "z, for the next step", fontsize=9, color=TEXT[MUTE])
    ax.set(xlim=(-0.2, 9.6), ylim=(-0.1, 3.75), xticks=(), yticks=())
    ax.spines[:].set_visible(False)
    return figure


def filled(
    rows: Sequence[int], error: Mapping[str, Sequence[float]], seen: Tensor, several: Tensor, truth: Tensor
) -> Figure:
    """Return squared errors, less the mean image's, against hidden rows, and completions below what was seen."""
    figure, ((left, right),) = figures.new(1, 2, height=3.7, width_ratios=(1, 1.15))
    looks = ("^-", ORANGE), ("o-", TEAL), ("D-", BERRY)
    floor = error["mean image"]
    ways = {name: errors for name, errors in error.items() if name != "mean image"}
    for (name, errors), (mark, colour) in zip(ways.items(), looks, strict=True):
        left.plot(rows, [e - f for e, f in zip(errors, floor, strict=True)], mark, color=colour, label=name)
    left.axhline(0, color=MUTE, linestyle="--")
    left.text(rows[0], 0.25, "mean image", fontsize=9.5, color=TEXT[MUTE])
    left.legend(frameon=False, fontsize=9.5)
    left.set(xlabel="hidden rows of 28", ylabel="squared error less the mean image's", xticks=rows)
    figures.tiles(right, torch.cat([seen, several.flatten(0, 1), truth]), columns=10)
    right.set_yticks([15, 75, 135], ["seen", "drawn\nby the walk", "truth"], fontsize=9)
    right.tick_params(length=0)
    figures.title(right, "Three completions of each half")
    return figure
