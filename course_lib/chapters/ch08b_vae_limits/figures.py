"""Pictures of chapter 08b: what works and what does not, noise, scores, a pixel's view, bars, greyness, classes."""

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from torch import Tensor

from course_lib.classroom import figures
from course_lib.classroom.figures import BERRY, BLUE, INK, MUTE, ORANGE, TEAL, TEXT
from course_lib.datasets.images import load_digits
from course_lib.pretrained.vaes import load_digit_vae
from course_lib.training.runtime import runtime
from course_lib.vae.denoising import residual_variance, vae_denoise


def opening() -> Figure:
    """Return ten noisy digits, the ten cleaned, and ten mean images of z from the prior."""
    device = runtime().device
    vae, data = load_digit_vae().to(device).requires_grad_(False), load_digits()
    greys = (data.train.flatten(1) / 255).to(device)
    order = torch.randperm(10_000, generator=torch.Generator().manual_seed(0))
    images = (data.test[order[:10]].flatten(1) / 255).to(device)
    noisy = images + 0.5 * torch.randn(10, 784, generator=torch.Generator().manual_seed(0)).to(device)
    clean = vae_denoise(vae, noisy, 0.5, residual_variance(vae, greys))
    drawn = vae.means(torch.randn(10, vae.latent_dim, generator=torch.Generator().manual_seed(3)).to(device))
    figure, ((left, middle, right),) = figures.new(1, 3, height=2.2, width_ratios=(1, 1, 1))
    panels = (
        (left, noisy, "● noise"),
        (middle, clean, "▲ taken away"),
        (right, drawn, "▲ drawn: which are digits?"),
    )
    for ax, pictures, text in panels:
        figures.tiles(ax, pictures, columns=5)
        figures.title(ax, text)
    return figure


def cleaned(noise: Sequence[float], decibels: Mapping[str, Sequence[float]], three: Tensor) -> Figure:
    """Return PSNR against noise, one line a filter, and six digits: noisy, by Wiener, by the VAE."""
    figure, ((left, right),) = figures.new(1, 2, height=3.4, width_ratios=(1, 1.1))
    looks = ("^-", ORANGE), ("o-", TEAL), ("D-", BERRY), ("s--", MUTE)
    for (name, values), (mark, colour) in zip(decibels.items(), looks, strict=True):
        left.plot(noise, values, mark, color=colour, label=name)
    left.legend(frameon=False, fontsize=9.5)
    left.set(xscale="log", xlabel="noise s (full ink is 1)", ylabel="PSNR (dB)")
    left.set_xticks(noise, [f"{s:g}" for s in noise])
    left.minorticks_off()
    figures.title(left, "The VAE leads in the middle")
    figures.tiles(right, three, columns=6)
    right.set_yticks([15, 45, 75], ["y, s = 0.4", "Wiener", "VAE"], fontsize=9)
    right.tick_params(length=0)
    return figure


def scores(panels: Sequence[tuple[str, tuple[Tensor, Tensor], tuple[str, str]]]) -> Figure:
    """Return histograms of scores, on a logarithmic axis where they go far: (title, (own, odd), their names)."""
    figure, (axes,) = figures.new(1, len(panels), height=3.2)
    for ax, (text, pair, names) in zip(axes, panels, strict=True):
        own, odd = figures.values(pair[0]), figures.values(pair[1])
        both = np.concatenate([own, odd])
        far = both.max() > 1e4 * both.min()  # a few far away would not be seen beside a thousand
        edges = (np.geomspace if far else np.linspace)(both.min() * 0.99, both.max() * 1.01, 50)
        ax.hist(own, edges, color=BLUE, alpha=0.6, label=f"{names[0]} (its own)")
        ax.hist(odd, edges, color=ORANGE, histtype="step", linewidth=1.8, label=f"{names[1]} (odd)")
        ax.legend(frameon=False, fontsize=9.5)
        ax.set(xlabel="score: −bound, k = 10 (nats)", ylabel="images")
        if far:
            ax.set(xscale="log", yscale="log", ylim=(0.7, None))
        figures.title(ax, text)
    return figure


