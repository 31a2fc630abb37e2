"""A bit of every lesson on machines that lack something: a home, UTF-8, docstrings; names that hide."""

import os
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

ROOT = Path(__file__).parents[2]
LESSON = """
import os, sys, warnings
warnings.filterwarnings("error", category=EncodingWarning, module="course_lib")
import torch
from pathlib import Path
from course_lib.chapters.exercises import answer, exercise, hint, progress, solution
from course_lib.chapters.ch02_attention.exercises import softmax_jvp
from course_lib.classroom.claims import claim
from course_lib.classroom.figures import line, show
from course_lib.classroom.records import recorded
from course_lib.datasets.images import load_digits
from course_lib.datasets.text import load_shakespeare, load_text
from course_lib.pretrained.vaes import load_digit_vae
from course_lib.training.fit import fit
from course_lib.training.runtime import describe, start
from runs import draw, language

start()
describe()
torch.manual_seed(0)
load_digits(), load_shakespeare(), load_digit_vae(), recorded("depth")
claim("Σ p = 1", True, entropy=0.5)
answer("attention.variance_prediction", 64)
hint("attention.softmax_jvp")
solution("attention.softmax_jvp")

@exercise("attention.softmax_jvp")
def softmax_jvp(weights, direction):
    return weights * (direction - (weights * direction).sum(-1, keepdim=True))

progress("02")
own = Path(os.environ["COURSE_HOME"], "text.txt")
own.write_text("春眠不觉晓，处处闻啼鸟。" * 2_000, encoding="utf-8")
load_text(own)
_, trained, step = language()
fit(step, draw, 4, trained, every=2, checkpoint=own.with_name("lm"), progress=False)
import matplotlib
matplotlib.use("agg")
from matplotlib.figure import Figure
figure = Figure()
figure.add_subplot().plot([0, 1], [0, 1])
show(figure, alt="A line from 0 to 1.")
print("end")
"""
NOWHERE = f"{os.devnull}/there"
POOR = {
    "locale C, no home, no TMPDIR": {"LC_ALL": "C", "HOME": NOWHERE, "TMPDIR": NOWHERE},
    "a Windows code page, no docstrings": {"PYTHONUTF8": "0", "PYTHONIOENCODING": "cp1252", "PYTHONOPTIMIZE": "2"},
}


@pytest.mark.parametrize("variables", POOR.values(), ids=POOR)
def test_a_lesson_goes_on(variables, home, tmp_path, monkeypatch):
    """Whatever reads or writes a text without naming its encoding is an error here: it would differ on Windows."""
    home.mkdir()
    monkeypatch.delenv("MPLCONFIGDIR", raising=False)
    (tmp_path / "lesson.py").write_text(LESSON, encoding="utf-8")
    found = os.pathsep.join([str(ROOT), str(ROOT / "tests")])
    strict = {"PYTHONWARNDEFAULTENCODING": "1", "PYTHONPATH": found}
    environment = {**os.environ, **strict, **variables}
    done = subprocess.run([sys.executable, "lesson.py"], cwd=tmp_path, env=environment, capture_output=True)
    assert done.returncode == 0, done.stderr.decode(errors="replace")[-3000:]
    said = done.stdout.decode("latin-1")
    assert said.count(": right") == 2
    assert said.splitlines()[-1] == "end"
    assert {"progress.json", "lm"} <= {path.name for path in home.iterdir()}


def test_a_learners_random_hides_nothing_and_a_learners_torch_does(tmp_path):
    """A notebook's folder comes after Python's own library and before what was installed: `make lab` names such files."""
    (tmp_path / "random.py").write_text("mine = True\n")
    (tmp_path / "torch.py").write_text("mine = True\n")
    cell = nbformat.v4.new_code_cell("import random, torch\nprint(hasattr(random, 'mine'), hasattr(torch, 'mine'))")
    notebook = nbformat.v4.new_notebook(cells=[cell])
    NotebookClient(notebook, resources={"metadata": {"path": str(tmp_path)}}).execute()
    assert notebook.cells[0].outputs[0].text == "False True\n"
