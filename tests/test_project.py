"""Versions, layout and the notebooks' structure hold together."""

import ast
import importlib.metadata
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import nbformat
import pytest
from chapter_claims import SOURCES, cells_of, claims_by_section, links_to_claims, sections_with

from course_lib.chapters.exercises import REGISTRY

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def name_of(requirement):
    return re.split(r"[<>=!~;\[ ]", requirement, maxsplit=1)[0].lower().replace("_", "-")


def test_constraints_pin_what_is_required_and_pytorch_alone_has_a_range():
    pins = dict(line.split("==") for line in (ROOT / "constraints.txt").read_text().splitlines() if "==" in line)
    pinned = {name.lower().replace("_", "-") for name in pins}
    extras = PROJECT["optional-dependencies"]
    required = {name_of(r) for r in PROJECT["dependencies"] + extras["lab"] + extras["check"]}
    assert required - pinned == {"torch"}
    assert "torch" not in pinned


def test_what_is_installed_is_what_is_pinned():
    set_up, later = (ROOT / "constraints.txt").read_text().split("# what `make site` and `make test-browser` bring")
    installed = {name_of(found.name): found.version for found in importlib.metadata.distributions()}
    for lines in (set_up, later):
        pins = dict(line.split("==") for line in lines.splitlines() if "==" in line)
        assert len(pins) > 10
        for name, version in pins.items():
            assert installed.get(name_of(name), version if lines is later else None) == version, name


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
    cells = cells_of(source)
    count = lambda text: sum(bool(re.search(r"\w", word)) for word in text.split())  # a table's | are no words
    text = [count(c.source) for c in cells if c.cell_type == "markdown"]
    assert max(text) <= 150
    assert sum(text) <= 3000
    for cell in cells:
        tags = cell.metadata.get("tags", [])
        assert set(tags) <= {"nbval-ignore-output", "hide-input"}
        if cell.cell_type == "code":
            assert max(map(len, cell.source.splitlines())) <= 105  # wider lines are cut off at 1280 pixels
            ast.parse(cell.source)  # no magics: the source runs as a script
            asks = re.search(r"^(@exercise|answer)\(", cell.source, re.M)
            assert not asks or "nbval-ignore-output" in tags


@pytest.mark.parametrize("source", SOURCES, ids=lambda p: p.stem)
def test_every_exercise_of_a_chapter_is_asked_once_and_no_cell_asks_for_two_functions(source):
    cells = [c.source for c in cells_of(source) if c.cell_type == "code"]
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
def test_each_bullet_of_the_close_links_to_the_claims_that_carry_it(source):
    """'[*words*](#Section)': the words stand in a claim of that section, and every bullet has such a link."""
    cells = cells_of(source)
    claims = claims_by_section(cells)
    close = next(c.source for c in cells if c.source.startswith("## What stays"))
    bullets = re.findall(r"^(?:- |\d\. )(.+(?:\n  .+)*)", close, re.M)
    assert 3 <= len(bullets) <= 5
    for bullet in bullets:
        links = links_to_claims(bullet)
        assert links, f"no link to a claim: {bullet}"
        for words, page, section in links:
            at = sections_with(words, claims)
            assert not page, f"{words!r} leads out of the chapter, to {page}"
            assert section in at, f"{words!r} is claimed in {at}, not in {section!r}"


@pytest.mark.parametrize("source", SOURCES, ids=lambda p: p.stem)
def test_a_chapter_is_read_in_45_minutes(source):
    cells = cells_of(source)
    lines = lambda text: sum(bool(line.strip()) and not line.strip().startswith("#") for line in text.splitlines())
    hidden = lambda cell: "hide-input" in cell.metadata.get("tags", [])
    visible = [cell.source for cell in cells if cell.cell_type == "code" and not hidden(cell)]
    assert len(cells) <= 56
    assert sum(len(cell.source.split()) for cell in cells if cell.cell_type == "markdown") <= 2400
    assert sum(map(lines, visible)) <= 320
    assert sum(lines(text) > 4 and bool(re.search(r"\bshow\(fig", text)) for text in visible) <= 1


@pytest.mark.parametrize("source", SOURCES, ids=lambda p: p.stem)
def test_every_guess_is_answered_by_a_claim_in_a_later_cell(source):
    asked, answered = {}, {}
    for i, cell in enumerate(cells_of(source)):
        if cell.cell_type == "code":
            for name in re.findall(r'^guess\("([^"]+)", \.\.\.\)', cell.source, re.M):
                assert name not in asked, name
                assert "nbval-ignore-output" in cell.metadata.get("tags", [])
                asked[name] = i
            answered |= dict.fromkeys(re.findall(r'guessed="([^"]+)"', cell.source), i)
            assert len(re.findall(r"^guess\(", cell.source, re.M)) == sum(i == at for at in asked.values())
    assert asked.keys() == answered.keys()
    assert all(asked[name] < answered[name] for name in asked)


def test_equations_are_numbered_in_order_and_references_to_them_resolve():
    tags = {}
    for source in SOURCES:
        number = re.sub(r"^0(?=\d)", "", source.stem.split("_")[0])
        text = "\n".join(cell.source for cell in cells_of(source) if cell.cell_type == "markdown")
        found = re.findall(r"\\tag\{([^}]+)\}", text)
        assert len(found) >= 2, source.name
        assert found == [f"{number}.{i + 1}" for i in range(len(found))], source.name
        tags[source.name] = set(found)
    known = set().union(*tags.values())
    for source in SOURCES:
        named = re.findall(
            r"[Ee]quations? \((\d+b?\.\d+)\)(?: (?:and|to) \((\d+b?\.\d+)\))?", source.read_text(encoding="utf-8")
        )
        assert {each for pair in named for each in pair if each} <= known, source.name
