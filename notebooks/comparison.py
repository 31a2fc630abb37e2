"""Runs a notebook's code cells in a fresh kernel and says which of them fail, and why.

This is the one place that knows which tool runs and compares; ``validate.py`` and ``mark.py`` see ``run`` and what it
returns. Today the tool is nbval. Another takes its place by providing ``tried``, below: in a process of its own it

- starts one fresh kernel of the Python that runs it, in the notebook's folder, and runs every code cell in order, also
  after one that raised; interrupts a cell after ``cell_limit`` seconds and goes on with the next;
- compares, where it is asked to, what a cell shows with what is stored: streams merged, and every text of a result
  (``text/plain``, ``text/html``, …), after each ``regex`` of RULES is replaced in both; never pictures, metadata,
  execution counts, or the ids of widgets; never a cell that carries the tag IGNORE, or that was stored unrun;
- writes a line of JSON as soon as a cell is through: {cell: its place among the code cells, from 0; what: '' or why it
  failed, in words; says: the traceback or the difference}.
"""

import contextlib
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from queue import Empty
from typing import Any

import psutil
import pytest

ROOT = Path(__file__).resolve().parents[1]
RULES = ROOT / "tests" / "nbval.cfg"
IGNORE = "nbval-ignore-output"
STOPPED = "the run was ended here"
DIED = "ended its kernel"
NOT_RUN = "was not run: the kernel had ended"
ANSI = re.compile(r"\x1b\[[0-9;]*m")
CLAIM = re.compile(r"^✗ does not hold here: (.+)$", re.M)  # what course_lib.classroom.claims raises


@dataclass(frozen=True)
class Failure:
    """A cell that failed. cell: its number as JupyterLab counts, 0 where none could be run; line: its first one."""

    chapter: str
    cell: int
    line: str
    what: str
    says: str = ""

    @property
    def claim(self) -> str:
        """The statement of the text that does not hold; '' where the cell failed otherwise."""
        found = CLAIM.search(self.says)
        return found[1] if found else ""

    @property
    def why(self) -> str:
        """One line: the claim, our own message, the exception, or what differs."""
        if self.claim:
            return f"claim does not hold: {self.claim}"
        lines = [line.strip() for line in self.says.splitlines() if line.strip()]
        if not lines or self.what != "raised":
            return self.what
        return next((line for line in lines if line.startswith("✗")), lines[-1])

    def __str__(self) -> str:
        return f"In [{self.cell}]: {self.line} · {self.why}" if self.cell else self.why


@dataclass(frozen=True)
class Result:
    """What came of a notebook: seconds, the cells that failed, how many code cells were tried, all that was printed."""

    notebook: Path
    seconds: float
    failures: list[Failure]
    tried: int
    log: str


def run(
    notebook: Path,
    *,
    compare: bool = True,
    environment: Mapping[str, str] = os.environ,
    cell_limit: float = 2000,
    limit: float | None = None,
) -> Result:
    """Run a notebook; compare: whether what its cells show must be what they store.

    environment: of the kernel; cell_limit: seconds after which a cell is interrupted; limit: seconds after which
    everything is ended.
    """
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="course-", ignore_cleanup_errors=True) as folder:
        report, log = Path(folder, "cells"), Path(folder, "log")
        words = [str(notebook.resolve()), str(report), "compare" if compare else "run", str(cell_limit)]
        with log.open("wb") as out:
            process = subprocess.Popen(
                [sys.executable, str(Path(__file__).resolve()), *words],
                cwd=ROOT,
                env={**environment, "PYTHONIOENCODING": "utf-8"},
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
            )
            late = not ends(process, limit)
        lines = report.read_text(encoding="utf-8").splitlines() if report.exists() else []
        printed = ANSI.sub("", log.read_text(encoding="utf-8", errors="replace"))
    cells = [json.loads(line) for line in lines]
    found = failures(notebook, cells, late, process.returncode, printed)
    return Result(notebook, time.monotonic() - started, found, len(cells), printed)


