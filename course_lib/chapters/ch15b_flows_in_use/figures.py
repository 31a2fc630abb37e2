"""Pictures of chapter 15b: where the bits are, bits beside other families, filled halves."""

from collections.abc import Mapping

import torch
from matplotlib.figure import Figure
from torch import Tensor

from course_lib.chapters.ch15b_flows_in_use.small_flow import LEVELS, cell_curve
from course_lib.classroom import diagrams, figures
from course_lib.classroom.figures import BERRY, BLUE, INK, MUTE, ORANGE, TEAL
from course_lib.classroom.records import Record
from course_lib.datasets.images import load_digits
from course_lib.datasets.levels import from_levels, to_levels
from course_lib.diffusion.levels import dequantise, requantise

PALE_BERRY = "#F3DCEE"


def where_the_bits_are(record: Record) -> Figure:
    """Return a digit at nine noise levels above the curve of nats a pixel, with that of rounding noise alone."""
    places = torch.linspace(-8, 8, 33, dtype=torch.float64)
    curves = torch.tensor(record.arm("middle times").each("curve"), dtype=torch.float64)
    cell = cell_curve(places)
    figure, ((top,), (ax,)) = figures.new(2, 1, height=4.2, height_ratios=(1, 3))
    digit = dequantise(to_levels(load_digits().test[:1], LEVELS, 2).float(), LEVELS, _rng(0)).flatten()
    eps = torch.randn(9, 196, generator=_rng(1))
    ratio = (torch.linspace(-8, 8, 9) / 2).exp()[:, None]
    seen = (ratio * digit + eps) / (1 + ratio)  # x_t on the straight path
    for place, image in zip(torch.linspace(-8, 8, 9).tolist(), seen, strict=True):
        extent = (place - 0.75, place + 0.75, 0.0, 1.0)
        top.imshow(figures.values(image.view(14, 14)), cmap="gray_r", vmin=-1.2, vmax=1.2, extent=extent, aspect="auto")
    top.set(xlim=(-8.9, 8.9), ylim=(0, 1), xticks=(), yticks=())
    top.spines[:].set_visible(False)
    figures.title(top, "Most bits are paid where the signal outweighs the noise")
    x, y, floor = (figures.values(each) for each in (places, curves.mean(0), cell))
    ax.fill_between(x, floor, y, color=PALE_BERRY)
    for each in curves:
        ax.plot(x, figures.values(each), color=BERRY, linewidth=1)
    ax.plot(x, floor, color=MUTE, linestyle="--", linewidth=1.6)
    ax.text(2.9, float(y[22]) + 0.06, "the flow", color=BERRY, ha="right")
    ax.text(5.4, float(floor[26]) - 0.06, "rounding noise alone", color=MUTE, ha="left", va="top")
    ax.set(
        xlim=(-8.9, 8.9), ylim=(0, None), xlabel="log of the signal-to-noise ratio: noise … data",
        ylabel="nats a pixel and unit",
    )  # fmt: skip
    return figure


def _rng(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def bits_beside(record: Record, families: Record, own: float) -> Figure:
    """Return each seed's bits a pixel: the flow by its density and by its chain, the VAE, the Transformer.

    own: what independent pixels need for the digits of the chain.
    """
    flow = record.arm("middle times")
    rows = {
        "flow, chain of 500 levels (at most), 200 digits": (flow.each("bits_chain"), ORANGE, "<"),
        "flow, density, 40 steps (at most), 500 digits": (flow.each("bits 40"), ORANGE, "<"),
        "VAE, 1,000 draws (at most), 10,000 digits": (families.arm("vae").each("bits_1000"), TEAL, "<"),
        "Transformer (exact), 10,000 digits": (families.arm("ar").each("bits"), BLUE, "o"),
    }
    figure, ((ax,),) = figures.new(width=8.5, height=2.6)
    for place, (values, colour, marker) in enumerate(rows.values()):
        ax.scatter(values, [-place] * len(values), color=colour, marker=marker, s=42)
    independent = families.arm("independent pixels").values["bits"]
    for at, high, low in ((own, 0.6, -0.5), (independent, -0.5, -len(rows) + 0.4)):
        ax.plot([at] * 2, [high, low], color=MUTE, linestyle="--")
    ax.text(own + 0.03, 0, "independent pixels,\nthe same 200", color=MUTE, fontsize=9, va="center")
    ax.text(independent + 0.008, -len(rows) + 0.6, "independent\npixels", color=MUTE, fontsize=9, va="bottom")
    ax.set_yticks([-place for place in range(len(rows))], list(rows))
    ax.set(xlabel="bits a pixel, five seeds each", xlim=(0.5, 1.25), ylim=(-len(rows) + 0.4, 0.6))
    figures.title(ax, "The flows' bounds lie above VAE and Transformer")
    return figure


def halves(known: Tensor, rows: Mapping[str, Tensor]) -> Figure:
    """Return the real digits above their filled halves, as whole levels, a line at the seam."""
    shown = {"real": known} | dict(rows)
    figure, axes = figures.new(len(shown), 1, width=7, height=0.8 * len(shown))
    for (ax,), (name, images) in zip(axes, shown.items(), strict=True):
        figures.tiles(ax, from_levels(requantise(images, LEVELS).cpu(), LEVELS), columns=10, low=-1.0)
        ax.set_ylabel(name, rotation=0, ha="right", va="center", fontsize=9.5, color=INK)
        if name != "real":
            ax.axhline(7.5, color=BERRY, linewidth=0.8, linestyle="--")
    figures.title(axes[0][0], "The upper half is given; the lower is a short run's")
    return figure


def chain() -> Figure:
    """Return the diagram of the VAE with many levels: its decoder from noise to data, its encoder the noising."""
    figure, ((ax,),) = figures.new(width=9.5, height=1.9)
    names = ("noise\n$x_{t_0}$", "$x_{t_1}$", "…", "$x_{t_{i-1}}$", "$x_{t_i}$", "…", "$x_{t_T}$", "data\n$x$")
    colours = (MUTE, *[INK] * 6, BLUE)
    lefts = [1.35 * place for place in range(len(names))]
    for left, name, colour in zip(lefts, names, colours, strict=True):
        diagrams.boxes(ax, {name: (left, 0.9, 0.9, colour)}, height=0.7, size=11)
    gaps = [(left + 0.92, left + 1.33) for left in lefts[:-1]]
    diagrams.arrows(ax, [((left, 1.4), (right, 1.4)) for left, right in gaps], colour=ORANGE)
    diagrams.arrows(ax, [((right, 1.1), (left, 1.1)) for left, right in gaps], colour=TEAL)
    ax.text(4.5, 1.85, "decoder p: one level with less noise, by a guess of x", color=ORANGE, ha="left", fontsize=9.5)
    ax.text(4.5, 0.55, "encoder q: the noising, nothing to learn", color=TEAL, ha="left", va="top", fontsize=9.5)
    ax.set(xlim=(-0.2, 10.6), ylim=(0.1, 2.2))
    ax.set_axis_off()
    return figure
