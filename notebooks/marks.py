"""The table of a marked class: a row for each exercise as CSV, and a page to read."""

import csv
import io
import os
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path

COLUMNS = ("who", "chapter", "exercise", "state", "mistake", "text", "file")
SIGNS = {
    "right": "✓",
    "right, solution shown": "(✓)",
    "wrong": "✗",
    "unfinished": "◐",
    "untouched": "◦",
    "stopped": "!",
    "not judged": "?",
    "no cell": "–",
}
MEANING = """\
✓ right · (✓) right, in a notebook that shows the solution · ✗ wrong · ◐ unfinished · ◦ untouched · ! its cell stopped
before the check · ? its cell ran without the check · – no cell asks for it"""


@dataclass(frozen=True)
class Judged:
    """One exercise of one notebook. mistake: the key of the message; text: what was said, or why nothing was."""

    exercise: str
    state: str
    mistake: str = ""
    text: str = ""


@dataclass(frozen=True)
class Marked:
    """What came of one notebook: its chapter ('' where it has none), its exercises, what a teacher may want to know."""

    who: str
    file: str
    chapter: str
    exercises: list[Judged] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def right(self) -> str:
        """How many exercises are right, out of how many."""
        count = sum(each.state.startswith("right") for each in self.exercises)
        return f"{count} of {len(self.exercises)}"

    @property
    def line(self) -> str:
        """One line for the reader who waits."""
        came = f"{self.right} right" if self.chapter else "; ".join(self.notes)
        return f"{self.who:<20} {self.chapter:<24} {self.seconds:4.0f} s  {came}"


def write(marked: list[Marked], folder: Path) -> list[str]:
    """Write marks.csv and marks.md into a folder, each beside its place and then renamed.

    Those that are there are renamed first; return their new names.
    """
    ordered, kept = sorted(marked, key=lambda each: (each.chapter, each.who, each.file)), []
    backup = unused(folder)
    for name, text in (("marks.csv", "\ufeff" + as_csv(ordered)), ("marks.md", as_page(ordered))):
        place, beside = folder / name, folder / f"{name}.part"  # the mark at the beginning tells Excel that it is UTF-8
        beside.write_text(text, encoding="utf-8", newline="")
        if place.exists():
            os.replace(place, place.with_stem(backup))
            kept.append(f"{backup}{place.suffix}")
        os.replace(beside, place)
    return kept


def unused(folder: Path) -> str:
    """Return the first of marks.backup, marks.backup-2, … that names neither a table nor a page."""
    names = ["marks.backup", *(f"marks.backup-{number}" for number in range(2, 1000))]
    return next(name for name in names if not any((folder / f"{name}{end}").exists() for end in (".csv", ".md")))


def as_csv(marked: list[Marked]) -> str:
    """Write a row for each exercise, and one for each notebook without any."""
    out = io.StringIO()
    rows = csv.writer(out)
    rows.writerow(COLUMNS)
    for each in marked:
        for it in each.exercises or [Judged("", "not judged", text="; ".join(each.notes))]:
            row = (each.who, each.chapter, it.exercise, it.state, it.mistake, it.text, each.file)
            rows.writerow([harmless(value) for value in row])
    return out.getvalue()


def harmless(value: str) -> str:
    """Keep a spreadsheet from taking a text that somebody sent for a formula."""
    return f"'{value}" if value[:1] in ("=", "+", "-", "@", "\t", "\r") else value


def as_page(marked: list[Marked]) -> str:
    """Write the page: a table for each chapter, what was said of the mistakes, and notes on the notebooks."""
    parts = ["# Marks", MEANING]
    for chapter, group in groupby((each for each in marked if each.chapter), lambda each: each.chapter):
        parts += [f"## {chapter}", overview(list(group))]
    said = [
        (each.who, it.exercise, it.state, it.mistake, it.text) for each in marked for it in each.exercises if it.text
    ]
    if said:
        parts += ["## What was said", table(("who", "exercise", "state", "mistake", "text"), said)]
    noted = [(each.who, Path(each.file).name, note) for each in marked for note in each.notes]
    if noted:
        parts += ["## Notes", table(("who", "file", "note"), noted)]
    return "\n\n".join(parts) + "\n"


def overview(marked: list[Marked]) -> str:
    """Write a chapter's table: a line for each notebook, a sign for each exercise."""
    names = [it.exercise.split(".", 1)[-1] for it in marked[0].exercises]
    lines = [(each.who, each.right, *(SIGNS[it.state] for it in each.exercises)) for each in marked]
    return table(("who", "right", *names), lines)


def table(header: tuple[str, ...], lines: list[tuple[str, ...]]) -> str:
    """Write a table in markdown; nothing in its cells means anything to the page."""
    rows = [header, ("---",) * len(header), *([plain(cell) for cell in line] for line in lines)]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def plain(text: str) -> str:
    """Write a text as one line that markdown shows as it is."""
    for sign in "\\`*_|[]":
        text = text.replace(sign, f"\\{sign}")
    return " ".join(text.split()).replace("&", "&amp;").replace("<", "&lt;")