def ends(process: subprocess.Popen, limit: float | None) -> bool:
    """Wait for a process; after limit seconds end it and all that it started, and return False."""
    try:
        process.wait(limit)
    except BaseException as stop:  # the limit, or Ctrl-C: a kernel in an endless loop must not outlive us
        parent = psutil.Process(process.pid)
        for each in [*parent.children(recursive=True), parent]:
            with contextlib.suppress(psutil.NoSuchProcess):
                each.kill()
        process.wait()
        if not isinstance(stop, subprocess.TimeoutExpired):
            raise
        return False
    return True


def failures(notebook: Path, cells: list[dict], late: bool, status: int, printed: str) -> list[Failure]:
    """Turn the runner's lines into failures; a run that ended early, or never began, is one too."""
    name, first = notebook.stem, first_lines(notebook)
    found = [Failure(name, c["cell"] + 1, first[c["cell"]], c["what"], c["says"]) for c in cells if c["what"]]
    if late and len(cells) < len(first):
        found.append(Failure(name, len(cells) + 1, first[len(cells)], STOPPED))
    elif not found and status not in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
        found.append(Failure(name, 0, "", (printed.strip().splitlines() or ["nothing was run"])[-1]))
    return found


def first_lines(notebook: Path) -> list[str]:
    """Return the first line of each code cell; of what is no notebook none."""
    try:
        cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    except (ValueError, LookupError, TypeError):
        return []
    code = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    return [(source.strip().splitlines() or [""])[0] for source in code]


# --- nbval, in a process of its own ----------------------------------------------------------------------------


class Report:
    """A plugin of pytest: notes each of nbval's cells when it is through."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def pytest_sessionstart(self) -> None:
        """Change nbval, which pytest itself has to load first."""
        from nbval.kernel import RunningKernel

        notice_the_end(RunningKernel)

    def pytest_runtest_makereport(self, item: pytest.Item, call: pytest.CallInfo) -> None:
        """Write one line for a cell; one whose kernel did not start fails before it is called."""
        if call.when == "call" or (call.when == "setup" and call.excinfo):
            error = call.excinfo.value if call.excinfo else None  # also where nbval expects a cell to fail
            skipped = isinstance(error, pytest.skip.Exception)
            says = ANSI.sub("", (getattr(error, "inner_traceback", None) or "") if error else "")
            what = "" if error is None or skipped else in_words(str(error))
            with self.path.open("a", encoding="utf-8") as out:
                out.write(json.dumps({"cell": item.cell_num, "what": what, "says": says}) + "\n")  # type: ignore[attr-defined]


def in_words(error: str) -> str:
    """Say what nbval's exception means."""
    if "Failed to interrupt" in error:
        return "took too long and could not be interrupted"
    known = {
        DIED: DIED,
        "Cell execution caused an exception": "raised",
        "Cell outputs differ": "shows something else than it stores",
        "Kernel dead on test start": NOT_RUN,
        "Timeout": "took too long and was interrupted",
    }
    return next((words for start, words in known.items() if error.startswith(start)), error.strip() or "failed")


def notice_the_end(kernels: type) -> None:
    """Have nbval's kernels tell that they have ended; nbval alone would wait out the cell's limit."""
    wait = kernels.await_reply  # type: ignore[attr-defined]

    def await_reply(kernel: Any, msg_id: str, timeout: float) -> None:
        end = time.monotonic() + timeout
        while True:
            alive = kernel.is_alive()  # asked first: a kernel may reply and then end
            try:
                return wait(kernel, msg_id, timeout=max(0, min(1, end - time.monotonic())))
            except Empty:
                if not alive:
                    raise RuntimeError(DIED) from None
                if time.monotonic() >= end:
                    raise

    kernels.await_reply = await_reply  # type: ignore[attr-defined]


def tried(notebook: str, report: str, how: str, cell_limit: str) -> int:
    """Let nbval run a notebook and the plugin write its lines; return pytest's status."""
    ways = {
        "compare": ["--nbval", f"--nbval-sanitize-with={RULES}"],
        "run": ["--nbval-lax", "-W", "ignore"],
    }
    kernel = ["--nbval-current-env", f"--nbval-cell-timeout={cell_limit}"]
    pytest_itself = ["-c", str(ROOT / "pyproject.toml"), "-rfE", "--color=no", "-p", "no:cacheprovider"]
    return pytest.main([*pytest_itself, *ways[how], *kernel, notebook], plugins=[Report(Path(report))])


if __name__ == "__main__":
    sys.exit(tried(*sys.argv[1:]))
