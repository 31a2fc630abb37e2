"""Pictures of chapter 06: the bound and what it misses, the two networks, gradients through a draw, learning."""

from collections.abc import Sequence

import torch
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch
from torch import Tensor
from torch.distributions import Normal

from course_lib.classroom import figures
from course_lib.classroom.diagrams import arrows, boxes
from course_lib.classroom.figures import BERRY, BLUE, INK, MUTE, ORANGE, TEAL, TEXT
from course_lib.vae.likelihoods import bernoulli_log_likelihood


def opening(weight: Sequence[float], bias: Sequence[float], x: Sequence[float]) -> tuple[Figure, str]:
    """Return prior and posterior of the tiny model's one latent, and the ELBO against the mean of q; and its text."""
    f64 = torch.float64
    z = torch.linspace(-8, 8, 2001, dtype=f64)[:, None]
    dz = 16 / 2000
    w, b, pixels = (torch.tensor(numbers, dtype=f64) for numbers in (weight, bias, x))
    prior = Normal(torch.zeros((), dtype=f64), 1.0).log_prob(z[:, 0])
    joint = bernoulli_log_likelihood(pixels.expand(2001, 3), z * w + b) + prior
    log_p = (joint.exp().sum() * dz).log()
    means = torch.linspace(-0.6, 2.8, 60, dtype=f64)
    log_q = Normal(means[:, None], 0.65).log_prob(z[:, 0])  # (60, 2001)
    bound = (log_q.exp() * (joint - log_q)).sum(1) * dz
    missed = float(log_p - bound.max())
    figure, ((left, right),) = figures.new(1, 2, height=3.5)
    figures.line(left, z[:, 0], prior.exp(), MUTE)
    figures.line(left, z[:, 0], (joint - log_p).exp(), TEAL)
    left.text(-2.9, 0.3, "prior p(z)", color=MUTE)
    left.text(1.75, 0.5, "posterior p(z|x)", color=TEXT[TEAL])
    left.set(xlim=(-3, 3.6), ylim=(0, 0.75), xlabel="latent z", ylabel="density")
    figures.title(left, "Seeing x = (1, 0, 1) moves belief about z")
    figures.line(right, means, bound, INK)
    figures.level(right, log_p, "ln p(x)")
    at = 15  # one of the means: the gap is a height, not an area
    ends = [(float(means[at]), float(level)) for level in (bound[at], log_p)]
    right.annotate("", ends[0], ends[1], arrowprops={"arrowstyle": "<->", "color": BERRY, "shrinkA": 0, "shrinkB": 0})
    right.text(ends[0][0] - 0.06, -1.72, "the gap is\nKL(q ‖ posterior)", color=BERRY, fontsize=9, va="top", ha="right")
    right.set(xlabel="mean of q (its σ is 0.65)", ylabel="lower bound (nats)", ylim=(-3.2, -1.2))
    figures.title(right, f"The best of these q misses {missed:.3f} nats")
    return figure, (
        "Left, a prior and the narrower posterior of one latent. Right, the lower bound against the mean of q: it "
        f"comes within {missed:.3f} nats of ln p(x) = {float(log_p):.2f}."
    )


def bound_explorer(x: float, noise: float) -> object:
    """Return the explorer of the bound where the posterior is known, or its words where there are no widgets."""
    alt = (
        "Explorer of the bound where the posterior is known: prior, posterior and a q to move; on an axis of nats down "
        "by the reconstruction and by the KL to the prior to the ELBO, and from there up by the gap to ln p(x)."
    )
    try:
        from course_lib.chapters.ch06_vae_math.explorer import BoundExplorer
    except ImportError:
        return alt
    return BoundExplorer(alt, x, noise)


