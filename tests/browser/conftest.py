"""A real browser for the tests of this folder, and what is kept of its pages when one of them fails."""

import contextlib
import re
import time

import pytest
from browser import chromium
from browser.lab import Lab, served
from browser.notebook import KEPT
from browser.run_all import explored_by, run_all

MEASURED = KEPT / "measured.txt"


@pytest.fixture(scope="session")
def browser():
    """A headless Chromium, one for all tests; each test opens contexts of its own in it."""
    try:
        from playwright.sync_api import Error, sync_playwright
    except ModuleNotFoundError:
        chromium.absent("no Playwright: `make test-browser` installs it")
    with sync_playwright() as playwright:
        try:
            started = playwright.chromium.launch(executable_path=chromium.path(), args=chromium.flags())
        except Error as error:
            chromium.absent(f"{chromium.HOW}; {str(error).strip().splitlines()[0]}")
        yield started
        started.close()


@pytest.fixture
def page(browser):
    """An empty page in a context of its own."""
    with browser.new_context() as context:
        yield context.new_page()


@pytest.fixture(scope="session")
def notes():
    """Keep a line for the end of the whole report: what was measured on the way."""

    def note(line: str) -> None:
        KEPT.mkdir(parents=True, exist_ok=True)
        with MEASURED.open("a", encoding="utf-8") as file:
            file.write(f"{line}\n")

    return note


def pytest_sessionstart(session):
    """Forget what an earlier run measured."""
    MEASURED.unlink(missing_ok=True)


def pytest_collection_modifyitems(items):
    """Begin with what needs no JupyterLab, which takes its share of the processor; take explorers chapter by chapter.

    A chapter's notebook is closed behind the last test of its explorers: each that is open slows the others down.
    """

    def place(item) -> tuple[bool, str]:
        needs_lab = bool({"lab", "own_lab"} & {*getattr(item, "fixturenames", ())})
        return needs_lab, explored_by(item)

    items.sort(key=place)


def pytest_terminal_summary(terminalreporter):
    """Show what the tests measured."""
    if MEASURED.exists():
        terminalreporter.write_line(MEASURED.read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def lab(browser, tmp_path_factory):
    """JupyterLab as `make lab` opens it, in which chapters are run and explorers moved; nothing else is done there.

    On PyTorch's AVX2 kernels, and two threads where a cell sets none, so that no chapter need run once more for those.
    """
    with opened(browser, tmp_path_factory, ATEN_CPU_CAPABILITY="avx2", OMP_NUM_THREADS="2") as lab:
        yield lab


@pytest.fixture(scope="module")
def own_lab(browser, tmp_path_factory):
    """Another one, with a fresh work/ and no progress, for what a learner does."""
    with opened(browser, tmp_path_factory) as lab:
        yield lab


@contextlib.contextmanager
def opened(browser, tmp_path_factory, **variables: str):
    """Start JupyterLab, its kernels with the variables, and open its first page."""
    folder = tmp_path_factory.mktemp("lab") / "course"
    with (
        served(folder, **variables) as address,
        browser.new_context(viewport={"width": 1400, "height": 1000}) as context,
    ):
        yield Lab(context.new_page(), address, folder)


@pytest.fixture(scope="session")
def ran(lab, notes, request):
    """What Run All did to each chapter that a test asks for; those whose explorers are tested stay open."""
    asked = [test for test in request.session.items if "ran" in test.fixturenames]
    chapters = {test.callspec.params["chapter"] for test in asked}
    kept = {chapter for test in asked if (chapter := explored_by(test))}
    started = time.monotonic()
    done = run_all(lab, chapters, kept)
    slowest = sorted(done, key=lambda chapter: -done[chapter].seconds)[:6]
    times = ", ".join(f"{chapter} {done[chapter].seconds:.0f} s" for chapter in slowest)
    notes(f"Run All in {len(done)} chapters, two at a time: {time.monotonic() - started:.0f} s; {times}")
    return done


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """Keep a picture and the console of every open page of a failed test in build/browser."""
    report = yield
    browser = getattr(item, "funcargs", {}).get("browser")
    if report.failed and browser is not None:
        report.sections.append(("pages", "\n".join(keep(browser, re.sub(r"\W+", "_", item.name)))))
    return report


def keep(browser, name: str):
    """Write each page's screenshot and console; yield what was written, or why it was not."""
    KEPT.mkdir(parents=True, exist_ok=True)
    for number, page in enumerate(page for context in browser.contexts for page in context.pages):
        stem = KEPT / f"{name}-{number}"
        try:
            page.screenshot(path=stem.with_suffix(".png"), timeout=5_000)
            said = [f"{message.type}: {message.text}" for message in page.console_messages()]
            lines = [page.url, *said, *map(str, page.page_errors())]
            stem.with_suffix(".log").write_text("\n".join(lines), encoding="utf-8")
            yield f"{stem}.png, .log"
        except Exception as error:  # the page may be what is broken
            yield f"{stem}: {error}"
