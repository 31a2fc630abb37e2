"""Through a real kernel: a wrong answer, classes, warnings."""

import asyncio
import sys
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

import course

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "notebooks"))
from build import from_source  # noqa: E402


def execute(notebook, until=None):
    """Run a notebook in a kernel, up to and with the cell that contains a text; return its code cells."""
    if until:
        last = next(i for i, cell in enumerate(notebook.cells) if until in cell.source)
        notebook.cells = notebook.cells[: last + 1]
    if sys.platform == "win32":
        asyncio.set_event_loop_policy(asyncio.WindowsSelectorEventLoopPolicy())
    place = {"metadata": {"path": str(ROOT / "notebooks")}}
    NotebookClient(notebook, timeout=600, coalesce_streams=True, resources=place).execute()
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def told(cell):
    """What a reader sees of a cell, as plain text."""
    shown = [o.get("text") or o.get("data", {}).get("text/plain", "") for o in cell.outputs]
    return "\n".join(shown)


def test_a_wrong_answer_stops_the_run_with_its_message():
    notebook = from_source(ROOT / "notebooks" / "source" / "02_attention.py")
    cell = next(c for c in notebook.cells if '@exercise("attention.softmax_jvp")' in c.source)
    cell.source = (
        '@exercise("attention.softmax_jvp")\ndef softmax_jvp(weights, direction):\n    return weights * direction'
    )
    with pytest.raises(CellExecutionError) as stopped:
        execute(notebook, until="without the matrix")
    error = cell.outputs[-1]
    assert (error.output_type, error.ename) == ("error", "WrongAnswerError")
    assert error.traceback[0] == "✗ attention.softmax_jvp: not yet right"
    assert "Your output equals what one gets if the term p pᵀ u is left out." in "\n".join(error.traceback)
    assert "File " not in "\n".join(error.traceback)
    assert "without the matrix" not in told(notebook.cells[-1])
    assert "softmax_jvp" in str(stopped.value)


def test_in_a_kernel_classes_are_untouched_and_messages_have_two_forms(tmp_path):
    """A class of a notebook has no source file; the stub is recognised all the same."""
    setup = (
        "from pathlib import Path\nimport torch\nfrom torch import nn\n"
        "from course_lib.classroom.exercises.engine import Exercises\n"
        "from course_lib.classroom.exercises.registry import Registry\n"
        "from course_lib.classroom.exercises.spec import Exercise, Probe\n"
        "class Half(nn.Module):\n    def forward(self, x):\n        return x / 2\n"
        "stub = 'class Half(nn.Module):\\n    def forward(self, x):\\n        ...\\n'\n"
        "toy = Exercise(id='t.h', reference=Half, stub=stub, probes=lambda: [Probe((torch.ones(3).double(),))],\n"
        "               checked='c', hints=('h',), why='w')\n"
        "registry = Registry(dict, Path('.'))\nregistry.find = lambda id: toy\nexercise = Exercises(registry).exercise"
    )
    cells = [setup, "@exercise('t.h')\nclass Half(nn.Module):\n    def forward(self, x):\n        ...\n"]
    cells.append(cells[1].replace("...", "return 0.5 * x"))
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(c) for c in cells])
    _, untouched, right = execute(notebook)
    assert told(untouched).startswith("◦ t.h: yours to write")
    assert told(right).startswith("✓ t.h: right")
    html = right.outputs[0].data["text/html"]
    assert "✓ t.h: right" in html
    assert "checked: c" in html
    assert "<script" not in html


WARN = """\
import warnings
stopped = []
for module in ("course_lib.vae.bounds", "matplotlib.axes", "numpy", "torch.nn", "torchx", "jupyter_client.session"):
    try:
        warnings.warn_explicit("old", DeprecationWarning, module, 1, module)
    except DeprecationWarning:
        stopped.append(module)
print(stopped)
warnings.warn("mine")"""


def test_in_the_kernels_of_make_test_a_warning_of_a_cell_or_of_what_it_calls_is_an_error(monkeypatch):
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(WARN)])
    with course.test_environment() as environment:
        monkeypatch.setenv("IPYTHONDIR", environment["IPYTHONDIR"])
        with pytest.raises(CellExecutionError) as stopped:
            execute(notebook)
    assert (stopped.value.ename, stopped.value.evalue) == ("UserWarning", "mine")
    printed = notebook.cells[0].outputs[0].text
    assert printed == "['course_lib.vae.bounds', 'matplotlib.axes', 'numpy', 'torch.nn']\n"
