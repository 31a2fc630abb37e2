"""What each exercise's check was tried with, as a page: mutants, known mistakes, other right answers, the truth.

``python tests/exercise_table.py`` tries mutants of every reference, sees the test of every reference fail when a known
mistake stands in its place, and writes ``docs/checks.json`` (what was counted) and ``docs/checks.md`` (the page). Ids of
exercises count these alone anew and keep the other counts. ``--count`` is another number of mutants, for all of them;
``--check`` writes nothing and fails where the page is not what the exercises and the last counts give. The page holds no
times and no dates.
"""

import argparse
import contextlib
import inspect
import io
import json
import math
import re
import runpy
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
from fuzz_exercises import COUNT, EXERCISES, fuzz
from oracles import ORACLES
from written import written

from course_lib.chapters.exercises import REGISTRY
from course_lib.classroom.exercises.spec import Answer, Exercise

TESTS = Path(__file__).parent
COUNTS, PAGE = TESTS.parent / "docs" / "checks.json", TESTS.parent / "docs" / "checks.md"


@dataclass(frozen=True)
class Writings:
    """What the chapters' tests hold: id → key → wrong bodies, each turned down by its key; id → right bodies."""

    wrong: dict[str, dict[str, tuple[str, ...]]]
    right: dict[str, tuple[str, ...]]


def writings() -> Writings:
    """Read the tests of all chapters."""
    files = [runpy.run_path(str(path)) for path in sorted((TESTS / "chapters").glob("test_exercises_ch*.py"))]
    return Writings(
        {id: keys for file in files for id, keys in file["WRONG"].items()},
        {id: bodies for file in files for id, bodies in file["RIGHT"].items()},
    )


# --- the test of a reference, seen red ---------------------------------------------------------------------------


@contextlib.contextmanager
def in_its_place(reference: Callable, other: Callable):
    """Let a reference do what another function does, wherever it has been imported."""
    plain = inspect.unwrap(reference)
    own, scope = (plain.__code__, plain.__defaults__), plain.__globals__
    lent = {name: module for name, module in {"torch": torch, "math": math}.items() if name not in scope}
    scope.update(lent)  # what a learner's cell has imported
    try:
        plain.__code__, plain.__defaults__ = other.__code__, other.__defaults__
        yield
    finally:
        plain.__code__, plain.__defaults__ = own
        for name in lent:
            del scope[name]


def passes(*tests: str) -> bool:
    """Whether tests, each below this folder, pass in this process; RuntimeError where they cannot be run."""
    quiet = ["-x", "--tb=no", "--assert=plain", "--hypothesis-seed=0", "-p", "no:cacheprovider"]
    already = ["-W", "ignore::pytest.PytestAssertRewriteWarning"]
    with contextlib.redirect_stdout(io.StringIO()) as said, contextlib.redirect_stderr(io.StringIO()):
        status = pytest.main([*quiet, *already, *[str(TESTS / test) for test in tests]])
    if status not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED):
        raise RuntimeError(f"{', '.join(tests)}: pytest ended with {status}:\n{said.getvalue()}")
    return status == pytest.ExitCode.OK


def seen_red(exercise: Exercise, wrong: dict[str, tuple[str, ...]]) -> str | None:
    """Return the key of the first known mistake in the reference's place that its test turns down; None for none."""
    test = ORACLES[exercise.id][1]
    for mistake in exercise.mistakes:
        with in_its_place(exercise.reference, written(exercise, wrong[mistake.key][0])):
            if not passes(test):
                return mistake.key
    return None


def stays_green(exercise: Exercise, right: tuple[str, ...]) -> bool:
    """Whether the reference's test passes with a right answer of another style in its place: it is red for a reason."""
    for body in right:
        with in_its_place(exercise.reference, written(exercise, body)):
            if passes(ORACLES[exercise.id][1]):
                return True
    return False


# --- counting ----------------------------------------------------------------------------------------------------


def counted(mutants: int, chosen: list[Exercise]) -> dict[str, dict]:
    """Return id → counts of the chosen exercises; one line an exercise is printed on the way."""
    texts, found = writings(), {}
    if not passes(*dict.fromkeys(ORACLES[exercise.id][1] for exercise in chosen)):
        raise RuntimeError("a test that tests/oracles.py names fails as it stands; run it by itself")
    for exercise in chosen:
        report = fuzz(exercise, mutants)
        red, green = seen_red(exercise, texts.wrong[exercise.id]), stays_green(exercise, texts.right[exercise.id])
        print(f"{report}   red with {red}, green with another style: {green}", flush=True)
        found[exercise.id] = {
            "tried": report.tried,
            "killed": report.killed,
            "equivalent": len(report.equivalent),
            "accepted": len(report.holes),
            "red": red,
            "green": green,
        }
    return found


def recounted(ids: list[str], last: dict) -> dict:
    """Return the last counts with those of the named exercises made anew, in the chapters' order."""
    found = last["exercises"] | counted(last["mutants"], [REGISTRY.find(id) for id in ids])
    return last | {"exercises": {exercise.id: found[exercise.id] for exercise in EXERCISES if exercise.id in found}}


# --- the page ----------------------------------------------------------------------------------------------------

