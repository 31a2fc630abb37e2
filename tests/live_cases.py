"""Every live explorer, with the states in which its module is compared with its reference in Python."""

import itertools
import math
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from live_models import WORDS, attention, chat, sampling

from course_lib.chapters.ch01_likelihood.explorer import DIRECTIONS, TARGETS, KLExplorer
from course_lib.chapters.ch06_vae_math.explorer import BoundExplorer
from course_lib.chapters.ch10_gan_dynamics.phase import PhaseExplorer
from course_lib.chapters.ch15_diffusion.explorer import PATHS, SAMPLERS, FlowExplorer
from course_lib.chapters.ch15_diffusion.explorer import TARGETS as FLOW_TARGETS
from course_lib.chapters.ch17b_preferences_and_rewards.explorer import REWARDS, TiltExplorer
from course_lib.classroom.live import LiveExplorer
from course_lib.gan.dirac import METHODS, SLOPES

Compute = Callable[..., dict[str, Any]]


ALT = "An explorer that is made for a test, with a picture of its first state."


@dataclass(frozen=True)
class Case:
    """An explorer; what each field of its state may be, the ends included; changes that show who guessed right.

    right: the text of the prediction's right option. holds: given ``compute``, of changes to the first state, whether
    each option is true. more: further states to compare.
    """

    make: Callable[[], LiveExplorer]
    choices: dict[str, list[Any]]
    found: dict[str, Any]
    right: str
    holds: Callable[[Compute], dict[str, bool]]
    more: tuple[dict[str, Any], ...] = ()

    def states(self, most: int = 100) -> list[dict[str, Any]]:
        """Combinations of the choices: all, or so many by a fixed draw, the first and the last among them; and more."""
        every = combinations(self.choices)
        if len(every) > most:
            every = [every[0], *random.Random(0).sample(every[1:-1], most - 2), every[-1]]
        return [*every, *self.more]


def combinations(choices: dict[str, list[Any]]) -> list[dict[str, Any]]:
    """Every combination of the fields' values."""
    return [dict(zip(choices, each, strict=True)) for each in itertools.product(*choices.values())]


def first_weight(at: Compute) -> dict[str, bool]:
    """What the first token gives to itself, in several texts and heads."""
    texts = (" ".join(WORDS), "her queen", "crown king")
    seen = [(text, at(text=text, head=h, query=0, key=0)["weights"][0][0]) for text in texts for h in (0, 1, 2)]
    return {
        "it depends on the text": len({round(weight, 9) for _, weight in seen}) > 1,
        "one share in as many as there are tokens": all(abs(w - 1 / len(t.split())) < 1e-9 for t, w in seen),
        "1": all(abs(weight - 1) < 1e-9 for _, weight in seen),
    }


def count_when_hot(at: Compute) -> dict[str, bool]:
    """How many characters top-p 0.95 leaves when it grows hotter, after several prompts."""
    prompts = ("the q", "the ", "To be\\n")
    counts = [[at(prompt=prompt, temperature=t)["left"] for t in (0.7, 2.0)] for prompt in prompts]
    return {
        "fewer": any(hot < cold for cold, hot in counts),
        "always as many: top-p knows no temperature": all(hot == cold for cold, hot in counts),
        "as many or more": all(hot >= cold for cold, hot in counts) and any(hot > cold for cold, hot in counts),
    }


def largest_bound(at: Compute) -> dict[str, bool]:
    """Which q has the largest ELBO: one that reconstructs best, the prior, or the posterior."""
    mean, width = at()["posterior"]
    elbos = [at(**q)["elbo"] for q in ({"mean": 1.6, "width": 0.1}, {"mean": 0.0, "width": 1.0})]
    other = at(mean=mean, width=width)["elbo"]
    names = ("the one with the best reconstruction", "the one that is the prior, with KL 0", "another, best at neither")
    return {name: elbo == max(*elbos, other) for name, elbo in zip(names, (*elbos, other), strict=True)}


def least_reverse(at: Compute) -> dict[str, bool]:
    """Where KL(q‖p) of all bells on a fine net is least: within a third of a bell's middle, or with both inside."""
    every = [
        (at(mean=m / 4, std=s)["reverse"], m / 4, s) for m in range(-12, 13) for s in (0.4, 0.6, 1.0, 1.5, 2.0, 2.5)
    ]
    _, mean, std = min(every)
    onto = min(abs(mean - middle) for middle in (-2.0, 2.0)) < 0.2 and std < 0.9
    return {"over both": not onto, "onto one": onto}


def brings_home(at: Compute) -> dict[str, bool]:
    """Whether one change takes the largest multiplier under 1."""
    return {
        "smaller rates": any(at(rate_g=h, rate_d=h)["largest"] < 1 - 1e-6 for h in (0.01, 0.05, 0.1)),
        "taking turns": at(method="alternating")["largest"] < 1 - 1e-6,
        "a penalty γ": at(gamma=1.0)["largest"] < 1 - 1e-6,
    }


def fast_states() -> Iterator[dict[str, Any]]:
    """States of the Dirac-GAN with rates of G up to 2 (its slider's end), and at |μ| = 1.

    With a logistic loss many steps at such rates make chaos, in which no two machines share a path: those are left
    out, the first few steps are in. The Wasserstein field is linear and has none.
    """
    fields = {"theta": [1.5], "psi": [0.0], "rate_g": [1.0, 2.0], "rate_d": [0.01, 2.0], "gamma": [0.0, 0.25]}
    for loss, steps in (("wasserstein", 200), ("minimax", 5), ("nonsaturating", 5)):
        yield from combinations({**fields, "steps": [steps], "method": list(METHODS), "loss": [loss]})
    for loss in SLOPES:  # the size of a multiplier is 1
        at = {"theta": [1.5], "psi": [0.0], "rate_g": [0.2], "rate_d": [0.2]}
        yield from combinations({**at, "gamma": [0.0], "steps": [200], "method": ["alternating"], "loss": [loss]})
        yield from combinations({**at, "gamma": [0.05], "steps": [200], "method": ["simultaneous"], "loss": [loss]})


