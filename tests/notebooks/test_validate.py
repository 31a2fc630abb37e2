"""validate.py: which chapters run in which way and order, and the line that names what failed."""

import json
import sys
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "notebooks"))
import comparison  # noqa: E402
import validate  # noqa: E402


def test_the_longest_begin_and_those_without_a_note_before_them(tmp_path):
    notes = {
        "a": {"course": {"seconds": 5}},
        "b": {"course": {"seconds": 50}},
        "c": {},
        "d": {"course": {"seconds": 9}},
    }
    for name, metadata in notes.items():
        nbformat.write(nbformat.v4.new_notebook(metadata=metadata), tmp_path / f"{name}.ipynb")
    paths = [tmp_path / f"{name}.ipynb" for name in "abcde"]
    assert "".join(path.stem for path in validate.longest_first(paths)) == "cebda"


@pytest.fixture
def two(tmp_path, monkeypatch):
    """A course of two chapters, and no run of them."""
    (tmp_path / "notebooks").mkdir()
    for name in ("01_good", "02_bad"):
        nbformat.write(nbformat.v4.new_notebook(), tmp_path / "notebooks" / f"{name}.ipynb")
    monkeypatch.setattr(validate, "ROOT", tmp_path)


def result(path, *failures):
    return comparison.Result(path, 7.4, list(failures), 1, "all that was printed")


def test_a_line_a_chapter_names_the_first_failing_cell_and_its_claim(two, monkeypatch, capsys):
    claims = "✗ does not hold here: one is two\n    measured: x = 1"
    failed = [
        comparison.Failure("02_bad", 2, "print(x)", "raised", claims),
        comparison.Failure("02_bad", 5, "x", "later"),
    ]
    runs = {"01_good": [], "02_bad": failed}
    monkeypatch.setattr(validate, "run", lambda path, how: result(path, *runs[path.stem]))
    assert validate.main([]) == 1
    said = capsys.readouterr().out
    good, bad = sorted(line for line in said.splitlines() if line.startswith("  0"))
    assert good.split() == ["01_good", "7", "s", "ok"]
    assert bad.split(maxsplit=3) == [
        "02_bad", "7", "s", "failed at In [2]: print(x) · claim does not hold: one is two",
    ]  # fmt: skip
    assert "In [5]: x · later" in said
    assert "all that was printed" in said


def test_numbers_choose_chapters_and_kernels_are_those_asked_for(two, monkeypatch):
    calls = []

    def run(path, environment, **others):
        calls.append((path.name, environment["OMP_NUM_THREADS"], environment.get("ATEN_CPU_CAPABILITY")))
        return result(path)

    monkeypatch.setattr(comparison, "run", run)
    monkeypatch.setattr(validate, "run_solved", run)
    monkeypatch.delenv("ATEN_CPU_CAPABILITY", raising=False)
    assert validate.main(["01"]) == validate.main(["01", "--avx2"]) == validate.main(["02", "--solved"]) == 0
    assert calls == [("01_good.ipynb", "1", None), ("01_good.ipynb", "2", "avx2"), ("02_bad.ipynb", "1", "default")]


@pytest.mark.parametrize("arguments", [["07"], ["01", "07"], ["--avx"], ["--avx2", "--solved"]])
def test_what_cannot_be_followed_is_told(two, capsys, arguments):
    assert validate.main(arguments) == 2
    assert "numbers of chapters (01, 02), got " in capsys.readouterr().out


# --- every exercise done ---------------------------------------------------------------------------------------

CHAPTER = ROOT / "notebooks" / "02_attention.ipynb"


def test_a_solved_chapter_is_compared_with_the_stored_one_and_its_exercises_come_again(monkeypatch):
    ran = []

    def run(path, environment, **others):
        ran.append(nbformat.read(path, as_version=4))
        home = Path(environment["COURSE_HOME"])
        home.mkdir()
        from course_lib.chapters.exercises import REGISTRY

        done = {id: {"state": "done", "seen": False} for id in REGISTRY.chapters["02_attention"]}
        (home / "progress.json").write_text(
            json.dumps({**done, "attention.fault_b": {"state": "wrong", "seen": False}})
        )
        return result(path)

    monkeypatch.setattr(comparison, "run", run)
    found = validate.run(CHAPTER, "--solved")
    assert [failure.why for failure in found.failures] == ["attention.fault_b: not noted as done"]
    (solved,) = ran
    code = [cell for cell in solved.cells if cell.cell_type == "code"]
    compared = [
        c for c in code if c.execution_count and c.outputs and comparison.IGNORE not in c.metadata.get("tags", [])
    ]
    assert len(compared) > 10, "with what the chapter stores"
    assert sum('@exercise("attention.softmax_jvp")' in cell.source for cell in code) == 2
    assert all(cell.execution_count is None for cell in code[-2:]), "what comes again is not compared"


def test_a_run_that_leaves_no_progress_is_no_success(monkeypatch):
    monkeypatch.setattr(comparison, "run", lambda path, **others: result(path))
    assert len(validate.run(CHAPTER, "--solved").failures) == 8
