"""Finds exercises by id among those of the chapters it is handed, each with the stub of its notebook's source."""

import ast
import difflib
import functools
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from course_lib.classroom.exercises.spec import Answer, Exercise

Entry = Exercise | Answer


class Registry:
    """The exercises of a course: chapter ('02_attention') → id → exercise.

    chapters: returns what each chapter's files declare, in any order. sources: the folder of the notebooks' sources,
    ``02_attention.py`` and so on; what an exercise's cell holds below its decorator is its stub, and the order of the
    cells is the exercises' order.
    """

    def __init__(self, chapters: Callable[[], Mapping[str, Iterable[Entry]]], sources: Path) -> None:
        self._declared, self._sources = chapters, sources

    @functools.cached_property
    def chapters(self) -> dict[str, dict[str, Entry]]:
        """All exercises, chapter by chapter; ValueError where a chapter's cells and files do not name the same ones."""
        found: dict[str, dict[str, Entry]] = {}
        for name, entries in sorted(self._declared().items()):
            declared, stubs = {entry.id: entry for entry in entries}, read_stubs(self._sources / f"{name}.py")
            if stubs and set(stubs) != set(declared):
                odd = ", ".join(sorted(set(stubs) ^ set(declared)))
                raise ValueError(f"{name}: expected the notebook's exercises and the chapter's files to agree; {odd}")
            found[name] = {id: _with_stub(declared[id], stubs.get(id, "")) for id in stubs or declared}
        return found

    def find(self, id: str) -> Entry:
        """Return the exercise of this id; LookupError with 'did you mean' for any other."""
        known = {key: entry for chapter in self.chapters.values() for key, entry in chapter.items()}
        if id in known:
            return known[id]
        near = difflib.get_close_matches(str(id), known, n=1, cutoff=0.5)
        remedy = f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(known)}"
        raise LookupError(f"no exercise {id!r}; {remedy}")

    def chapter_of(self, id: str) -> str:
        """Return the name of the chapter that asks this exercise; LookupError as ``find``."""
        entry = self.find(id)
        return next(name for name, entries in self.chapters.items() if entry.id in entries)


def _with_stub(entry: Entry, stub: str) -> Entry:
    return replace(entry, stub=stub) if isinstance(entry, Exercise) else entry


def read_stubs(source: Path) -> dict[str, str]:
    """Return id → stub of the exercises that a notebook's source asks, '' for questions, in the order of its cells.

    A stub is what stands below ``@exercise(id)``; nothing is found where the source is missing, as in an installation
    without the notebooks.
    """
    if not source.is_file():
        return {}
    text = source.read_text(encoding="utf-8")
    lines = text.splitlines()
    found = {}
    for node in ast.parse(text).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            for decorator in node.decorator_list:
                if (id := _asked(decorator, "exercise")) is not None:
                    found[id] = "\n".join(lines[node.lineno - 1 : node.end_lineno])
        elif isinstance(node, ast.Expr) and (id := _asked(node.value, "answer")) is not None:
            found[id] = ""
    return found


def _asked(node: ast.AST, function: str) -> str | None:
    """Return the id in a call ``function("id", …)``."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == function and node.args:
        first = node.args[0]
        return first.value if isinstance(first, ast.Constant) and isinstance(first.value, str) else None
    return None