def view() -> Figure:
    """Return what the logit of one pixel is made of in the decoder that sees five rows."""
    figure, ((ax,),) = figures.new(width=7.5, height=3.0)
    row, column, reach = 12, 14, 5
    earlier = np.zeros((28, 28))
    earlier[:row], earlier[row, :column] = 1, 1
    earlier[row - reach : row, column - reach : column + reach + 1] = 2
    earlier[row, column - reach : column] = 2
    shades = np.array([[255, 255, 255], [220, 231, 255], [130, 168, 254]])
    ax.imshow(shades[earlier.astype(int)], interpolation="nearest")
    ax.add_patch(Rectangle((column - 0.5, row - 0.5), 1, 1, facecolor=ORANGE, edgecolor=INK))
    ax.add_patch(Rectangle((-0.5, -0.5), 28, 28, fill=False, edgecolor=MUTE))
    texts = (
        (4, "dark: through a small network", BLUE),
        (9, "dark and pale: through a weighted sum", BLUE),
        (14, "the pixel whose logit is made", ORANGE),
        (19, "and z, through the decoder", TEAL),
        (24, "white: not seen", MUTE),
    )
    for y, text, colour in texts:
        ax.text(31, y, text, va="center", fontsize=10, color=TEXT[colour])
    ax.set(xticks=(), yticks=(), xlim=(-1, 62))
    ax.spines[:].set_visible(False)
    return figure


def bars(kl: Mapping[str, float], elbo: Mapping[str, float]) -> Figure:
    """Return rate and ELBO of each decoder as bars."""
    figure, ((left, right),) = figures.new(1, 2, height=3.0)
    for ax, numbers, colour in ((left, kl, BERRY), (right, elbo, ORANGE)):
        drawn = ax.barh(list(numbers)[::-1], list(numbers.values())[::-1], color=colour, height=0.6)
        ax.bar_label(drawn, fmt="%.1f", padding=3, fontsize=9)
    left.set(xlabel="rate: KL (nats)", xlim=(0, 21))
    right.set(xlabel="ELBO (nats)", xlim=(-150, 0), yticks=())
    figures.title(left, "Given earlier pixels, z says little")
    figures.title(right, "and the bound is better")
    return figure


def grey_by_beta(betas: Sequence[float], rebuilt: Sequence[float], drawn: Sequence[float], rows: Tensor) -> Figure:
    """Return the share of grey pixels against β, and ten digits with their means and a draw."""
    figure, ((left, right),) = figures.new(1, 2, height=3.3, width_ratios=(1, 1.1))
    left.plot(betas, rebuilt, "o-", color=TEAL, label="rebuilt")
    left.plot(betas, drawn, "^-", color=ORANGE, label="from the prior")
    left.legend(frameon=False, fontsize=9.5, loc="upper left")
    left.set(xscale="log", xlim=(0.07, 14), ylim=(0.1, 0.36), xlabel="β", ylabel="grey share of the means")
    figures.title(left, "A smaller β sharpens what is rebuilt")
    figures.tiles(right, rows, columns=10)
    right.set_yticks([15, 45, 75, 105], ["data", "one z: mean", "mean over q", "one z: draw"], fontsize=9)
    right.tick_params(length=0)
    return figure


def classes(counts: Mapping[str, Sequence[int]], unsure: Tensor) -> Figure:
    """Return how many images of each set are taken for each class, and the forty means the classifier doubts most."""
    figure, ((left, right),) = figures.new(1, 2, height=3.3, width_ratios=(1.25, 1))
    looks = ((BLUE, ""), (ORANGE, ""), (MUTE, "////"))
    for i, ((name, numbers), (colour, hatch)) in enumerate(zip(counts.items(), looks, strict=True)):
        face = "white" if hatch else colour
        left.bar(
            [k + 0.27 * (i - 1) for k in range(10)],
            numbers,
            0.27,
            color=face,
            edgecolor=colour,
            hatch=hatch,
            label=name,
        )
    left.legend(frameon=False, fontsize=9.5, loc="upper left")
    left.set(xticks=range(10), xlabel="class that the classifier names", ylabel="images of 2,000")
    figures.tiles(right, unsure, columns=8)
    figures.title(right, "▲ the 40 most doubtful means")
    return figure
