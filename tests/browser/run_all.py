"""Runs chapters in JupyterLab, two at a time in two tabs, and says what differs from the stored notebooks."""

import configparser
import json
import re
import sys
import time
from dataclasses import dataclass, field

from browser.notebook import SECOND, Notebook, Output

import course

sys.path.insert(0, str(course.ROOT / "notebooks"))
import comparison

CHAPTERS = {path.stem: path for path in course.chapters()}
AT_ONCE = 2
LIMIT = 900  # seconds until one of those that run has to be done


@dataclass
class Ran:
    """What Run All did to a chapter: seconds, what is wrong, by chapter and cell; the notebook where it is still open."""

    seconds: float = 0.0
    wrong: list[str] = field(default_factory=list)
    notebook: Notebook | None = None


def explored_by(test) -> str:
    """Return the chapter whose explorer a test needs; '' where it needs none."""
    needed = {"ran", "explorer"} <= {*getattr(test, "fixturenames", ())}
    return test.callspec.params["chapter"] if needed else ""


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


def rules() -> list[tuple[re.Pattern, str]]:
    """Return what nbval, too, replaces before it compares: the lines of measured values."""
    file = configparser.ConfigParser(interpolation=None)
    file.read(comparison.RULES, encoding="utf-8")
    return [(re.compile(file[name]["regex"]), file[name]["replace"]) for name in file.sections()]


def compared(outputs: list[Output]) -> str:
    """Return all that must come out as it is stored: what was printed, then the results' texts."""
    printed = "".join(output.text for output in outputs if output.kind == "stream")
    results = [output.text + output.html for output in outputs if output.kind != "stream"]
    text = "\n".join([printed, *results])
    for pattern, replacement in RULES:
        text = pattern.sub(replacement, text)
    return text


def as_output(stored: dict) -> Output:
    """Return a stored output as the page describes one."""
    data = {kind: "".join(value) for kind, value in stored.get("data", {}).items()}
    text = "".join(stored.get("text", "")) or data.get("text/plain", "")
    return Output(stored["output_type"], text, data.get("text/html", ""), "image/png" in data, False)


RULES = rules()


def differences(notebook: Notebook, chapter: str) -> list[str]:
    """Say cell by cell what differs from the stored notebook: errors, cells not run, pictures, compared texts."""
    if failed := notebook.failed():
        return failed
    wrong = []
    cells = [cell for cell in notebook.cells() if cell.type == "code"]
    expected = [cell for cell in stored(chapter)["cells"] if cell["cell_type"] == "code"]
    for cell, there in zip(cells, expected, strict=True):
        outputs = [as_output(output) for output in there["outputs"]]
        pictures, found = (sum(output.picture for output in each) for each in (outputs, cell.outputs))
        if cell.count is None and cell.source.strip():
            wrong.append(f"{chapter}, {cell.name}: was not run")
        if found != pictures:
            wrong.append(f"{chapter}, {cell.name}: {found} pictures, stored are {pictures}")
        says, said = compared(list(cell.outputs)), compared(outputs)
        if comparison.IGNORE not in there["metadata"].get("tags", []) and says != said:
            wrong.append(f"{chapter}, {cell.name}: shows {says!r}, stored is {said!r}")
    if broken := notebook.page.evaluate("path => course.broken(path)", notebook.path):
        wrong.append(f"{chapter}: {broken} pictures cannot be drawn")
    return wrong
