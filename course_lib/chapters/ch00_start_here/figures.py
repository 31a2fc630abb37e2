"""Pictures of chapter 00: data, samples and density of a model of the plane, and what its trainings show."""

from collections.abc import Callable, Sequence

import torch
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Circle
from torch import Tensor

from course_lib.chapters.ch00_start_here.descent import fit_mixture
from course_lib.chapters.ch00_start_here.mixture import mixture_log_density, mixture_sample
from course_lib.classroom.figures import (
    BERRY,
    INK,
    MUTE,
    ORANGE,
    PALE,
    WEIGHTS,
    Numbers,
    level,
    line,
    new,
    plane,
    points,
    title,
    values,
)
from course_lib.datasets.plane import fireflies, standardise


def log_density(ax: Axes, density: Callable[[Tensor], Tensor], limit: float = 2.3) -> None:
    """Draw a log density (n, 2) -> (n,) as a heat map from −7 (white) to 0 nats, with a contour at −3."""
    ticks = torch.linspace(-limit, limit, 120, dtype=torch.float64)
    grid = torch.cartesian_prod(ticks, ticks)  # x₁ runs slowly
    nats = values(density(grid)).reshape(120, 120).T
    shades = ax.imshow(nats, cmap=WEIGHTS, vmin=-7, vmax=0, origin="lower", extent=(-limit, limit) * 2)
    ax.contour(values(ticks), values(ticks), nats, levels=[-3], colors=INK, linewidths=0.8)
    ax.figure.colorbar(shades, ax=ax, shrink=0.8, label="log density (nats); contour: −3", ticks=(-6, -3, 0))
    plane(ax, limit)


def three_views(data: Numbers, samples: Numbers, density: Callable[[Tensor], Tensor], titles: Sequence[str]) -> Figure:
    """Return the three pictures that a generative model of the plane is judged by: data, samples, log density."""
    figure, (axes,) = new(1, 3, height=3.1)
    points(axes[0], data)
    points(axes[1], samples, ORANGE)
    log_density(axes[2], density)
    for ax, text in zip(axes, titles, strict=True):
        title(ax, text)
    return figure


def opening() -> tuple[Figure, str]:
    """Return the course's first picture and its alternative text: a model is fitted, in about a second."""
    data = standardise(fireflies(400))
    (logits, mu, log_std), _ = fit_mixture(data, n_components=16, steps=400)
    samples = mixture_sample(400, logits, mu, log_std, torch.Generator().manual_seed(0))
    titles = ("● 400 points, given", "▲ 400 points, made up", "what the model believes")
    alt = (
        "Three pictures of a spiral: 400 given points, 400 points that a small model made up, and the model's log "
        "density, high along the spiral and low elsewhere."
    )
    return three_views(data, samples, lambda x: mixture_log_density(x, logits, mu, log_std), titles), alt


def bell_beside_data(data: Numbers, bell: Numbers, off: Tensor) -> tuple[Figure, str]:
    """Return the data beside points of one Gaussian; off: the share of the latter off the track."""
    figure, (axes,) = new(1, 2, width=7.5, height=3.5)
    points(axes[0], data)
    points(axes[1], bell, ORANGE)
    title(axes[0], "● The data keep to a track")
    title(axes[1], f"▲ {100 * off:.0f} in 100 of one bell's do not")
    alt = (
        "Two scatter plots: the data follow a spiral; points drawn from one Gaussian with the same mean and spread "
        "fill a round cloud, about half of them off the spiral."
    )
    return figure, alt


