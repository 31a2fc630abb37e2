"""What a training consists of: everything that ``fit`` is called with, and how good the result is."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from course_lib.training.fit import Draw, Step
from course_lib.training.trained import Trained


@dataclass(frozen=True)
class Plan:
    """A chapter's recipe, ready to run.

    steps: of the whole run, which the schedule spans; quick: how many of them the quick budget takes;
    unit: what a batch holds, and how many; measure: returns the figures of the model as it is now, by name.
    batch: its rows, which processes share; take: returns some rows of a batch; differs: what several processes do
    otherwise than one, in a sentence.
    """

    what: str
    trained: Trained
    step: Step[Any]
    draw: Draw[Any]
    steps: int
    quick: int
    measure: Callable[[], Mapping[str, float]]
    batch: int
    take: Callable[[Any, slice], Any]
    schedule: Callable[[float], float] | None = None
    every: int = 50
    unit: tuple[str, int] = ("batch", 1)
    differs: str = ""

    def until(self, budget: str) -> int:
        """Return the steps that a budget takes."""
        return self.quick if budget == "quick" else self.steps