HEAD = """\
# What the checks were tried with

{functions} functions were checked with {tried:,} small changes of their references (at most {mutants} each): {killed:,}
were turned down, {equivalent:,} accepted because on 200 valid inputs they do what the reference does, and {accepted:,}
accepted wrongly. {mistakes:,} known mistakes are named, each in two or more independent writings ({writings:,} in all),
and {styles:,} right answers in other styles pass. Of {entries} references and right answers {oracles} were held against
a truth that was not made with them; of the {functions} tests that do so for a function {red} were seen to fail with a
known mistake in the reference's place, and {green} of them to pass with a right answer in another style there.

Made by `make checks`, which counts all this anew.

## How to read it

- **Mutants**: the reference with one operator, number, name or call changed. *Killed* of *tried*; *same*: those that do
  what the reference does on 200 valid inputs, to 10⁻⁶, and so cannot be told from it; among them are those that change a check of the
  arguments, which an answer does not owe. {holes}
- **Mistakes**: those that get a message of their own, and in brackets the writings that the tests turn down by name; some
  of these break a general rule (a wrong shape, a lost gradient). For a question, marked *?*, the tempting answers that get
  one.
- **Styles**: right answers written otherwise (a loop, an einsum) that pass.
- **Held against**: the truth, and the test or the claim of a chapter where it stands; in brackets the known mistake with
  which that test was seen to fail. A test marked * also asks for the reference's own error messages or names, so that
  right answers in other styles, which owe none, do not pass it.

## What it does not prove

A mutant is one small change, and the known mistakes are those that we thought of: a wrong answer of another kind may
pass. That *same* means the same was tried on drawn inputs, not shown. A truth by hand covers the case that was worked out.
Whether a message helps a learner no count can say.
"""


def page(counts: dict) -> str:
    """Return the page's text from the exercises, the tests' writings and the counts of the last full run."""
    texts = writings()
    parts = [HEAD.format(**totals(counts, texts))]
    for chapter, entries in REGISTRY.chapters.items():
        rows = [row(entry, counts, texts) for entry in entries.values()]
        head = "| exercise | mutants | same | mistakes | styles | held against |\n| --- | ---: | ---: | ---: | ---: | --- |"
        parts.append(f"## {chapter}\n\n{head}\n" + "\n".join(rows) + "\n")
    return "\n".join(parts)


def totals(counts: dict, texts: Writings) -> dict[str, object]:
    """Return the numbers of the page's first lines."""
    found = [counts["exercises"].get(exercise.id, {}) for exercise in EXERCISES]
    total = {key: sum(each.get(key, 0) for each in found) for key in ("tried", "killed", "equivalent", "accepted")}
    entries = [entry for each in REGISTRY.chapters.values() for entry in each.values()]
    holes = "Not one was accepted that differs." if not total["accepted"] else f"{total['accepted']} accepted wrongly."
    return {
        **total,
        "mutants": counts["mutants"],
        "functions": len(EXERCISES),
        "mistakes": sum(len(exercise.mistakes) for exercise in EXERCISES),
        "writings": sum(len(bodies) for keys in texts.wrong.values() for bodies in keys.values()),
        "styles": sum(map(len, texts.right.values())),
        "entries": len(entries),
        "oracles": sum(where is not None for _, where in ORACLES.values()),
        "holes": holes,
        "red": sum(each.get("red") is not None for each in found),
        "green": sum(each.get("green", False) for each in found),
    }


def row(entry: Exercise | Answer, counts: dict, texts: Writings) -> str:
    """Return a line of the table."""
    truth, where = ORACLES[entry.id]
    stands = truth if where is None else f"{truth}: {place(where)}"
    if isinstance(entry, Answer):
        return f"| `{entry.id}` ? | | | {len(entry.wrong)} | | {stands} |"
    found = counts["exercises"].get(entry.id, {"tried": 0, "killed": 0, "equivalent": 0, "red": None, "green": False})
    bodies = sum(map(len, texts.wrong[entry.id].values()))
    cells = [
        f"`{entry.id}`",
        f"{found['killed']} of {found['tried']}",
        f"{found['equivalent']}",
        f"{len(entry.mistakes)} ({bodies})",
        f"{len(texts.right[entry.id])}",
        f"{stands} (`{found['red']}`){'' if found['green'] else ' *'}",
    ]
    return f"| {' | '.join(cells)} |"


def place(where: str) -> str:
    """Return where a truth stands, for a reader: a test's file and name, or a chapter and the first words of its claim."""
    if "::" in where:
        file, name = where.split("::")
        return f"`tests/{file}`, ‘{name.removeprefix('test_').replace('_', ' ')}’"
    chapter, words = where.split(": ", 1)
    return f"{chapter}, ‘{re.sub(r'^{.*?}: ', '', words)} …’"


def write(counts: dict) -> None:
    """Write both files, each beside its place and then into it."""
    COUNTS.parent.mkdir(exist_ok=True)
    for path, content in ((COUNTS, json.dumps(counts, indent=1) + "\n"), (PAGE, page(counts))):
        part = path.with_suffix(".part")
        part.write_text(content, encoding="utf-8")
        part.replace(path)


def main() -> int:
    """Count and write, or compare."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("ids", nargs="*", help="exercises to count anew; all of them if none is named")
    parser.add_argument("--count", type=int, default=COUNT, help="mutants an exercise")
    parser.add_argument("--page", action="store_true", help="write the page alone, from the last counts")
    parser.add_argument("--check", action="store_true", help="compare the page with the exercises; write nothing")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    last = json.loads(COUNTS.read_text(encoding="utf-8")) if COUNTS.exists() else {"mutants": COUNT, "exercises": {}}
    if arguments.check:
        current = PAGE.read_text(encoding="utf-8") == page(last)
        print("docs/checks.md is current" if current else "docs/checks.md is not current: `make checks`")
        return 0 if current else 1
    if arguments.ids:
        last = recounted(arguments.ids, last)
    elif not arguments.page:
        last = {"mutants": arguments.count, "exercises": counted(arguments.count, EXERCISES)}
    write(last)
    found = last["exercises"]
    wrong = [id for id, each in found.items() if each["accepted"] or each["red"] is None]
    print(f"docs/checks.md: {len(found)} functions" + (f"; look at {', '.join(wrong)}" if wrong else ""))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
