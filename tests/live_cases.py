"""Every live explorer, with the states in which its module is compared with its reference in Python."""

import itertools
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from live_models import WORDS, attention, sampling

from course_lib.chapters.ch01_likelihood.explorer import DIRECTIONS, TARGETS, KLExplorer
from course_lib.chapters.ch06_vae_math.explorer import BoundExplorer
from course_lib.chapters.ch10_gan_dynamics.phase import PhaseExplorer
from course_lib.classroom.live import LiveExplorer
from course_lib.gan.dirac import METHODS, SLOPES

ALT = "An explorer that is made for a test, with a picture of its first state."


@dataclass(frozen=True)
class Case:
    """An explorer; what each field of its state may be, the ends included; changes that show who guessed right."""

    make: Callable[[], LiveExplorer]
    choices: dict[str, list[Any]]
    found: dict[str, Any]

    def states(self, most: int = 100) -> list[dict[str, Any]]:
        """Combinations of the choices: all, or so many by a fixed draw, the first and the last among them."""
        every = [dict(zip(self.choices, each, strict=True)) for each in itertools.product(*self.choices.values())]
        if len(every) <= most:
            return every
        return [every[0], *random.Random(0).sample(every[1:-1], most - 2), every[-1]]


CASES = {
    "attention_stages": Case(
        lambda: attention(ALT),
        {
            "text": [" ".join(WORDS), "her queen", "crown king", "the the king wore his his crown crow"],
            "layer": [0, 2],
            "head": [0, 2],
            "query": [0, 3, 7],
            "key": [0, 2, 7],
            "stage": [0, 2],
        },
        {"query": 0, "key": 0},
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
    ),
    "dirac_phase": Case(  # some rates of 1 and more make chaos, in which no two machines share a path
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
    ),
}
