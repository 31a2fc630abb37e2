"""Versions, layout and the notebooks' structure hold together."""

import ast
import importlib.metadata
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import jupytext
import nbformat
import pytest

from course_lib.chapters.exercises import REGISTRY

ROOT = Path(__file__).parents[1]
SOURCES = sorted((ROOT / "notebooks" / "source").glob("*.py"))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def name_of(requirement):
    return re.split(r"[<>=!~;\[ ]", requirement, maxsplit=1)[0].lower().replace("_", "-")


def test_constraints_pin_what_is_required_and_pytorch_alone_has_a_range():
    pins = dict(line.split("==") for line in (ROOT / "constraints.txt").read_text().splitlines() if "==" in line)
    pinned = {name.lower().replace("_", "-") for name in pins}
    required = {name_of(r) for r in PROJECT["dependencies"]}
    assert required - pinned == {"torch"}
    assert "torch" not in pinned


def test_what_is_installed_is_what_is_pinned():
    for line in (ROOT / "constraints.txt").read_text().splitlines():
        if "==" in line:
            name, version = line.split("==")
            assert importlib.metadata.version(name) == version


def test_one_range_of_python_and_of_pytorch():
    import course

    assert PROJECT["requires-python"] == ">={}.{},<{}.{}".format(*course.OLDEST, course.NEWEST[0], course.NEWEST[1] + 1)
    assert course.TORCH in PROJECT["dependencies"]
    conda = (ROOT / "environment.yml").read_text()
    assert f"python{PROJECT['requires-python']}" in conda
    assert "-e ." in conda
    assert "-c constraints.txt" in conda
    assert "torch" not in conda
    workflow = (ROOT / ".github/workflows/ci.yml").read_text()
    assert '["{}.{}", "{}.{}"]'.format(*course.OLDEST, *course.NEWEST) in workflow


def test_importing_the_library_has_no_effect_and_loads_no_plotting_state():
    code = (
        "import importlib, pkgutil, sys, torch, course_lib; before = torch.get_rng_state();"
        "[importlib.import_module(m.name) for m in pkgutil.walk_packages(course_lib.__path__, 'course_lib.')];"
        "import course_lib.chapters.exercises as e; e.REGISTRY.chapters;"
        "assert torch.equal(before, torch.get_rng_state());"
        "assert 'matplotlib.pyplot' not in sys.modules"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert (run.returncode, run.stdout, run.stderr) == (0, "", "")


@pytest.mark.parametrize("source", SOURCES, ids=lambda p: p.stem)
def test_cells_keep_the_sizes_of_a_lesson(source):
    notebook = jupytext.read(source, fmt="py:percent")
    count = lambda text: sum(bool(re.search(r"\w", word)) for word in text.split())  # a table's | are no words
    text = [count(c.source) for c in notebook.cells if c.cell_type == "markdown"]
    assert max(text) <= 150
    assert sum(text) <= 3000
    for cell in notebook.cells:
        tags = cell.metadata.get("tags", [])
        assert set(tags) <= {"nbval-ignore-output", "hide-input"}
        if cell.cell_type == "code":
            assert max(map(len, cell.source.splitlines())) <= 105  # wider lines are cut off at 1280 pixels
            ast.parse(cell.source)  # no magics: the source runs as a script
            asks = re.search(r"^(@exercise|answer)\(", cell.source, re.M)
            assert not asks or "nbval-ignore-output" in tags


@pytest.mark.parametrize("source", SOURCES, ids=lambda p: p.stem)
def test_every_exercise_of_a_chapter_is_asked_once_and_no_cell_asks_for_two_functions(source):
    cells = [c.source for c in jupytext.read(source, fmt="py:percent").cells if c.cell_type == "code"]
    asked = [id for cell in cells for id in re.findall(r'^(?:@exercise|answer)\("([^"]+)"', cell, re.M)]
    assert asked == list(REGISTRY.chapters[source.stem])
    assert max(len(re.findall(r"^@exercise\(", cell, re.M)) for cell in cells) == 1


@pytest.mark.parametrize("source", SOURCES, ids=lambda p: p.stem)
def test_every_picture_has_alternative_text_and_no_ignored_cell_holds_a_claim(source):
    stored = nbformat.read(ROOT / "notebooks" / f"{source.stem}.ipynb", as_version=4)
    for cell in stored.cells:
        if cell.cell_type != "code":
            continue
        if "claim(" in cell.source:
            assert "nbval-ignore-output" not in cell.metadata.get("tags", []), cell.source
        for output in cell.outputs:
            if "image/png" in output.get("data", {}):
                alt = output.metadata["image/png"]["alt"]
                assert len(alt.split()) >= 8
                assert output.data["text/plain"] == alt


@pytest.mark.parametrize("source", SOURCES, ids=lambda p: p.stem)
def test_references_to_claims_in_the_close_exist(source):
    """'(*…*)' in the last section quotes a claim's text."""
    text = source.read_text()
    close = text[text.index("## What stays") :]
    claims = " ".join(re.findall(r'claim\(\s*f?"([^"]+)"', text))
    quoted = re.findall(r"\(\*([^*]+)\*\)", close)
    assert len(quoted) == 5
    for each in quoted:
        assert each in claims, each
