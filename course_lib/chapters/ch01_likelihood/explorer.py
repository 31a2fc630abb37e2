"""The explorer of chapter 01: one bell q against one or two bells p, and what each direction of KL says of it."""

import math
from typing import Any

import torch
from matplotlib.figure import Figure
from scipy.optimize import minimize
from torch import Tensor
from torch.distributions import Normal

from course_lib.classroom.figures import BERRY, BLUE, INK, ORANGE, TEXT, new, title, values
from course_lib.classroom.live import LiveExplorer
from course_lib.information.divergences import gaussian_kl, jensen_shannon

TARGETS = {"two bells": [(0.6, -2.0, 0.6), (0.4, 2.0, 0.6)], "one bell": [(1.0, -0.5, 1.2)]}


WIDE, DRAWN, COARSE = (-40.0, 40.0, 3201), (-6.0, 6.0, 241), (-30.0, 30.0, 301)  # grids: low, high, points


SHADES, LEVELS = ["#FFFFFF", "#F3DCEE", "#E9B9DC", "#D080BB", "#B8489A", "#8D066D", "#4A0339"], [0.2, 0.5, 1, 2, 4, 8]


DIRECTIONS = {"forward": "KL(p‖q)", "reverse": "KL(q‖p)"}


def grid(low: float, high: float, n: int) -> Tensor:
    """Return n points from low to high, in float64."""
    return torch.linspace(low, high, n, dtype=torch.float64)


def log_mixture(x: Tensor, humps: list[Any]) -> Tensor:
    """Return ln p(x) (n,) for bells (share, mean, std) that are mixed."""
    shares, means, stds = torch.tensor(humps, dtype=torch.float64).T
    return (shares.log() + Normal(means, stds).log_prob(x[:, None])).logsumexp(-1)


def both_kl(x: Tensor, log_p: Tensor, mean: Tensor, std: Tensor) -> dict[str, Tensor]:
    """Return both directions of KL in nats by quadrature; mean and std have the same shape, and so has the result."""
    log_q = Normal(mean[..., None], std[..., None]).log_prob(x)  # (…, n)
    dx = x[1] - x[0]
    return {
        "forward": (log_p.exp() * (log_p - log_q)).sum(-1) * dx,
        "reverse": (log_q.exp() * (log_q - log_p)).sum(-1) * dx,
    }


def shares(log_density: Tensor, dx: Tensor) -> Tensor:
    """Return the probability of each point's surroundings; 0 where half of it could not be held in float64."""
    share = log_density.exp() * dx
    return share.where(share > 1e-300, 0)


def best(humps: list[Any]) -> dict[str, list[list[float]]]:
    """Return direction → [mean, std, nats] of the q in each valley's bottom, found downhill from each bell of p."""
    x = grid(*WIDE)
    log_p = log_mixture(x, humps)

    def valley(direction: str, begin: list[float]) -> list[float]:
        def cost(at: Any) -> tuple[float, Any]:
            knobs = torch.tensor(at, requires_grad=True)
            kl = both_kl(x, log_p, knobs[0], knobs[1].exp())[direction]
            return kl.item(), torch.autograd.grad(kl, knobs)[0].numpy()

        found = minimize(cost, begin, jac=True, tol=1e-12)
        return [round(value, 6) + 0.0 for value in (found.x[0], math.exp(found.x[1]), found.fun)]

    starts = [[mean, 0.0] for _, mean, _ in humps]
    return {"forward": [valley("forward", starts[0])], "reverse": [valley("reverse", begin) for begin in starts]}


