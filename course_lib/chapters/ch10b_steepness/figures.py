"""Pictures of chapter 10b: the best discriminator between thin clouds, and three critics on one task."""

from collections.abc import Callable, Mapping

import torch
from matplotlib.figure import Figure
from torch import Tensor

from course_lib.classroom import figures
from course_lib.classroom.figures import BERRY, BLUE, INK, MUTE, ORANGE, TEAL, TEXT

LOOKS = {"clip": (ORANGE, "-."), "penalty": (BERRY, "-"), "spectral": (TEAL, "-")}


def thin_clouds(apart: float = 2.0) -> Figure:
    """Return densities of fakes and data and the best discriminator's belief, for three widths of the clouds."""
    figure, (axes,) = figures.new(1, 3, height=3.2)
    x = torch.linspace(-3, 5, 801, dtype=torch.float64)
    for ax, std, text in zip(
        axes, (1.0, 0.5, 0.25), ("Spread 1: a slope", "Spread ½", "Spread ¼: an edge"), strict=True
    ):
        q, p = torch.distributions.Normal(0.0, std), torch.distributions.Normal(apart, std)
        top = q.log_prob(torch.zeros(())).exp()  # each cloud drawn with height 1
        for density, colour, dashed in ((q, ORANGE, True), (p, BLUE, False)):
            figures.line(ax, x, density.log_prob(x).exp() / top, colour, dashed=dashed)
        figures.line(ax, x, (p.log_prob(x) - q.log_prob(x)).sigmoid(), BERRY)
        ax.set(xlim=(-3, 5), ylim=(0, 1.16), xlabel="x")
        figures.title(ax, text)
    axes[0].set_ylabel("belief D(x); clouds not to scale")
    axes[0].text(-2.7, 0.72, "fakes", color=TEXT[ORANGE])
    axes[0].text(3.2, 0.6, "data", color=BLUE)
    axes[0].text(3.2, 1.03, "D", color=BERRY)
    return figure


def three_critics(
    critics: Mapping[str, Callable[[Tensor], Tensor]], slopes: Mapping[str, Tensor], device: torch.device
) -> Figure:
    """Return one critic of each kind along the line between the clouds, and a histogram of its slopes."""
    figure, ((left, right),) = figures.new(1, 2, height=3.4)
    x = torch.linspace(-1, 3, 100, dtype=torch.float64)
    along = torch.stack([x, torch.zeros_like(x)], 1).to(device)
    places = {"clip": (2.6, 0.45, 0.12, 1500), "penalty": (3.05, 3.1, 1.12, 700), "spectral": (3.05, 2.65, 0.5, 3700)}
    for kind, D in critics.items():
        colour, style = LOOKS[kind]
        with torch.no_grad():
            values = (D(along) - D(torch.zeros_like(along[:1]))).cpu()
        left.plot(*figures.values([x, values]), color=colour, linestyle=style, linewidth=1.8)
        right.hist(
            slopes[kind].numpy(), 40, range=(0, 2), histtype="step", color=colour, linestyle=style, linewidth=1.4
        )
        a, b, c, d = places[kind]
        left.text(a, b, kind, color=TEXT[colour])
        right.text(c, d, kind, color=TEXT[colour])
    left.plot(*figures.values([x, x]), color=INK, linestyle=(0, (1, 3)), linewidth=1.6)  # over the others
    left.set(xlim=(-1, 4), xlabel="$x_1$, at $x_2 = 0$ (··· the best critic)", ylabel="D(x) − D(0)")
    left.set_ylim(-1.2, 3.7)
    figures.title(left, "Fakes at 0, data at 2: c = 0.05 is too flat")
    right.axvline(1, color=MUTE, linestyle="--", linewidth=1.2)
    right.set(xlabel="slope ‖∇D‖ between fake and real", ylabel="points of 4,000", ylim=(0, 4300))
    figures.title(right, "Normalised: 1 at nearly all points")
    return figure
