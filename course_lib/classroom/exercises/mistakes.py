"""Makes the function of a known mistake: the one its author wrote, or the reference with an edit of its source."""

import functools
import inspect
import re
import sys
import textwrap
from collections.abc import Callable, Mapping

from course_lib.classroom.exercises.spec import Exercise, Mistake


def function_of(mistake: Mistake, exercise: Exercise) -> Callable:
    """Return the mistaken function or class, to be called with the reference's parameters by position or by name.

    ValueError where an edit's text does not stand exactly once in the reference's source.
    """
    if isinstance(mistake.written, Mapping):
        try:
            return edited(exercise.reference, tuple(mistake.written.items()))
        except ValueError as error:
            raise ValueError(f"mistake {mistake.key!r} of {exercise.id}: {error}") from None
    if isinstance(exercise.reference, type):
        return mistake.written
    return _with_parameters_of(exercise.reference, mistake.written)


@functools.cache
def edited(reference: Callable, edits: tuple[tuple[str, str], ...]) -> Callable:
    """Return reference with each (old, new) of edits carried out in its source, run in a copy of its module's names.

    ValueError where an old text does not occur exactly once.
    """
    plain = inspect.unwrap(reference)
    source = textwrap.dedent(inspect.getsource(plain))
    for old, _ in edits:
        if not old or source.count(old) != 1:
            times = source.count(old) if old else "no text"
            raise ValueError(f"written: expected {old!r} exactly once in the source of {plain.__name__}, found {times}")
    found = re.sub("|".join(re.escape(old) for old, _ in edits), lambda match: dict(edits)[match[0]], source)
    scope = dict(vars(sys.modules[plain.__module__]))
    exec(compile(found, f"<{plain.__name__}, edited>", "exec", dont_inherit=True), scope)
    return scope[plain.__name__]


def _with_parameters_of(reference: Callable, written: Callable) -> Callable:
    """Let written, whose own parameters may have other names, be called as reference is."""
    signature = inspect.signature(reference)

    def mistaken(*args, **kwargs):
        bound = signature.bind(*args, **kwargs)
        bound.apply_defaults()
        return written(*bound.args, **bound.kwargs)

    mistaken.__signature__ = signature  # type: ignore[attr-defined]
    mistaken.__name__ = reference.__name__
    return mistaken
