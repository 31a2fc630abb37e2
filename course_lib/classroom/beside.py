"""A number of the reader's own run beside the recorded ones: is it where other seeds' numbers were?

What a training ends with differs from machine to machine and from seed to seed. The interval for it is the recorded
seeds' least to greatest, give or take their range: moved out by it at either end. Where values are normally distributed
a further value falls outside in 3 of 100 cases with five recorded seeds, more seldom with more; this is tested. Of
five values at least one is in 10 of 100; where the distribution has a long tail, both happen more often. It is
a yardstick and no verdict: only a claim stops a run.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

LEAST_SEEDS = 5
OUTSIDE = "as about 3 in 100 values are by chance; far outside, the data, the code or the settings differ"


@dataclass(frozen=True)
class Beside:
    """Live values, the least and greatest of the recorded ones, and where these come from.

    As a text, which is what ``claim(…, loss=…)`` prints:
    ``1.834 (recorded 1.79 … 1.86, give or take their range: yours is inside; 5 seeds, AMD EPYC)``.
    """

    values: tuple[float, ...]
    least: float
    greatest: float
    source: str

    @property
    def interval(self) -> tuple[float, float]:
        """From where to where a value is inside: least to greatest, moved out by their range at either end."""
        room = self.greatest - self.least
        return self.least - room, self.greatest + room

    @property
    def outside(self) -> int:
        """How many of the live values are not in the interval; one that is not a number is not."""
        low, high = self.interval
        return sum(not low <= value <= high for value in self.values)

    def __str__(self) -> str:
        numbers = ", ".join(f"{value:.4g}" for value in self.values)
        live, verb = (numbers, "is") if len(self.values) == 1 else (f"[{numbers}]", "are")
        if not self.outside:
            verdict = f"yours {verb} inside"
        elif len(self.values) == 1:
            verdict = f"yours is outside, {OUTSIDE}"
        else:
            verdict = f"yours: {self.outside} of {len(self.values)} outside, {OUTSIDE}"
        recorded = f"recorded {self.least:.4g} … {self.greatest:.4g}, give or take their range"
        return f"{live} ({recorded}: {verdict}; {self.source})"


def beside(live: float | Sequence[float] | Tensor, recorded: Sequence[float] | Tensor, machine: str) -> Beside:
    """Return live values beside the interval of recorded ones, one of these a seed.

    live: one number or several; recorded: at least five finite numbers; machine: on which they were recorded.
    ValueError for fewer recorded numbers, for one that is not finite, and for no live one.
    """
    own, there = (torch.as_tensor(numbers, dtype=torch.float64).flatten().tolist() for numbers in (live, recorded))
    if not own:
        raise ValueError("live: expected at least one number, got none")
    if len(there) < LEAST_SEEDS or not all(map(math.isfinite, there)):
        raise ValueError(f"recorded: expected at least {LEAST_SEEDS} finite numbers, one a seed, got {there}")
    return Beside(tuple(own), min(there), max(there), f"{len(there)} seeds, {machine}")
