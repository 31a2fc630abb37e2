"""build.py: what makes a stored notebook stale, what it says of it, and what it leaves in the file."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import jupytext
import nbformat
import pytest

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "notebooks"))
import build  # noqa: E402


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    """A copy of sources and library, whose notebooks are stored as made from them, but not executed."""
    root = tmp_path_factory.mktemp("original")
    for name in ("course_lib", "notebooks/source"):
        shutil.copytree(ROOT / name, root / name, ignore=shutil.ignore_patterns("__pycache__"))
    with pytest.MonkeyPatch.context() as patch:
        place(patch, root)
        for source in sources(root):
            nbformat.write(build.from_source(source), root / "notebooks" / f"{source.stem}.ipynb")
    return root


def place(patch, root):
    """Let build.py work in another folder."""
    patch.setattr(build, "HERE", root / "notebooks")
    patch.setattr(build, "LIBRARY", root / "course_lib")


@pytest.fixture
def tree(original, tmp_path, monkeypatch):
    """The copy, to be changed."""
    shutil.copytree(original, tmp_path, dirs_exist_ok=True)
    place(monkeypatch, tmp_path)
    return tmp_path


def sources(root):
    return sorted((root / "notebooks" / "source").glob("*.py"))


def edit(path, old, new):
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    build.code.cache_clear()
    build.imports.cache_clear()


def stale(root):
    """Chapter number → what is said to have changed."""
    said = {source.stem.split("_")[0]: build.changed(source) for source in sources(root)}
    return {number: text for number, text in said.items() if text}


def test_what_was_just_made_is_not_stale(tree):
    assert stale(tree) == {}


def test_a_changed_exercise_makes_its_own_chapter_stale_and_no_other(tree):
    name = "course_lib/chapters/ch02_attention/exercises/softmax_jvp.py"
    edit(tree / name, '"the term p pᵀ u is left out"', '"p pᵀ u is left out"')
    assert stale(tree) == {"02": f"changed since it was executed: {name}"}


def test_comments_docstrings_and_layout_of_the_library_make_nothing_stale(tree):
    path = tree / "course_lib" / "attention" / "masks.py"
    edit(path, "import torch\n", "import torch  # of all masks\n\n# the first comment\n")
    edit(path, '    """', '    """Mind you. ')
    assert stale(tree) == {}


def test_a_changed_function_makes_those_stale_that_import_it_however_indirectly(tree):
    name = "course_lib/gan/losses.py"
    path = tree / name
    path.write_text(path.read_text(encoding="utf-8") + "\n\nEXTRA = 1\n", encoding="utf-8")
    build.code.cache_clear()
    found = stale(tree)
    direct = {s.stem.split("_")[0] for s in sources(tree) if "course_lib.gan.losses" in s.read_text(encoding="utf-8")}
    assert direct
    assert direct <= set(found)
    assert not {"00", "01", "02", "03", "04", "05"} & set(found)
    assert set(found.values()) == {f"changed since it was executed: {name}"}
    edit(tree / "course_lib" / "classroom" / "claims.py", "def claim(", "def unclaim():\n    return 1\n\n\ndef claim(")
    assert set(stale(tree)) == {s.stem.split("_")[0] for s in sources(tree)}


def test_a_changed_script_of_an_explorer_makes_those_stale_that_show_it(tree):
    name = "course_lib/chapters/ch01_likelihood/kl_bells.js"
    edit(tree / name, "const FORWARD", "const REVERSED = 1, FORWARD")
    assert stale(tree) == {"01": f"changed since it was executed: {name}"}
    edit(tree / "course_lib" / "classroom" / "live.js", "const live", "const dead = 1, live")
    assert {"01", "10"} <= set(stale(tree))
    assert not {"03", "04", "12"} & set(stale(tree))


def test_a_changed_source_and_a_missing_notebook_are_named(tree):
    first, second, third, *_ = sources(tree)
    edit(first, "# %%", "# one more word\n\n# %%")
    (tree / "notebooks" / f"{second.stem}.ipynb").unlink()
    path = tree / "notebooks" / f"{third.stem}.ipynb"
    stored = nbformat.read(path, as_version=4)
    stored.metadata["course"] = {"made_from": "0123456789abcdef"}
    nbformat.write(stored, path)
    assert stale(tree) == {
        first.stem.split("_")[0]: f"changed since it was executed: notebooks/source/{first.name}",
        second.stem.split("_")[0]: "new",
        third.stem.split("_")[0]: "what it was made from is not noted",
    }


SMALL = '# %% [markdown]\n# # Small\n\n# %%\nprint("one")\n\n# %%\nassert True\n'


@pytest.fixture
def small(tmp_path, monkeypatch):
    """A course of one short chapter."""
    (tmp_path / "notebooks" / "source").mkdir(parents=True)
    place(monkeypatch, tmp_path)
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    source = tmp_path / "notebooks" / "source" / "41_small.py"
    source.write_text(SMALL)
    return source


def but_for_seconds(path):
    """A stored notebook's text without the time that it took, which a busy machine may double."""
    text, found = re.subn(r'"seconds": \d+', "", path.read_text(encoding="utf-8"))
    assert found == 1
    return text


