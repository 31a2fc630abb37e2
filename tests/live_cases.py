"""Every live explorer, with the states in which its module is compared with its reference in Python."""

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from course_lib.chapters.ch01_likelihood.explorer import DIRECTIONS, TARGETS, KLExplorer
from course_lib.classroom.live import LiveExplorer

ALT = "An explorer that is made for a test, with a picture of its first state."


@dataclass(frozen=True)
class Case:
    """An explorer, and what its states may be: each field with its corners and something between."""

    make: Callable[[], LiveExplorer]
    choices: dict[str, list[Any]]

    def states(self) -> list[dict[str, Any]]:
        """Every combination of the choices."""
        return [dict(zip(self.choices, each, strict=True)) for each in itertools.product(*self.choices.values())]


CASES = {
    "kl_bells": Case(
        lambda: KLExplorer(ALT),
        {
            "target": list(TARGETS),
            "direction": list(DIRECTIONS),
            "mean": [-4.0, -0.4, 0.0, 1.35, 4.0],
            "std": [0.3, 0.6, 2.05, 4.0],
        },
    ),
}
