"""Runs chapters in JupyterLab, two at a time in two tabs, and says what differs from the stored notebooks."""

import json
import re
import time
from dataclasses import dataclass, field

from browser.notebook import SECOND, Notebook

import course

CHAPTERS = {path.stem: path for path in course.chapters()}
AT_ONCE = 2
LIMIT = 900  # seconds until one of those that run has to be done


@dataclass
class Ran:
    """What Run All did to a chapter: seconds, what is wrong, by chapter and cell; the notebook where it is still open."""

    seconds: float = 0.0
    wrong: list[str] = field(default_factory=list)
    notebook: Notebook | None = None


def run_all(lab, chapters: set[str], kept: set[str]) -> dict[str, Ran]:
    """Choose Run All Cells in every chapter, the longest first; close those that are not to be kept."""
    waiting = sorted(chapters, key=seconds_of)
    running, done = {}, {}
    while waiting or running:
        while waiting and len(running) < AT_ONCE:
            chapter = waiting.pop()
            running[chapter] = lab.open(chapter), time.monotonic()
            running[chapter][0].begin_all()
        wait_for_one(lab.page, running)
        for chapter, (notebook, begun) in list(running.items()):
            if notebook.is_done():
                done[chapter] = Ran(time.monotonic() - begun, differences(notebook, chapter), notebook)
                if done[chapter].wrong:
                    notebook.photograph(chapter)
                if chapter not in kept:
                    notebook.close()
                del running[chapter]
    return done


def wait_for_one(page, running: dict) -> None:
    """Wait until one of the running notebooks is done."""
    from playwright.sync_api import TimeoutError  # which a machine without a browser need not have

    one_is_done = "all => all.some(([path, before]) => course.done(path, before))"
    try:
        page.wait_for_function(one_is_done, arg=[n.begun for n, _ in running.values()], timeout=LIMIT * SECOND)
    except TimeoutError:
        cells = [f"{name}, {cell.name}" for name, (n, _) in running.items() for cell in n.cells() if cell.running]
        raise AssertionError(f"still runs after {LIMIT} s:\n" + "\n".join(cells)) from None


def stored(chapter: str) -> dict:
    """Return a stored notebook."""
    return json.loads(CHAPTERS[chapter].read_text(encoding="utf-8"))


def seconds_of(chapter: str) -> float:
    """Return how long executing the stored notebook took, as it says."""
    return stored(chapter)["metadata"].get("course", {}).get("seconds", 0)


def ticks(text: str) -> int:
    """Count the claims that hold."""
    return len(re.findall("^✓", text, re.M))


def shown(cell: dict) -> tuple[int, int]:
    """Count a stored cell's pictures and the claims that hold."""
    said = ["".join(output.get("text", "")) for output in cell["outputs"]]
    return sum("image/png" in output.get("data", {}) for output in cell["outputs"]), sum(map(ticks, said))


def differences(notebook: Notebook, chapter: str) -> list[str]:
    """Say cell by cell what differs from the stored notebook: errors, cells not run, pictures and claims missing."""
    if failed := notebook.failed():
        return failed
    wrong = []
    cells = [cell for cell in notebook.cells() if cell.type == "code"]
    expected = [cell for cell in stored(chapter)["cells"] if cell["cell_type"] == "code"]
    for cell, there in zip(cells, expected, strict=True):
        pictures, claims = shown(there)
        found = sum(output.picture for output in cell.outputs), sum(ticks(output.text) for output in cell.outputs)
        if cell.count is None and cell.source.strip():
            wrong.append(f"{chapter}, {cell.name}: was not run")
        if found != (pictures, claims):
            says = f"{found[0]} pictures and {found[1]} ✓, stored are {pictures} and {claims}"
            wrong.append(f"{chapter}, {cell.name}: {says}")
    if broken := notebook.page.evaluate("path => course.broken(path)", notebook.path):
        wrong.append(f"{chapter}: {broken} pictures cannot be drawn")
    return wrong