def test_a_build_stores_outputs_seconds_and_metadata_that_tools_need(small, capsys):
    assert build.build(small)[0]
    path = build.HERE / "41_small.ipynb"
    stored = nbformat.read(path, as_version=4)
    assert stored.cells[2].outputs[0].text == "one\n"
    assert stored.metadata["course"]["seconds"] >= 0
    assert stored.metadata["kernelspec"]["name"] == "python3"  # for `jupytext --execute`
    assert stored.metadata["language_info"]["file_extension"] == ".py"  # for `nbconvert --to script`
    assert build.faults(small) == []
    before = but_for_seconds(path)
    assert build.build(small)[0]
    assert but_for_seconds(path) == before
    assert build.main([]) == 0
    assert capsys.readouterr().out == "0 of 1 notebooks executed\n"


def test_a_chapter_that_stops_is_told_and_the_stored_one_stays(small):
    build.build(small)
    path = build.HERE / "41_small.ipynb"
    before = path.read_bytes()
    small.write_text(SMALL.replace("assert True", "assert False, 'no such thing'"))
    ran, said = build.build(small)
    assert not ran
    assert said.startswith("41_small.ipynb: stopped, the stored one stays as it was")
    assert "no such thing" in said
    assert path.read_bytes() == before


def test_seconds_of_a_busier_moment_do_not_change_the_file(small, monkeypatch):
    path = build.HERE / "41_small.ipynb"
    for took, noted in ((40, 40), (75, 40), (25, 40), (90, 90)):
        clock = iter((0.0, took))
        monkeypatch.setattr(build, "execute", lambda notebook: None)
        monkeypatch.setattr(build.time, "monotonic", lambda clock=clock: next(clock))
        build.build(small)
        assert nbformat.read(path, as_version=4).metadata["course"]["seconds"] == noted


def test_numbers_that_are_no_chapter_are_refused(small, capsys):
    assert build.main(["41", "77"]) == 2
    assert capsys.readouterr().out == "expected numbers of chapters (41), got 77\n"


@pytest.mark.parametrize("source", sources(ROOT), ids=lambda p: p.stem)
def test_sources_name_their_kernel(source):
    """Without it `jupytext --execute` looks for one that belongs to the Python that runs it."""
    assert jupytext.read(source, fmt="py:percent").metadata["kernelspec"] == build.KERNEL


def test_a_notebook_alone_says_what_it_lacks(tmp_path):
    """Without site packages there is no course; with them the cell does nothing."""
    source = build.from_source(ROOT / "notebooks" / "source" / "00_start_here.py").cells[1].source
    alone, at_home = (
        subprocess.run([sys.executable, *options, "-c", source], cwd=tmp_path, capture_output=True, text=True)
        for options in (["-S"], [])
    )
    assert (at_home.returncode, at_home.stdout, at_home.stderr) == (0, "", "")
    assert alone.returncode != 0
    assert "In the course's folder `make lab` sets it up" in alone.stderr


def test_cells_that_only_draw_are_collapsed(small):
    small.write_text(SMALL + '\n# %% tags=["hide-input"]\nprint("drawn")\n')
    drawn = build.from_source(small).cells[-1]
    assert drawn.metadata == {"jupyter": {"source_hidden": True}, "tags": ["hide-input"]}
