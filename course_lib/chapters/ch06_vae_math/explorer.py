"""The explorer of chapter 06: the bound of a VAE whose posterior is known, and the two terms that it is made of."""

import math
from typing import Any

import torch
from matplotlib.figure import Figure
from torch import Tensor

from course_lib.classroom.figures import BERRY, INK, MUTE, ORANGE, TEAL, TEXT, new, title
from course_lib.classroom.live import LiveExplorer
from course_lib.information.divergences import gaussian_kl, kl_to_standard_normal
from course_lib.vae.likelihoods import gaussian_log_likelihood


class BoundExplorer(LiveExplorer):
    """Move q(z) = N(mean, width²) under p(z) = N(0, 1) and p(x|z) = N(z, noise²): the ELBO, its terms and ln p(x).

    x, noise: those of the first state.
    """

    module = "known_posterior.js"

    def __init__(self, alt: str, x: float = 1.6, noise: float = 0.6) -> None:
        data = {"mean": [-2.0, 2.0], "width": [0.1, 1.5], "noise": [0.5, 1.5]}  # from where to where each may go
        super().__init__(data, {"mean": 0.5, "width": 0.8, "x": x, "noise": noise}, alt)

    @staticmethod
    def compute(data: dict[str, Any], state: dict[str, Any]) -> dict[str, Any]:
        """Return in nats ``log_p`` = ln p(x), ``recon`` = E_q[ln p(x|z)], ``kl`` of q to the prior, ``elbo``, ``gap``.

        gap is KL(q ‖ posterior); ``posterior`` its mean and width: the precision of p(z|x) is 1 + 1/noise², its mean
        x/noise² over that.
        """
        mean, width, x, noise = (number(state[name]) for name in ("mean", "width", "x", "noise"))
        precision = 1 + noise**-2
        posterior = x * noise**-2 / precision, precision**-0.5
        log_noise = 2 * noise.log()
        # E_q[(x − z)²] is (x − mean)² + width²
        recon = gaussian_log_likelihood(x[None], mean[None], log_noise[None]) - width**2 / (2 * noise**2)
        kl = kl_to_standard_normal(mean[None], 2 * width.log()[None])
        found = {
            "log_p": gaussian_log_likelihood(x[None], 0 * x[None], (1 + noise**2).log()[None]),
            "recon": recon,
            "kl": kl,
            "elbo": recon - kl,
            "gap": gaussian_kl(mean, width, *posterior),
        }
        numbers = {name: value.item() for name, value in found.items()}
        return {**numbers, "posterior": [each.item() for each in posterior]}

    @staticmethod
    def figure(data: dict[str, Any], state: dict[str, Any]) -> Figure:
        """Return prior, posterior and q, and the nats from 0 down to the ELBO and up to ln p(x)."""
        found = BoundExplorer.compute(data, state)
        figure, ((left, right),) = new(1, 2, height=3.6)
        z = torch.linspace(-4, 4, 401, dtype=torch.float64)
        bells = [((state["mean"], state["width"]), TEAL, "-", "q"), ((0.0, 1.0), MUTE, "--", "prior"),
                 (found["posterior"], INK, ":", "posterior")]  # fmt: skip
        for i, ((mean, width), colour, style, name) in enumerate(bells):
            left.plot(z, bell(z, mean, width), color=colour, linestyle=style, linewidth=2)
            left.text(-3.8, 1.5 - 0.13 * i, f"{LINES[style]} {name}", color=TEXT[colour])
        left.set(xlim=(-4, 4), ylim=(0, 1.6), xlabel="latent z", ylabel="density")
        title(left, f"Seen: x = {state['x']:.1f}, noise {state['noise']:.1f}".replace("-", "−"))
        recon, elbo, log_p = found["recon"], found["elbo"], found["log_p"]
        bars = [(2, recon, 0.0, ORANGE, f"reconstruction {recon:.2f}"),
                (1, elbo, recon, MUTE, f"− KL(q ‖ prior) {found['kl']:.2f}"),
                (0, elbo, log_p, BERRY, f"KL(q ‖ posterior) {missing(found['gap'])}")]  # fmt: skip
        for y, start, end, colour, text in bars:
            right.barh(y, end - start, left=start, height=0.4, facecolor="white", edgecolor=colour, linewidth=1.8)
            right.text(-7.9, y + 0.3, text.replace(" -", " −"), color=TEXT[colour])
        for at, name in ((elbo, "ELBO"), (log_p, "ln p(x)")):
            right.axvline(at, color=INK, linewidth=1)
            right.text(at, -0.55, name, fontsize=9, ha="right" if at == elbo else "left")
        right.set(xlim=(-8, 0), ylim=(-0.6, 2.6), yticks=(), xlabel="nats")
        title(right, f"ELBO {elbo:.2f}, ln p(x) {log_p:.2f}: {missing(found['gap'])} are missing".replace("-", "−"))
        return figure


LINES = {"--": "– –", ":": "···", "-": "—"}


def missing(gap: float) -> str:
    """Return a gap with two decimals, a small one with two digits, and 0 where it is rounding alone."""
    return "0" if gap < 1e-12 else f"{gap:.2g}" if gap < 0.1 else f"{gap:.2f}"


def number(value: float) -> Tensor:
    """Return a number as a tensor of float64."""
    return torch.tensor(value, dtype=torch.float64)


def bell(z: Tensor, mean: float, width: float) -> Tensor:
    """Return the density of N(mean, width²) at each z."""
    return (-0.5 * ((z - mean) / width) ** 2).exp() / (width * math.sqrt(2 * math.pi))
