"""What a training run writes down: the means of each interval of steps, and each evaluation."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple


@dataclass(frozen=True)
class Interval:
    """The end of some steps: how many are done, the seconds of training so far, and values by name."""

    step: int
    seconds: float
    values: Mapping[str, float]


class Curve(NamedTuple):
    """One name's values, and the steps at which they stand."""

    steps: list[int]
    values: list[float]


@dataclass
class History:
    """What a training run wrote down.

    intervals: one entry each, its values the means over its steps; looks: one entry each call of ``evaluate``;
    interrupted: whether the run was stopped before its last step.
    """

    intervals: list[Interval] = field(default_factory=list)
    looks: list[Interval] = field(default_factory=list)
    interrupted: bool = False

    @property
    def step(self) -> int:
        """Steps done."""
        return self.intervals[-1].step if self.intervals else 0

    @property
    def seconds(self) -> float:
        """Seconds of training alone."""
        return self.intervals[-1].seconds if self.intervals else 0.0

    def curve(self, name: str) -> Curve:
        """Return the means over the intervals of a value that the step returned; LookupError for no such name."""
        return _curve(self.intervals, name)

    def evaluation(self, name: str) -> Curve:
        """Return what the evaluations gave for a name; LookupError for no such name."""
        return _curve(self.looks, name)

    def to_json(self) -> dict[str, Any]:
        """Return everything as lists, numbers and texts."""
        rows = {name: [[i.step, i.seconds, dict(i.values)] for i in getattr(self, name)] for name in ROWS}
        return {**rows, "interrupted": self.interrupted}

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> "History":
        """Undo ``to_json``."""
        rows = {name: [Interval(*row) for row in content[name]] for name in ROWS}
        return cls(**rows, interrupted=content["interrupted"])


ROWS = ("intervals", "looks")


def _curve(rows: list[Interval], name: str) -> Curve:
    found = [row for row in rows if name in row.values]
    if not found:
        known = sorted({each for row in rows for each in row.values})
        raise LookupError(f"name: expected one of {', '.join(known) or 'none yet'}, got {name!r}")
    return Curve([row.step for row in found], [row.values[name] for row in found])
