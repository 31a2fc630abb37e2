"""Judges a prediction or a diagnosis: one of the words that the question lists, or a number."""

import difflib
import numbers
from typing import Any

from course_lib.classroom.exercises.shown import describe, real_as_float, shown
from course_lib.classroom.exercises.spec import Answer
from course_lib.classroom.exercises.verdict import Verdict


def judge_answer(entry: Answer, value: Any) -> Verdict:
    """Return the verdict on value; ``...`` and None are untouched."""
    if value is Ellipsis or value is None:
        unit = f" of {entry.unit}" if entry.unit else ""
        ask = f"one of {_listed(entry)}" if entry.options else f"a number{unit}"
        return Verdict("untouched", "untouched", [f"yours to answer: put {ask} in place of the dots."])
    return _judge_word(entry, value) if isinstance(entry.right, str) else _judge_number(entry, value)


def _listed(entry: Answer) -> str:
    return ", ".join(map(repr, entry.options))


def _judge_word(entry: Answer, value: Any) -> Verdict:
    word = value.strip().lower() if isinstance(value, str) else ""
    if word not in entry.options:
        near = difflib.get_close_matches(word, entry.options, n=1)
        says = f"did you mean {near[0]!r}?" if near else f"expected one of {_listed(entry)}"
        return Verdict("wrong", "unknown", [f"{describe(value)} is none of the words; {says}"])
    if word == entry.right:
        return Verdict("right", "right", [entry.why])
    return Verdict("wrong", word, [f"{word!r}: {entry.wrong[word]}"])  # type: ignore[index]


def _judge_number(entry: Answer, value: Any) -> Verdict:
    number = _as_float(value)
    if number is None:
        return Verdict("wrong", "type", [f"expected a number, got {describe(value)}"])
    for tempting, says in [(entry.right, ""), *entry.wrong.items()]:
        if abs(number - float(tempting)) <= entry.rtol * max(abs(float(tempting)), 1e-12):
            if not says:
                return Verdict("right", "right", [entry.why])
            return Verdict("wrong", str(tempting), [f"{shown(value)}: {says}"])
    return Verdict("wrong", "values", [f"{shown(value)} is not it."])


def _as_float(value: Any) -> float | None:
    """Return a number, also one that a 0-d tensor or array holds, as a float; None for anything else."""
    try:
        number = value.item() if hasattr(value, "item") and getattr(value, "ndim", 0) == 0 else value
    except Exception:  # a tensor without numbers, an object that only looks like one
        return None
    if not isinstance(number, numbers.Real) or isinstance(number, bool):
        return None
    return real_as_float(number)
