"""Finds exercises by id in the chapters' files."""

import difflib
import functools
import importlib
import pkgutil
import re

import course_lib.exercises
from course_lib.exercises.spec import Answer, Exercise


@functools.cache
def chapters() -> dict[str, dict[str, Exercise | Answer]]:
    """Return chapter ('02_attention') → id → exercise, in the order of the chapters and of their files."""
    found = {}
    for module in sorted(m.name for m in pkgutil.iter_modules(course_lib.exercises.__path__)):
        if re.match(r"ch\d\d_", module):
            entries = importlib.import_module(f"course_lib.exercises.{module}").EXERCISES
            found[module.removeprefix("ch")] = {entry.id: entry for entry in entries}
    return found


def find(id: str) -> Exercise | Answer:
    """Return the exercise of this id; KeyError with 'did you mean' for any other."""
    known = {key: entry for chapter in chapters().values() for key, entry in chapter.items()}
    if id not in known:
        near = difflib.get_close_matches(str(id), known, n=1, cutoff=0.5)
        raise LookupError(
            f"no exercise {id!r}; did you mean {near[0]!r}?"
            if near
            else f"no exercise {id!r}; there are: {', '.join(known)}"
        )
    return known[id]