class KLExplorer(LiveExplorer):
    """Move one bell q over p, one bell or two: both KL, Jensen–Shannon, the integrand, the map of a KL over all q."""

    module = "kl_bells.js"

    def __init__(self, alt: str, mean: float = 0.5, std: float = 1.5) -> None:
        data = {
            "targets": TARGETS,
            "best": {name: best(humps) for name, humps in TARGETS.items()},
            "wide": WIDE,
            "drawn": DRAWN,
            "map": {"mean": grid(-4, 4, 33).tolist(), "std": grid(0.3, 4, 25).tolist(), "grid": COARSE},
        }
        super().__init__(data, {"target": "two bells", "direction": "forward", "mean": mean, "std": std}, alt)

    @staticmethod
    def compute(data: dict[str, Any], state: dict[str, Any]) -> dict[str, Any]:
        """Return divergences in nats, densities and integrand on the drawn grid, the map (std, mean) of one KL."""
        humps, direction = data["targets"][state["target"]], state["direction"]
        mean, std = (torch.tensor(state[name], dtype=torch.float64) for name in ("mean", "std"))
        x, drawn, coarse = (grid(*limits) for limits in (data["wide"], data["drawn"], data["map"]["grid"]))
        q, log_p = Normal(mean, std), log_mixture(x, humps)
        dx = x[1] - x[0]
        at = [torch.tensor(data["map"][name], dtype=torch.float64) for name in ("std", "mean")]
        stds, means = torch.meshgrid(*at, indexing="ij")
        log_pq = log_mixture(drawn, humps), q.log_prob(drawn)
        first, second = log_pq if direction == "forward" else log_pq[::-1]
        found = {
            **both_kl(x, log_p, mean, std),
            "js": jensen_shannon(*(shares(log, dx) for log in (log_p, q.log_prob(x)))),
            "p": log_pq[0].exp(),
            "q": log_pq[1].exp(),
            "integrand": first.exp() * (first - second),
            "map": both_kl(coarse, log_mixture(coarse, humps), means, stds)[direction],
        }
        closed: dict[str, Any] = {"closed_forward": None, "closed_reverse": None}
        if len(humps) == 1:
            mean_p, std_p = torch.tensor(humps[0][1:], dtype=torch.float64)
            closed["closed_forward"] = gaussian_kl(mean_p, std_p, mean, std).item()
            closed["closed_reverse"] = gaussian_kl(mean, std, mean_p, std_p).item()
        return {name: value.tolist() for name, value in found.items()} | closed

    @staticmethod
    def figure(data: dict[str, Any], state: dict[str, Any]) -> Figure:
        """Return the densities with the integrand, and the map with q on it."""
        found, x = KLExplorer.compute(data, state), values(grid(*data["drawn"]))
        figure, ((left, right),) = new(1, 2, height=3.6)
        left.fill_between(x, 0, found["integrand"], color="#F3DCEE")
        left.plot(x, found["integrand"], color=BERRY, linewidth=1, linestyle=":")
        left.plot(x, found["p"], color=BLUE, linewidth=2)
        left.plot(x, found["q"], color=ORANGE, linewidth=2, linestyle="--")
        left.text(-5.7, 1.3, "— p, data", color=BLUE)
        left.text(-5.7, 1.15, "– – q, model", color=TEXT[ORANGE])
        left.set(xlim=(x[0], x[-1]), ylim=(-0.5, 1.5), xlabel="x", ylabel="density")
        title(left, f"KL(p‖q) = {found['forward']:.2f}, KL(q‖p) = {found['reverse']:.2f} nats")
        edges = data["map"]["mean"], data["map"]["std"]
        drawn = right.contourf(*edges, found["map"], levels=[0, *LEVELS, 1e9], colors=SHADES)
        edge = [INK] * 4 + ["white"] * 2
        right.clabel(right.contour(drawn, levels=LEVELS, colors=edge, linewidths=0.6), fmt="%g", fontsize=9)
        for mean, std, _ in data["best"][state["target"]][state["direction"]]:
            right.plot(mean, std, "+", color=INK, markersize=11)
        right.plot([state["mean"]], [state["std"]], "^", color=ORANGE, markersize=9, markeredgecolor="white")
        right.set(xlabel="mean of q", ylabel="width of q")
        title(right, f"{DIRECTIONS[state['direction']]}: + bottom of a valley, ▲ q")
        return figure
