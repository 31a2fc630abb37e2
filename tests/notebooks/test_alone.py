"""The first cell of every notebook: silent and free where the course is, else it gives the line for this very place."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "notebooks"))
import alone  # noqa: E402

ADDRESS = "https://github.com/someone/course"
HOSTED = "%pip install --no-deps jaxtyping wadler-lindig"
LINES = {
    ("colab", ""): f"{HOSTED} /content/course_lib-*.whl",
    ("kaggle", ""): f"{HOSTED} $(find /kaggle/input -name 'course_lib-*.whl')",
    ("elsewhere", ""): "%pip install PATH-OF-THE-FOLDER",
    ("colab", ADDRESS): f"{HOSTED} git+{ADDRESS}",
    ("kaggle", ADDRESS): f"{HOSTED} git+{ADDRESS}",
    ("elsewhere", ADDRESS): f"%pip install git+{ADDRESS}",
}


def run(cell):
    """Execute a cell as a kernel does; return the error that it ends with, or None."""
    try:
        exec(compile(cell, "cell", "exec"), {"__name__": "__main__"})
    except ImportError as error:
        return error
    return None


def be_at(place, patch):
    """Let this process look like a kernel of a place."""
    patch.delenv("KAGGLE_KERNEL_RUN_TYPE", raising=False)
    patch.delitem(sys.modules, "google.colab", raising=False)
    if place == "colab":
        patch.setitem(sys.modules, "google.colab", object())
    if place == "kaggle":
        patch.setenv("KAGGLE_KERNEL_RUN_TYPE", "Interactive")


@pytest.mark.parametrize(("place", "address"), LINES)
def test_a_lone_notebook_gives_the_line_for_the_place_where_it_runs(place, address, monkeypatch):
    monkeypatch.setitem(sys.modules, "course_lib", None)  # as if it were not installed
    be_at(place, monkeypatch)
    said = str(run(alone.first_cell(address)))
    lines = [line.strip() for line in said.splitlines()]
    assert lines[0] == "This notebook needs the course's library, and here is none."
    assert [line for line in lines if line.startswith("%pip")] == [LINES[place, address]]
    assert ("make lab" in said) == (place == "elsewhere")


@pytest.mark.parametrize("address", ["", ADDRESS])
def test_its_message_stands_without_a_traceback_and_its_lines_fit_a_cell(address, monkeypatch):
    monkeypatch.setitem(sys.modules, "course_lib", None)
    error = run(alone.first_cell(address))
    assert error._render_traceback_() == [str(error)]
    assert max(len(line) for line in alone.first_cell(address).splitlines()) <= 105


def test_where_the_course_is_it_says_nothing_and_loads_nothing():
    code = (
        "import importlib.util, os, sys; cell = sys.stdin.read(); loaded = set(sys.modules); exec(cell);"
        "new = set(sys.modules) - loaded; assert not new, new"
    )
    run = [sys.executable, "-c", code]
    done = subprocess.run(run, input=alone.first_cell(""), capture_output=True, text=True, cwd=ROOT)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_the_address_is_read_from_one_place(tmp_path):
    pyproject = tmp_path / "pyproject.toml"
    pyproject.write_text('[project]\nname = "x"\n')
    assert alone.repository(pyproject) == ""
    pyproject.write_text(f'[project]\nname = "x"\n[project.urls]\nRepository = "{ADDRESS}.git"\n')
    assert alone.repository(pyproject) == ADDRESS