def how_a_mixture_draws() -> tuple[Figure, str]:
    """Return the diagram of a mixture of three bells: shares, a draw in two steps, the density along a line."""
    shares, centres, widths = (0.5, 0.3, 0.2), ((-1.0, -0.6), (0.9, 0.8), (0.2, 0.0)), (0.55, 0.4, 0.3)
    shades = (PALE, ORANGE, "#C4C4C4")
    figure, (axes,) = new(1, 3, height=3.2)
    bars = axes[0].bar(range(3), shares, color=shades, edgecolor=INK)
    axes[0].bar_label(bars, labels=[f"$w_{k + 1}$ = {w}" for k, w in enumerate(shares)], fontsize=9)
    axes[0].set_xticks(range(3), [f"$k$ = {k + 1}" for k in range(3)])
    axes[0].set(ylim=(0, 0.62), ylabel="share")
    title(axes[0], "1. Choose a component: 2")
    for k, (centre, width) in enumerate(zip(centres, widths, strict=True)):
        for times, style in ((1, "-"), (2, ":")):
            colour = ORANGE if k == 1 else MUTE
            axes[1].add_patch(Circle(centre, times * width, fill=False, linestyle=style, edgecolor=colour))
        axes[1].annotate(f"$\\mu_{k + 1}$", centre, xytext=(3, -12), textcoords="offset points", fontsize=10)
        axes[1].plot(*centre, "+", color=INK)
    axes[1].plot((-2.3, 2.3), (-1.61, 1.61), color=MUTE, linestyle="--", linewidth=0.8)
    axes[1].annotate("", (0.58, 1.15), centres[1], arrowprops={"arrowstyle": "->", "color": INK})
    axes[1].plot(0.58, 1.15, "^", color=ORANGE, markersize=8)
    plane(axes[1])
    title(axes[1], "2. Draw around its centre")
    mu, std = (torch.tensor(each, dtype=torch.float64) for each in (centres, widths))
    along = torch.linspace(-2.3, 2.3, 200, dtype=torch.float64)
    path, one = torch.stack([along, 0.7 * along], dim=-1), torch.zeros(1, dtype=torch.float64)
    below = torch.zeros_like(along)
    for k, shade in enumerate(shades):
        part = shares[k] * mixture_log_density(path, one, mu[k : k + 1], std[k : k + 1].log()).exp()
        axes[2].fill_between(values(along), values(below), values(below + part), facecolor=shade, edgecolor=INK)
        below, at = below + part, int(part.argmax())
        name = f"$w_{k + 1}\\mathcal{{N}}_{k + 1}$"
        axes[2].text(values(along[at]), values(below[at]) + 0.01, name, ha="center", fontsize=9)
    axes[2].set(xlabel="$x_1$ on the dashed line", ylabel="density", ylim=(0, 0.47))
    title(axes[2], "Score: the three parts, stacked")
    alt = (
        "Diagram of a mixture of three bells. Left: bars with the shares 0.5, 0.3 and 0.2, the second one chosen. "
        "Middle: three centres with rings of one and two widths, and an arrow from the second centre to the point "
        "drawn. Right: along a line the density is the sum of three weighted bells."
    )
    return figure, alt


def three_rates(paths: dict[float, Tensor]) -> tuple[Figure, str]:
    """Return eight steps of gradient descent on (3w − 6)² for three rates; paths: rate → w − 2."""
    figure, (axes,) = new(1, 3, height=2.9)
    bowl = torch.linspace(-4, 8, 200, dtype=torch.float64)
    for ax, (rate, path), found in zip(axes, paths.items(), ("creeps", "swings in", "flies off"), strict=True):
        line(ax, bowl, (3 * bowl - 6) ** 2, INK)
        ax.plot(values(path + 2), values(9 * path**2), color=BERRY, marker="o", markersize=4)
        title(ax, f"η = {rate}: {found}")
        ax.set(xlabel="w", xlim=(-4, 8), ylim=(-15, 260))
    axes[0].set_ylabel("f(w) = (3w − 6)²")
    alt = (
        "Eight steps of gradient descent on a parabola: rate 0.02 creeps towards the minimum from one side, 0.1 "
        "swings from side to side into it, 0.12 climbs out."
    )
    return figure, alt


def centres_on_their_way(
    data: Numbers, snapshots: dict[int, Sequence[Tensor]], losses: dict[int, Tensor], drawn: Tensor
) -> tuple[Figure, str]:
    """Return data and centres after some numbers of steps, each with its loss above, and points that were drawn."""
    figure, (axes,) = new(1, len(snapshots) + 1, height=2.9)
    for ax, (step, (logits, mu, _)) in zip(axes, snapshots.items(), strict=False):
        points(ax, data, s=3, alpha=0.5)
        shares = values(3000 * logits.softmax(0))
        ax.scatter(*values(mu).T, s=shares, facecolors="none", edgecolors=ORANGE)
        ax.scatter(*values(mu).T, s=12, marker="^", color=ORANGE)
        title(ax, f"{step} steps: {losses[step]:.2f}")
    points(axes[-1], drawn, ORANGE, s=6)
    title(axes[-1], f"▲ {len(drawn)} made up")
    for ax in axes[1:]:
        ax.set_ylabel("")
    alt = (
        "Data (dots) and the 16 centres (triangles, rings as large as their shares) after "
        f"{', '.join(map(str, losses))} steps: from chance places they spread out along the spiral; "
        "last, points drawn from the model, a spiral too."
    )
    return figure, alt


