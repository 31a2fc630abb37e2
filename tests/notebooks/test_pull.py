"""A learner's edits and `git pull`: for real, in a clone of a small course with this course's own course.py."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SHIPPED = ("course.py", ".gitignore")
COPY = "import course; print(*course.copy_for_learner(), sep='\\n')"

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="git is not on this machine")


def git(folder, *arguments):
    """Run git as somebody, whatever is configured here; return what it prints."""
    who = {f"GIT_{role}_{what}": "a@b.c" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    alone = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
    done = subprocess.run(
        ["git", *arguments], cwd=folder, env={**os.environ, **who, **alone}, capture_output=True, encoding="utf-8"
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def publish(upstream, **chapters):
    """Write chapters, name → text, and commit them."""
    (upstream / "notebooks").mkdir(exist_ok=True)
    for name, text in chapters.items():
        cells = [{"cell_type": "code", "source": [text], "outputs": [], "execution_count": None}]
        notebook = {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
        (upstream / "notebooks" / f"0{name[-1]}_{name}.ipynb").write_text(json.dumps(notebook))
    git(upstream, "add", "-A")
    git(upstream, "commit", "-q", "-m", "A change")


def start(clone):
    """What `make lab` does before it opens JupyterLab; return the lines that it says."""
    done = subprocess.run([sys.executable, "-c", COPY], cwd=clone, capture_output=True, encoding="utf-8")
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_a_pull_leaves_a_learners_work_as_it_is_and_brings_the_new_chapter_beside_it(tmp_path):
    upstream, clone = tmp_path / "upstream", tmp_path / "clone"
    upstream.mkdir()
    for name in SHIPPED:
        shutil.copy(ROOT / name, upstream)
    git(upstream, "init", "-q", "-b", "main")
    publish(upstream, one1="x = 1", two2="y = 1")
    git(tmp_path, "clone", "-q", str(upstream), str(clone))
    assert start(clone) == ""
    mine = clone / "work" / "01_one1.ipynb"
    mine.write_text(mine.read_text().replace("x = 1", "x = 'mine'"))
    (clone / "work" / "notes.txt").write_text("mine, too")
    before = {path.name: path.read_bytes() for path in (clone / "work").iterdir()}
    publish(upstream, one1="x = 'better'", three3="z = 1")

    git(clone, "pull", "-q", "--ff-only")
    assert git(clone, "status", "--porcelain") == ""
    assert "better" in (clone / "notebooks" / "01_one1.ipynb").read_text()
    assert {path.name: path.read_bytes() for path in (clone / "work").iterdir()} == before

    assert start(clone) == "01_one1.ipynb has changed: the new one is work/01_one1.new.ipynb, yours stays as it is."
    after = {path.name: path.read_bytes() for path in (clone / "work").iterdir()}
    assert set(after) - set(before) == {"01_one1.new.ipynb", "03_three3.ipynb"}
    for name in ("01_one1.ipynb", "02_two2.ipynb", "notes.txt"):
        assert after[name] == before[name]
    assert b"better" in after["01_one1.new.ipynb"]
    assert git(clone, "status", "--porcelain") == ""
