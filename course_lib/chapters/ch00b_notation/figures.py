"""Pictures of chapter 00b: one mask in three writings, and a loss that stops falling."""

import torch
from jaxtyping import Float
from matplotlib.figure import Figure
from torch import Tensor

from course_lib.classroom.figures import BERRY, INK, MUTE, line, matrix, new, title, values


def three_masks() -> tuple[Figure, str]:
    """Return the causal mask of four tokens in three writings, and the weights that all three stand for."""
    allowed = torch.ones(4, 4).tril().bool()
    tokens = ["a", "b", "c", "d"]
    figure, (axes,) = new(1, 4, height=2.9)
    entries = (
        ("True = may attend", [["T" if each else "F" for each in row] for row in allowed.tolist()]),
        ("True = masked", [["F" if each else "T" for each in row] for row in allowed.tolist()]),
        ("added to the scores", [["0" if each else "−∞" for each in row] for row in allowed.tolist()]),
    )
    for ax, (name, written) in zip(axes, entries, strict=False):
        ax.imshow(values(allowed.float()), cmap="gray", vmin=-8, vmax=1)
        for r, row in enumerate(written):
            for c, text in enumerate(row):
                ax.text(c, r, text, ha="center", va="center", fontsize=10, color=INK)
        ax.set_xticks(range(4), tokens)
        ax.set_yticks(range(4), tokens)
        ax.xaxis.tick_top()
        ax.tick_params(length=0)
        ax.set_xlabel("who is asked", fontsize=9)
        title(ax, name)
    axes[0].set_ylabel("who asks")
    weights = allowed / allowed.sum(dim=-1, keepdim=True)
    matrix(axes[3], weights, tokens, tokens, mask=allowed)
    axes[3].set_aspect("equal")
    axes[3].set_xlabel("equal scores", fontsize=9)
    title(axes[3], "the same weights")
    alt = (
        "Four tables of 4 × 4 tokens. Three write the same mask: True below and on the diagonal, False there, and 0 "
        "there with minus infinity above. The fourth holds the weights of all three: 1, then halves, thirds, quarters."
    )
    return figure, alt


def stuck(curves: Float[Tensor, "seeds steps 2"]) -> tuple[Figure, str]:
    """Return loss and accuracy of several trainings, step by step."""
    figure, (axes,) = new(1, 2, height=3.0)
    steps = range(curves.shape[1])
    for curve in curves:
        line(axes[0], steps, curve[:, 0], BERRY)
        line(axes[1], steps, 100 * curve[:, 1], INK)
    axes[0].axhline(0, color=MUTE, linestyle="--", linewidth=1)
    axes[0].set(xlabel="step", ylabel="loss (nats)", ylim=(-0.1, 2.5))
    axes[1].set(xlabel="step", ylabel="classified rightly (%)", ylim=(0, 105))
    last = curves[:, -1].mean(dim=0)
    title(axes[0], f"The loss stays at {last[0]:.2f} nats …")
    title(axes[1], f"… with {100 * last[1]:.0f} of 100 right")
    alt = (
        f"Two panels, five trainings each, nearly the same: the loss falls from 2.30 and stays level at {last[0]:.2f}, "
        f"while the share of examples classified rightly rises to {100 * last[1]:.0f} of 100."
    )
    return figure, alt
