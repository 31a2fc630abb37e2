"""What a notebook calls: ``exercise``, ``answer``, ``hint``, ``solution``, ``progress``, ``reset``, over all chapters.

A chapter's exercises stand one a file in ``chNN_slug/exercises``, each as ``ENTRY``, or several diagnoses that share
their options as ``ENTRIES``.
"""

import importlib
import pkgutil
from pathlib import Path

from course_lib import paths
from course_lib.classroom.exercises.engine import Exercises
from course_lib.classroom.exercises.registry import Entry, Registry


def declared() -> dict[str, list[Entry]]:
    """Return chapter ('02_attention') → what its files declare."""
    found = {}
    for folder in sorted(Path(__file__).parent.glob("ch[0-9][0-9]*")):
        package = f"{__package__}.{folder.name}.exercises"
        names = [module.name for module in pkgutil.iter_modules([str(folder / "exercises")])]
        files = [importlib.import_module(f"{package}.{name}") for name in names]
        found[folder.name.removeprefix("ch")] = [
            entry for file in files for entry in getattr(file, "ENTRIES", [getattr(file, "ENTRY", None)]) if entry
        ]
    return found


REGISTRY = Registry(declared, paths.SOURCES)
_course = Exercises(REGISTRY)
answer, exercise, hint = _course.answer, _course.exercise, _course.hint
progress, reset, solution = _course.progress, _course.reset, _course.solution
