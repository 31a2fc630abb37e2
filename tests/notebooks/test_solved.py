"""solved.py: each chapter with every exercise done, beside what the stored notebook shows."""

import ast
import sys
from pathlib import Path

import nbformat
import pytest
from nbclient.exceptions import CellExecutionError

from course_lib.chapters.exercises import REGISTRY
from course_lib.classroom.exercises.spec import Exercise

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "notebooks"))
import solved  # noqa: E402

SOURCES = sorted((ROOT / "notebooks" / "source").glob("[0-9][0-9]*_*.py"))


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.stem)
def test_every_exercise_is_done_and_the_rest_shows_what_is_stored(source):
    notebook, stored = solved.solved(source), ROOT / "notebooks" / f"{source.stem}.ipynb"
    before = {cell.id: cell.get("outputs") for cell in nbformat.read(stored, as_version=4).cells}
    for id, entry in REGISTRY.chapters.get(source.stem, {}).items():
        (cell,) = [cell for cell in notebook.cells if solved.asks(cell, id)]
        assert cell.outputs == []
        assert cell.execution_count is None
        if isinstance(entry, Exercise):
            assert below_decorators(cell.source)[id] != entry.stub
            assert entry.name in {getattr(node, "name", "") for node in ast.parse(cell.source).body}
        else:
            assert f'answer("{id}", {entry.right!r})' in cell.source
    ids = REGISTRY.chapters.get(source.stem, {})
    for cell in notebook.cells:
        if cell.cell_type == "code" and cell.id in before and not any(solved.asks(cell, id) for id in ids):
            assert cell.outputs == before[cell.id]


def below_decorators(text):
    """Exercise → what a cell defines below its decorator."""
    return {
        decorator.args[0].value: "\n".join(text.splitlines()[node.lineno - 1 : node.end_lineno])
        for node in ast.parse(text).body
        for decorator in getattr(node, "decorator_list", [])
        if isinstance(decorator, ast.Call) and getattr(decorator.func, "id", "") == "exercise"
    }


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(solved, "FOLDER", tmp_path / "solved")
    return tmp_path / "solved"


def test_a_chapter_that_stops_is_told_and_not_written(folder, monkeypatch):
    def stops(notebook):
        raise CellExecutionError("no such thing", "ename", "evalue")

    monkeypatch.setattr(solved, "execute", stops)
    written, said = solved.write(SOURCES[0], run=True)
    assert (written, folder.exists()) == (False, False)
    assert said.startswith("00_start_here: stopped, not written")
    assert solved.write(SOURCES[0], run=False) == (True, "solved/00_start_here.ipynb: 6 exercises")
    assert [path.name for path in folder.iterdir()] == ["00_start_here.ipynb"]


@pytest.mark.parametrize("arguments", [["77"], ["--execute"]])
def test_what_cannot_be_followed_is_told(arguments, folder, capsys):
    assert solved.main(arguments) == 2
    assert f"got {arguments[0]}" in capsys.readouterr().out
    assert not folder.exists()
