"""Pictures of chapter 00: data, samples and density of a model of the plane."""

from collections.abc import Callable, Sequence

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from course_lib.chapters.ch00_start_here.descent import fit_mixture
from course_lib.chapters.ch00_start_here.mixture import mixture_log_density, mixture_sample
from course_lib.classroom.figures import INK, ORANGE, WEIGHTS, Numbers, new, plane, points, title, values
from course_lib.datasets.plane import fireflies, standardise


def log_density(ax: Axes, density: Callable[[Tensor], Tensor], limit: float = 2.3) -> None:
    """Draw a log density (n, 2) -> (n,) as a heat map from −7 (white) to 0 nats, with a contour at −3."""
    ticks = torch.linspace(-limit, limit, 120, dtype=torch.float64)
    grid = torch.cartesian_prod(ticks, ticks)  # x₁ runs slowly
    nats = values(density(grid)).reshape(120, 120).T
    shades = ax.imshow(nats, cmap=WEIGHTS, vmin=-7, vmax=0, origin="lower", extent=(-limit, limit) * 2)
    ax.contour(values(ticks), values(ticks), nats, levels=[-3], colors=INK, linewidths=0.8)
    ax.figure.colorbar(shades, ax=ax, shrink=0.8, label="log density (nats)", ticks=(-6, -3, 0))
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