def autoencoder() -> Figure:
    """Return the two networks of a VAE, the draw between them and the two terms of its loss."""
    figure, ((ax,),) = figures.new(width=9.5, height=3.2)
    placed = {
        "x\n(batch, pixels)": (0.0, 1.2, 1.5, BLUE),
        "encoder": (2.1, 1.2, 1.2, TEAL),
        "μ, ln σ²\n(batch, latent)": (3.9, 1.2, 1.5, TEAL),
        "z\n(batch, latent)": (6.0, 1.2, 1.5, TEAL),
        "decoder": (8.1, 1.2, 1.2, ORANGE),
        "parameters\nof p(x | z)": (9.9, 1.2, 1.6, ORANGE),
        "ε from N(0, 1)": (6.0, 2.4, 1.5, MUTE),
        "KL to the prior": (3.9, 0.0, 1.5, BERRY),
        "reconstruction, ln p(x | z)": (8.5, 0.0, 3.0, BERRY),
    }
    boxes(ax, placed)
    ways = [((1.55, 1.51), (2.05, 1.51)), ((3.35, 1.51), (3.85, 1.51)), ((5.45, 1.51), (5.95, 1.51)),
            ((7.55, 1.51), (8.05, 1.51)), ((9.35, 1.51), (9.85, 1.51)), ((6.75, 2.35), (6.75, 1.87)),
            ((4.65, 1.15), (4.65, 0.67)), ((10.7, 1.15), (10.7, 0.67))]  # fmt: skip
    arrows(ax, ways)
    ax.plot([0.75, 0.75, 10.0], [1.15, -0.35, -0.35], color=MUTE, linewidth=1.1)
    ax.add_patch(FancyArrowPatch((10.0, -0.37), (10.0, -0.01), arrowstyle="-|>", mutation_scale=11, color=MUTE))
    ax.text(0.9, -0.29, "x again", fontsize=9, color=MUTE, va="bottom")
    ax.set(xlim=(-0.1, 11.7), ylim=(-0.5, 3.1), xticks=(), yticks=())
    ax.spines[:].set_visible(False)
    return figure


def two_gradients(score: Tensor, path: Tensor, truth: float, sizes: Sequence[int], spread: Tensor) -> Figure:
    """Return histograms of both estimates, and variances (sizes, 3) against the number of latents.

    The third column of spread is the score function's with the mean of f subtracted.
    """
    figure, ((left, right),) = figures.new(1, 2, height=3.4)
    bins = torch.linspace(-1, 30, 125).numpy()
    left.hist(figures.values(score), bins, density=True, histtype="stepfilled", color="#F3DCEE")
    left.hist(figures.values(path), bins, density=True, histtype="step", color=TEAL, linewidth=1.8)
    left.axvline(truth, color=INK, linewidth=0.8)
    left.text(6.8, 0.2, "reparameterised", color=TEXT[TEAL])
    beyond = float((score > 30).double().mean())
    left.text(12, 0.02, f"score function\n({100 * beyond:.1f} % lie beyond 30)", color=BERRY)
    left.set(xlabel="gradient by μ from one draw", ylabel="density (log scale)", xlim=(-1, 30), yscale="log")
    figures.title(left, f"Same mean (the line, {truth:.2f}), another width")
    figures.line(right, sizes, spread[:, 0], BERRY, "score\nfunction", marker="s")
    figures.line(right, sizes, spread[:, 2], BERRY, "f − mean f", marker="^", dashed=True)
    figures.line(right, sizes, spread[:, 1], TEAL, "reparam.", marker="o")
    right.set(xscale="log", yscale="log", xlabel="latents", ylabel="variance of one draw", xlim=(0.8, 300))
    figures.title(right, f"100 latents: {float(spread[-1, 0] / spread[-1, 1]):,.0f} times the variance")
    return figure


def learned(curves: Tensor, with_two: Tensor, every: int, independent: float, floor: float) -> Figure:
    """Return KL(data ‖ model) in training, (seeds, times), by the ELBO and with β = 2, beside two levels."""
    figure, ((ax,),) = figures.new(width=7.5, height=3.6)
    steps = every * torch.arange(curves.shape[1]) + 1  # the last a little less than every steps later
    for curve in curves:
        figures.line(ax, steps, curve, ORANGE)
    for curve in with_two:
        figures.line(ax, steps, curve, BERRY, dashed=True)
    middle = len(steps) // 2
    ax.text(float(steps[middle]), float(curves[:, middle].max()) * 1.35, "the ELBO", color=TEXT[ORANGE])
    ax.text(float(steps[middle]), independent * 0.85, "β = 2", color=BERRY, va="top")
    figures.level(ax, independent, "best with independent pixels")
    figures.level(ax, floor, "the bound's own optimum")
    ax.set(xlabel="step", ylabel="KL(data ‖ model), nats", yscale="log", ylim=(5e-4, 0.6))
    return figure
