"""Compares the parameters of a learner's function with the reference's: later cells call by position and by name."""

import inspect
from collections.abc import Callable
from inspect import Parameter
from typing import Any

from course_lib.classroom.exercises.spec import Exercise

BOTH, VARIADIC = Parameter.POSITIONAL_OR_KEYWORD, (Parameter.VAR_POSITIONAL, Parameter.VAR_KEYWORD)


def parameters(function: Callable) -> list[Parameter]:
    """Return the parameters that a call fills, ``self`` left out; of a class: those of its forward."""
    function = function.forward if isinstance(function, type) else function  # type: ignore[attr-defined]
    return [p for p in inspect.signature(function).parameters.values() if p.name != "self"]


def argument_names(exercise: Exercise) -> list[str]:
    """Return the names of a probe's arguments: the reference's parameters, or those that a trial gives itself."""
    own = parameters(exercise.trial)[1:] if exercise.trial else []
    named = own and all(p.kind is BOTH for p in own)
    return [p.name for p in (own if named else parameters(exercise.reference))]


def misfit(given: Any, exercise: Exercise) -> str:
    """Return what is wrong with given's parameters, '' if the cells that follow can call it as they do."""
    if not isinstance(exercise.reference, type):
        return _compared(exercise.reference, given, "it")
    if not isinstance(given, type):
        return f"{exercise.name} is a function; the cells that follow expect a class"
    parts = {"__init__": "its constructor", "forward": "its forward"}
    found = (_compared(getattr(exercise.reference, n), getattr(given, n, None), what) for n, what in parts.items())
    return next((says for says in found if says), "")


def _compared(reference: Callable, given: Any, what: str) -> str:
    try:
        wanted, have = parameters(reference), parameters(given)
    except (TypeError, ValueError):  # no signature to read: the calls decide
        return ""
    fits = len(have) >= len(wanted) and all(map(_fits, wanted, have))
    rest = all(p.kind in VARIADIC or p.default is not p.empty for p in have[len(wanted) :])
    if fits and rest:
        return ""
    return f"the cells that follow call {what} with ({_written(wanted)}); yours has ({_written(have)})"


def _fits(wanted: Parameter, have: Parameter) -> bool:
    """Whether have can be filled by position and by name, and left out, wherever wanted can."""
    if have.kind is not wanted.kind or have.name != wanted.name:
        return False
    return wanted.default is wanted.empty or _equal(wanted.default, have.default)


def _equal(a: Any, b: Any) -> bool:
    try:
        return a is b or bool(a == b)
    except Exception:  # a default that cannot be compared, such as a tensor
        return False


def _written(found: list[Parameter]) -> str:
    """Write parameters as a definition does, without annotations, the / and * that make them special included."""
    bare = [p.replace(annotation=Parameter.empty) for p in found]
    try:
        return str(inspect.Signature(bare))[1:-1]
    except ValueError:
        return ", ".join(map(str, bare))
