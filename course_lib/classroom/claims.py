"""Statements of the text that execute: a claim prints its ✓ or stops the run with what it measured."""

import numbers

import numpy as np
import torch

from course_lib.classroom.beside import Beside
from course_lib.classroom.guesses import typed
from course_lib.classroom.streams import say


class ClaimError(AssertionError):
    """A statement of the text that does not hold here; its message carries every measured value."""

    def _render_traceback_(self) -> list[str]:
        return str(self).splitlines()


def _shown(value: object) -> str:
    """Write a measured value shortly: four significant digits, arrays as their numbers."""
    if isinstance(value, torch.Tensor):
        value = value.detach().cpu().tolist()
    if isinstance(value, np.ndarray | np.generic):
        value = value.tolist()
    if isinstance(value, bool | str) or value is None:
        return str(value)
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_shown, value)) + "]"
    if isinstance(value, numbers.Integral):
        return f"{value:,}"
    return f"{value:.4g}" if isinstance(value, numbers.Real) else str(value)


def _lines(measured: dict[str, object]) -> str:
    """Write measured values: those beside a record's a line each, all others in one before them."""
    plain = [f"{name} = {_shown(value)}" for name, value in measured.items() if not isinstance(value, Beside)]
    own = [f"{name} = {value}" for name, value in measured.items() if isinstance(value, Beside)]
    return "\n".join(f"    measured: {line}" for line in ([", ".join(plain)] if plain else []) + own)


def claim(statement: str, condition: object, *, guessed: str | None = None, **measured: object) -> None:
    """Print ``✓ statement`` and below it the measured values; raise ClaimError where condition is not true.

    condition: a bool or a tensor or array that holds a single bool; anything else raises TypeError, since a
    number or a list that is merely non-empty would always pass. The measured values share a line, and one that stands
    beside a record's (``record.beside``) has its own. Such lines begin with ``    measured:``; the notebooks'
    validation leaves what follows it out of the comparison. guessed: the name of a ``guess`` that this claim
    answers; what the reader typed is shown in the last of these lines, so it takes a measured value.
    """
    if isinstance(condition, torch.Tensor | np.ndarray | np.generic) and np.prod(condition.shape) == 1:
        condition = condition.item()
    if not isinstance(condition, bool):
        raise TypeError(f"condition: expected one truth value, got {type(condition).__name__}")
    values = _lines(measured)
    if guessed is not None:
        if not measured:
            raise TypeError("guessed: expected a measured value to show beside the guess, got none")
        if (own := typed(guessed)) is not None:
            values += f" · you guessed: {own}"
    if not condition:
        raise ClaimError(f"✗ does not hold here: {statement}" + (f"\n{values}" if measured else ""))
    say(f"✓ {statement}")
    if measured:
        say(values)
