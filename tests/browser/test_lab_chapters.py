"""Every chapter in JupyterLab, two at a time in two tabs: Run All Cells shows what the stored notebook shows."""

import json
import re
import time
from dataclasses import dataclass, field

import pytest
from browser.notebook import SECOND, Notebook

import course

pytestmark = pytest.mark.browser
CHAPTERS = {path.stem: path for path in course.chapters()}
AT_ONCE = 2
LIMIT = 900  # seconds for a chapter, beside another one


@dataclass
class Ran:
    """What Run All did to one chapter: seconds, and everything that is wrong, each with its chapter and cell."""

    seconds: float = 0.0
    wrong: list[str] = field(default_factory=list)


def stored(chapter: str) -> list[dict]:
    """Return the code cells of the stored notebook."""
    cells = json.loads(CHAPTERS[chapter].read_text(encoding="utf-8"))["cells"]
    return [cell for cell in cells if cell["cell_type"] == "code"]


def seconds_of(chapter: str) -> float:
    """Return how long executing the stored notebook took, as it says."""
    return json.loads(CHAPTERS[chapter].read_text(encoding="utf-8"))["metadata"].get("course", {}).get("seconds", 0)


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
    for cell, expected in zip(cells, stored(chapter), strict=True):
        pictures, claims = shown(expected)
        found = sum(output.picture for output in cell.outputs), sum(ticks(output.text) for output in cell.outputs)
        place = f"{chapter}, {cell.name}"
        if cell.count is None and cell.source.strip():
            wrong.append(f"{place}: was not run")
        if found != (pictures, claims):
            wrong.append(f"{place}: {found[0]} pictures and {found[1]} ✓, stored are {pictures} and {claims}")
    if broken := notebook.page.evaluate("path => course.broken(path)", notebook.path):
        wrong.append(f"{chapter}: {broken} pictures cannot be drawn")
    return wrong


def wait_for_one(page, running: dict) -> None:
    """Wait until one of the running notebooks is done."""
    from playwright.sync_api import TimeoutError  # which a machine without a browser need not have

    one_is_done = "all => all.some(([path, before]) => course.done(path, before))"
    try:
        page.wait_for_function(one_is_done, arg=[n.begun for n, _ in running.values()], timeout=LIMIT * SECOND)
    except TimeoutError:
        cells = [f"{name}, {cell.name}" for name, (n, _) in running.items() for cell in n.cells() if cell.running]
        raise AssertionError(f"still runs after {LIMIT} s:\n" + "\n".join(cells)) from None


@pytest.fixture(scope="module")
def ran(lab, notes, request):
    """Run every chapter that is asked for, the longest first, two at a time; return what each did."""
    asked = {test.callspec.params["chapter"] for test in request.session.items if "ran" in test.fixturenames}
    waiting = sorted(asked, key=seconds_of)
    started = time.monotonic()
    running, done = {}, {}
    while waiting or running:
        while waiting and len(running) < AT_ONCE:
            chapter = waiting.pop()
            running[chapter] = lab.open(chapter), time.monotonic()
            running[chapter][0].begin_all()
        wait_for_one(lab.page, running)
        for chapter, (notebook, begun) in list(running.items()):
            if notebook.is_done():
                done[chapter] = Ran(time.monotonic() - begun, differences(notebook, chapter))
                if done[chapter].wrong:
                    notebook.photograph(chapter)
                notebook.close()
                del running[chapter]
    slowest = sorted(done, key=lambda chapter: -done[chapter].seconds)[:6]
    times = ", ".join(f"{chapter} {done[chapter].seconds:.0f} s" for chapter in slowest)
    notes.append(f"Run All on {len(done)} chapters, two at a time: {time.monotonic() - started:.0f} s; {times}")
    return done


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_run_all_shows_what_is_stored(ran, chapter):
    assert not ran[chapter].wrong, "\n".join(ran[chapter].wrong)
