"""comparison.py with the runner of today: what is compared, what is not, and what is said of a cell that fails.

Another runner has to pass these tests.
"""

import os
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import psutil
import pytest

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "notebooks"))
import comparison  # noqa: E402
from comparison import Failure  # noqa: E402


@pytest.fixture
def notebook(tmp_path, monkeypatch):
    """Write a notebook of cells (source, stored outputs, tags) as if it had been run; return its path."""
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))

    def write(*cells):
        made = []
        for count, (source, outputs, *tags) in enumerate(cells, 1):
            cell = nbformat.v4.new_code_cell(source, execution_count=count, metadata={"tags": tags} if tags else {})
            cell.outputs = [
                nbformat.v4.new_output("stream", name="stdout", text=o) if isinstance(o, str) else o for o in outputs
            ]
            made += [nbformat.v4.new_markdown_cell("Text"), cell]
        path = tmp_path / "41_small.ipynb"
        nbformat.write(nbformat.v4.new_notebook(cells=made), path)
        return path

    return write


def shown(**data):
    return nbformat.v4.new_output("display_data", data=data)


DISPLAY = "from IPython.display import display\ndisplay({'text/plain': 'a', 'image/png': 'aGVyZQ=='}, raw=True)"
CLAIM = "from course_lib.classroom.claims import claim\nclaim('one is two', False, one=1)"
IN_STEPS = "print('in ', end='', flush=True)\nprint('steps')"


def test_texts_are_compared_and_pictures_measured_values_and_ignored_cells_are_not(notebook):
    path = notebook(
        ("x = 1", []),
        ("print(x)", ["1\n"]),
        (IN_STEPS, ["in ", "steps\n"]),
        (DISPLAY, [shown(**{"text/plain": "a", "image/png": "dGhlcmU="})]),
        ("print('✓ so\\n    measured: x = 2')", ["✓ so\n    measured: x = 7\n"]),
        ("print(7)", ["9\n"], comparison.IGNORE),
        ("print(2)", ["3\n"]),
        ("print(4)", []),
        (DISPLAY, [shown(**{"text/plain": "b", "image/png": "aGVyZQ=="})]),
        ("# twice\n1 / 0", []),
        (CLAIM, ["✓ one is two\n"]),
        ("print('on')", ["on\n"]),
    )
    result = comparison.run(path)
    differs = "shows something else than it stores"
    assert [str(failure) for failure in result.failures] == [
        f"In [7]: print(2) · {differs}",
        f"In [8]: print(4) · {differs}",
        f"In [9]: from IPython.display import display · {differs}",
        "In [10]: # twice · ZeroDivisionError: division by zero",
        "In [11]: from course_lib.classroom.claims import claim · claim does not hold: one is two",
    ]
    assert (result.tried, result.failures[4].claim, result.failures[0].claim) == (12, "one is two", "")
    assert {failure.chapter for failure in result.failures} == {"41_small"}
    assert "'3\\n' == '2\\n'" in result.failures[0].says.replace("\\\\n", "\\n")


def test_a_run_without_comparison_interrupts_what_takes_too_long_and_goes_on(notebook):
    path = notebook(("print(1)", ["2\n"]), ("while True: pass", []), ("y = 1", []), ("print(z)", []))
    result = comparison.run(path, compare=False, cell_limit=10, environment={**os.environ, "COURSE_HOME": "here"})
    assert [failure.cell for failure in result.failures] == [2, 4]
    assert result.failures[0].why == "took too long and was interrupted"
    assert result.failures[1].why == "NameError: name 'z' is not defined"


def test_a_kernel_that_ends_is_told_for_each_cell_that_did_not_run(notebook):
    path = notebook(("import os", []), ("os._exit(1)", []), ("y = 1", []))
    result = comparison.run(path, compare=False, cell_limit=600)
    assert result.seconds < 300, "it waits for nobody"
    assert [(f.cell, f.why) for f in result.failures] == [
        (2, "ended its kernel"),
        (3, "was not run: the kernel had ended"),
    ]


CHILD = "import os, sys, time; open(sys.argv[1], 'w').write(f'{os.getpid()} '); time.sleep(600)"
PARENT = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {CHILD!r}, sys.argv[1]])"


def test_a_run_that_takes_too_long_is_ended_with_all_that_it_started(tmp_path):
    noted = tmp_path / "pid"
    process = subprocess.Popen([sys.executable, "-c", PARENT, str(noted)])
    while not (noted.exists() and noted.read_text().endswith(" ")):
        assert process.poll() is None
    child = psutil.Process(int(noted.read_text()))
    assert not comparison.ends(process, limit=0.01)
    assert process.returncode != 0
    until = time.monotonic() + 60
    while child.is_running() and child.status() != psutil.STATUS_ZOMBIE:  # killed, and perhaps collected by nobody
        assert time.monotonic() < until
    assert comparison.ends(subprocess.Popen([sys.executable, "-c", ""]), limit=600)


def test_the_cell_in_which_a_run_was_ended_is_named(notebook):
    path = notebook(("x = 1", []), ("while True: pass", []), ("y = 1", []))
    through = [{"cell": 0, "what": "", "says": ""}]
    (failure,) = comparison.failures(path, through, late=True, status=-9, printed="")
    assert str(failure) == f"In [2]: while True: pass · {comparison.STOPPED}"


def test_what_is_no_notebook_fails_and_names_no_cell(tmp_path):
    path = tmp_path / "41_small.ipynb"
    path.write_text("not a notebook")
    (failure,) = comparison.run(path).failures
    assert (failure.cell, failure.chapter) == (0, "41_small")
    assert failure.why
    assert comparison.failures(path, [], late=False, status=5, printed="no tests ran") == [], "a text without code"


def test_our_own_message_is_told_and_not_its_last_line():
    says = "\n✗ attention.jvp: not yet right\n  called with …\n  hint('attention.jvp') helps."
    assert Failure("02", 3, "@exercise", "raised", says).why == "✗ attention.jvp: not yet right"
    assert Failure("02", 3, "x", "raised").why == "raised"
