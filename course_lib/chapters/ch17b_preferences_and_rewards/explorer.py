"""The explorer of chapter 17b: five answers, what they are worth, and the model that is best for a price of moving."""

from typing import Any

import torch
from jaxtyping import Float
from matplotlib.figure import Figure
from torch import Tensor

from course_lib.chat.preferences import tilted
from course_lib.classroom import figures
from course_lib.classroom.figures import INK, MUTE, ORANGE, TEAL, TEXT
from course_lib.classroom.live import LiveExplorer

ANSWERS = "ABCDE"
REFERENCE, REWARDS = (0.40, 0.30, 0.15, 0.11, 0.04), (0.0, -1.0, 0.5, 1.0, 2.0)
POWERS = [round(-2 + i / 20, 2) for i in range(61)]  # of ten, the prices on the line: 0.01 to 10
MOST_KL, LOWEST, HIGHEST = 3.4, -2.2, 3.2


def best_of(reference: Float[Tensor, "answers"], rewards: Float[Tensor, "answers"], n: int) -> Float[Tensor, "answers"]:
    """Return how likely each answer is the best of n draws; of equal ones the one that was drawn first is taken."""
    equal, less = (compare(rewards[None, :], rewards[:, None]).double() for compare in (torch.eq, torch.lt))
    as_good, below = equal @ reference, less @ reference
    return reference / as_good * ((as_good + below) ** n - below**n)


def moved(policy: Tensor, reference: Tensor) -> Tensor:
    """Return KL(policy ‖ reference) over the last axis, in nats, with 0 log 0 = 0."""
    return (torch.special.xlogy(policy, policy) - torch.special.xlogy(policy, reference)).sum(-1)


class TiltExplorer(LiveExplorer):
    """Set the price of moving and what each answer is worth: the best model, best of n, and how much either gains."""

    module = "tilted_answers.js"

    def __init__(self, alt: str) -> None:
        data = {"p": REFERENCE, "powers": POWERS, "kl": MOST_KL, "rewards": (LOWEST, HIGHEST)}
        worth = {f"r{i}": reward for i, reward in enumerate(REWARDS)}
        super().__init__(data, {"power": -0.3, "n": 4, **worth}, alt)

    @staticmethod
    def compute(data: dict[str, Any], state: dict[str, Any]) -> dict[str, Any]:
        """Return q*, best of n, for each its reward and its KL in nats, β, the value β log Z, and q* at all prices.

        line: [KL, reward] of q* for each power of ten in data.
        """
        p, r = (torch.tensor(each, dtype=torch.float64) for each in (data["p"], [state[f"r{i}"] for i in range(5)]))
        beta, chosen = 10.0 ** state["power"], best_of(p, r, state["n"])
        q = tilted(p, r, beta)
        line = torch.stack([tilted(p, r, 10.0**power) for power in data["powers"]])  # (prices, answers)
        return {
            "beta": beta,
            "q": q.tolist(),
            "best": chosen.tolist(),
            "reward": {"p": (p @ r).item(), "q": (q @ r).item(), "best": (chosen @ r).item()},
            "moved": {"p": 0.0, "q": moved(q, p).item(), "best": moved(chosen, p).item()},
            "value": (beta * torch.logsumexp(p.log() + r / beta, -1)).item(),
            "line": torch.stack([moved(line, p), line @ r], -1).tolist(),
        }

    @staticmethod
    def figure(data: dict[str, Any], state: dict[str, Any]) -> Figure:
        """Return the probabilities of the five answers, and reward against KL."""
        found = TiltExplorer.compute(data, state)
        figure, ((left, right),) = figures.new(1, 2, height=3.5)
        bars = (("p, before", data["p"], MUTE, "//"), ("q*, tilted", found["q"], ORANGE, ""),
                (f"best of {state['n']}", found["best"], TEAL, ".."))  # fmt: skip
        for i, (name, heights, colour, hatch) in enumerate(bars):
            places = [place + 0.27 * (i - 1) for place in range(5)]
            face = "white" if colour == MUTE else colour
            left.bar(places, heights, 0.24, facecolor=face, edgecolor="white" if hatch == ".." else colour, hatch=hatch)
            left.text(0.02 + 0.3 * i, 0.94, name, color=TEXT[colour], fontsize=9.5, transform=left.transAxes)
        left.set_xticks(range(5), [f"{name}\n{state[f'r{i}']:g}" for i, name in enumerate(ANSWERS)])
        left.set(ylim=(0, 1.12), xlabel="answer, and its reward", ylabel="probability")
        top = max(range(5), key=found["q"].__getitem__)
        change = f"{data['p'][top]:.2f} to {found['q'][top]:.2f}"
        figures.title(left, f"β = {found['beta']:.2g}: {ANSWERS[top]} goes from {change}")
        right.plot(*zip(*found["line"], strict=True), color=INK, linewidth=1.5)
        for name, colour, marker in (("p", MUTE, "o"), ("q", ORANGE, "^"), ("best", TEAL, "s")):
            right.plot(found["moved"][name], found["reward"][name], marker, color=colour, markersize=8)
        right.set(xlim=(-0.1, data["kl"]), ylim=data["rewards"], xlabel="KL from p (nats)", ylabel="mean reward")
        figures.title(right, "Line: q* at every β   ▲ this β   ■ best of n")
        return figure