def one_step(at: Compute) -> dict[str, bool]:
    """Where one step of Euler on the straight path ends, whatever the data."""
    found = [at(target=target, path="straight", sampler="euler", steps=1) for target in FLOW_TARGETS]
    return {
        "each in a cluster": any(each["near"] == 1 for each in found),
        "all at one point, the mean of the data": all(each["spread"] < 1e-9 for each in found),
        "they stay where they are": any(math.dist(way[0], way[-1]) < 1e-9 for each in found for way in each["places"]),
    }


RAISED = {f"r{i}": round(reward + 0.5, 1) for i, reward in enumerate(REWARDS)}


def raised_rewards(at: Compute) -> dict[str, bool]:
    """What becomes of the tilted model when all rewards are raised by as much, at several prices."""
    pairs = [(at(power=power)["q"], at(power=power, **RAISED)["q"]) for power in (-1.5, -0.3, 0.5)]
    return {
        "it moves further towards the best answer": all(after[4] > before[4] + 1e-9 for before, after in pairs),
        "it comes back towards p": all(after[4] < before[4] - 1e-9 for before, after in pairs),
        "it stays as it is": all(math.dist(before, after) < 1e-9 for before, after in pairs),
    }


def whole_answer(at: Compute) -> dict[str, bool]:
    """What an answer's probability is beside those of its tokens."""
    found = [at(turn=turn) for turn in (0, 1)]
    wholes = [(each["products"][-1], each["shares"]) for each in found]
    return {
        "about as probable as its tokens are on average": any(w > 0.8 * sum(s) / len(s) for w, s in wholes),
        "as probable as its least probable token": any(w >= min(s) for w, s in wholes),
        "less probable than its least probable token": all(w < min(s) for w, s in wholes),
    }


CASES = {
    "attention_stages": Case(
        lambda: attention(ALT),
        {
            "text": [" ".join(WORDS), "her queen", "crown king", "the the king wore his his crown crow"],
            "layer": [0, 2],
            "head": [0, 2],
            "query": [0, 3, 7],
            "key": [0, 2, 7],
            "stage": [0, 1, 2],
        },
        {"query": 0, "key": 0, "stage": 2},
        "1",
        first_weight,
    ),
    "sampling": Case(
        lambda: sampling(ALT),
        {
            "prompt": ["the q", "To be\\n"],
            "temperature": [0.0, 0.05, 0.7, 1.0, 2.0],
            "top_k": [1, 3, 65],
            "top_p": [0.05, 0.5, 0.95, 1.0],
            "seed": [0, 7, 20],
        },
        {"temperature": 2.0},
        "as many or more",
        count_when_hot,
    ),
    "known_posterior": Case(
        lambda: BoundExplorer(ALT),
        {
            "mean": [-2.0, 0.0, 0.37, 2.0],
            "width": [0.1, 0.514, 1.0, 1.5],
            "x": [-2.0, 0.0, 1.6],
            "noise": [0.5, 0.6, 1.5],
        },
        {"mean": 1.18, "width": 0.51},
        "another, best at neither",
        largest_bound,
    ),
    "kl_bells": Case(
        lambda: KLExplorer(ALT),
        {
            "target": list(TARGETS),
            "direction": list(DIRECTIONS),
            "mean": [-4.0, -0.4, 0.0, 1.35, 4.0],
            "std": [0.3, 0.6, 2.05, 4.0],
        },
        {"mean": -2.0, "std": 0.6},
        "onto one",
        least_reverse,
    ),
    "dirac_phase": Case(
        lambda: PhaseExplorer(ALT),
        {
            "theta": [-2.5, 0.0, 1.5, 2.5],
            "psi": [-2.5, -1.2, 0.0, 2.5],
            "rate_g": [0.01, 0.2, 0.5],
            "rate_d": [0.01, 0.3, 2.0],
            "gamma": [0.0, 0.25, 4.0],
            "steps": [1, 40, 200],
            "method": list(METHODS),
            "loss": list(SLOPES),
        },
        {"gamma": 1.0},
        "a penalty γ",
        brings_home,
        tuple(fast_states()),
    ),
    "flow": Case(
        lambda: FlowExplorer(ALT),
        {
            "target": list(FLOW_TARGETS),
            "path": list(PATHS),
            "sampler": list(SAMPLERS),
            "steps": [1, 2, 8, 37, 64],
            "t": [0.0, 0.29, 0.5, 1.0],
            "particle": [0, 17, 39],
            "field": [True, False],
        },
        {"steps": 1},
        "all at one point, the mean of the data",
        one_step,
    ),
    "tilted_answers": Case(
        lambda: TiltExplorer(ALT),
        {
            "power": [-2.0, -0.3, 0.0, 1.0],
            "n": [1, 4, 32],
            "r0": [-2.0, 0.0, 3.0],
            "r1": [-1.0, 0.0],
            "r2": [0.5, 3.0],
            "r3": [1.0],
            "r4": [-2.0, 2.0],
        },
        RAISED,
        "it stays as it is",
        raised_rewards,
    ),
    "chat_box": Case(
        lambda: chat(ALT),
        {
            "turn": [0, 1],
            "token": [*range(10), 11, 40],  # the last is none
            "stage": ["tuned"],
            "temperature": [0.0],
            "top_p": [1.0],
            "seed": [0],
            "memory": [False],
            "slow": [False],
        },
        {"token": 11},
        "less probable than its least probable token",
        whole_answer,
    ),
}