def excess_by_size(sizes: Sequence[int], grid: Float[Tensor, "sizes seeds 2"]) -> tuple[Figure, str]:
    """Return training and held-out loss less the truth's by number of components: each seed thin, the mean thick."""
    figure, ((ax,),) = new(height=3.5)
    for i, (colour, name) in enumerate(((ORANGE, "training"), (BERRY, "held-out"))):
        for seed in range(grid.shape[1]):
            ax.plot(sizes, values(grid[:, seed, i]), color=colour, linewidth=0.6, linestyle="--" if i else "-")
        line(ax, sizes, grid[:, :, i].mean(dim=1), colour, name, dashed=bool(i), marker="D" if i else "o")
    level(ax, 0, "")
    ax.text(1, 0.03, "the truth itself", color=MUTE, fontsize=9)
    ax.set(xscale="log", xlabel="components K", ylabel="loss less the truth's (nats)", xlim=(0.9, 95))
    ax.set_xticks(sizes, map(str, sizes))
    ax.minorticks_off()
    mean = grid.mean(dim=1)
    less, more = (f"{mean[-1, i] - mean[2, i]:+.2f}".replace("-", "−") for i in (0, 1))
    title(ax, f"From 16 to 64 components: training {less} nats, held-out {more}")
    alt = (
        "Loss less the truth's against the number of components, five seeds and their mean: training falls to "
        f"{-mean[-1, 0]:.2f} nats below the truth at 64, held-out stays near {mean[2, 1]:.2f} above it from 16 on."
    )
    return figure, alt


def no_floor(tens: Sequence[int], training: Tensor, held_out: Tensor) -> tuple[Figure, str]:
    """Return training and held-out loss against the width 10^−tens of a bell whose centre is a training point."""
    figure, ((ax,),) = new(height=3.1)
    line(ax, tens, training, ORANGE, "training")
    line(ax, tens, held_out, BERRY, "held-out", dashed=True)
    ax.set(xlabel="width of the bell on one of 400 points", ylabel="loss (nats)", ylim=(2, 3.7), xlim=(0, 133))
    ax.set_xticks(range(20, 121, 20), [f"$10^{{-{k}}}$" for k in range(20, 121, 20)])
    title(ax, "Each tenfold narrower bell lowers the training loss by ln(100)/400 = 0.0115 nats")
    alt = (
        f"Loss against the width of one bell on a training point, 10 to the −5 to 10 to the −120: training falls in a "
        f"straight line to {training[-1]:.2f} nats, held-out stays at {held_out[-1]:.2f}."
    )
    return figure, alt


def three_faults(honest: Tensor, faulty: dict[str, Tensor]) -> tuple[Figure, str]:
    """Return the loss curves (seeds, steps, 2) of trainings with a fault each, beside the mean of those without."""
    figure, (axes,) = new(1, len(faulty), height=3.0)
    for ax, (letter, curves) in zip(axes, faulty.items(), strict=True):
        steps = range(curves.shape[1])
        line(ax, steps, honest[:, :, 1].mean(dim=0), MUTE)
        for curve, strength in zip(curves, (1.0, *(len(curves) - 1) * (0.25,)), strict=True):
            ax.plot(steps, values(curve[:, 0]), color=ORANGE, linewidth=0.9, alpha=strength)
            ax.plot(steps, values(curve[:, 1]), color=BERRY, linewidth=0.9, linestyle="--", alpha=strength)
        ax.set(xlabel="step", ylim=(0.5, 4))
        title(ax, f"fault {letter}")
    axes[0].set_ylabel("loss (nats)")
    axes[0].text(
        0, 0.6, "— training   – – held-out\none seed strong, four pale\ngrey: held-out, no fault, mean", fontsize=8
    )
    alt = (
        "Three panels of loss curves, a, b and c, each with one fault to name: five trainings, solid, and their "
        "held-out losses, dashed, one of the five strong and four pale, beside the mean held-out loss without a fault."
    )
    return figure, alt
