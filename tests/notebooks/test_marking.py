"""mark.py: which notebooks, whose, of which chapter; every state of an exercise; the table; one class for real."""

import csv
import json
import sys
from dataclasses import replace
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "notebooks"))
import asked  # noqa: E402
import comparison  # noqa: E402
import mark  # noqa: E402
import marks  # noqa: E402
import solved  # noqa: E402
from comparison import Failure  # noqa: E402
from marks import Judged, Marked  # noqa: E402

CHAPTERS = [mark.read(path) for path in sorted((ROOT / "notebooks").glob("0[23]_*.ipynb"))]
ATTENTION = CHAPTERS[0]


def write(path, *code, **metadata):
    path.parent.mkdir(parents=True, exist_ok=True)
    cells = [nbformat.v4.new_code_cell(source) for source in code]
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=metadata), path)
    return path


# --- which notebooks, whose, of which chapter ------------------------------------------------------------------


def test_files_folders_and_patterns_name_each_notebook_once(tmp_path):
    names = ("a/b c.ipynb", "a/d/e.ipynb", "f[1].ipynb", "a/.ipynb_checkpoints/e.ipynb", "g.txt")
    a, e, f, *_ = (write(tmp_path / name) for name in names)
    assert mark.notebooks_named([str(tmp_path / "a"), str(a), str(tmp_path / "**" / "e.ipynb")]) == [a, e]
    assert mark.notebooks_named([str(f)]) == [f]
    for nothing in (tmp_path / "h", tmp_path / "*.md", ""):
        with pytest.raises(ValueError, match="found no notebook at"):
            mark.notebooks_named([str(f), str(nothing)])


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("maria/02_attention.ipynb", "maria"),
        ("02_attention_maria.ipynb", "maria"),
        ("maria_02_attention.ipynb", "maria"),
        ("Maria Curie - 02_attention.ipynb", "Maria Curie"),
        ("group 1/maria/02_attention.ipynb", "group 1/maria"),
        ("maria/02_attention (1).ipynb", "maria/(1)"),
        ("maria/homework.ipynb", "maria/homework"),
        ("李明/02_attention.ipynb", "李明"),
        ("02_attention.ipynb", "class"),
        ("02_attention2.ipynb", "02_attention2"),
    ],
)
def test_whose_a_notebook_is_stands_in_its_path(path, expected):
    folder = Path("/home/class").absolute()
    assert mark.who(folder / path, folder, ["02_attention", "02b_attention_reads"]) == expected


def test_a_chapter_is_known_by_its_cells_whatever_the_name(tmp_path):
    def chapter(*code):
        found = mark.chapter_of(mark.read(write(tmp_path / "homework.ipynb", *code)), CHAPTERS)
        return found and found.name

    assert chapter(*ATTENTION.code[:5]) == "02_attention"
    assert chapter(*CHAPTERS[1].code[4:7], ATTENTION.code[5]) == "03_positions_and_cost"
    assert chapter(ATTENTION.code[0], ATTENTION.code[3]) is None, "the first cell is the same in every chapter"
    assert chapter("print(1)", "", "") is None


@pytest.mark.parametrize("text", ["", "{", "[]", '{"cells": 3}', '{"nbformat": 9, "cells": []}', "\x00"])
def test_what_is_no_notebook_is_told_in_a_row_and_stops_nobody(tmp_path, text):
    path = tmp_path / "02_attention.ipynb"
    path.write_text(text)
    marked = mark.mark(path, "maria", CHAPTERS)
    assert (marked.who, marked.chapter, marked.exercises) == ("maria", "", [])
    assert len(marked.notes) == 1


# --- an exercise's state ---------------------------------------------------------------------------------------

WRONG = {"state": "wrong", "key": "squared", "lines": ["called with x", "x is squared.", "Hint: think"]}
HERE = {4: Failure("02", 4, "@exercise", "raised", "SyntaxError: oops")}
STATES = [
    ({"state": "done", "seen": False}, 4, {}, Judged("a.b", "right")),
    ({"state": "done", "seen": True}, 4, {}, Judged("a.b", "right, solution shown")),
    ({"state": "wrong", "seen": False, "said": WRONG}, 4, HERE, Judged("a.b", "wrong", "squared", "called with x · x is squared.")),
    ({"state": "wrong", "seen": False, "said": {**WRONG, "state": "unfinished"}}, 4, {}, Judged("a.b", "unfinished")),
    ({"state": "open", "seen": False, "said": {**WRONG, "state": "untouched"}}, 4, {}, Judged("a.b", "untouched")),
    ({}, 4, HERE, Judged("a.b", "stopped", text="SyntaxError: oops")),
    ({}, 9, {}, Judged("a.b", "stopped", text="the run had ended before")),
    ({}, 4, {}, Judged("a.b", "not judged", text="its cell ran, but the check of the course did not")),
    ({}, 0, {}, Judged("a.b", "no cell")),
    ({"state": "done", "seen": False}, 0, {}, Judged("a.b", "no cell", text="the notebook notes it as done, but no cell asks for it")),
]  # fmt: skip


@pytest.mark.parametrize(("entry", "cell", "failed", "expected"), STATES, ids=[f"{s[3].state} {s[1]}" for s in STATES])
def test_a_state_comes_from_what_the_engine_noted_and_else_from_the_run(entry, cell, failed, expected):
    assert mark.judge("a.b", entry, cell, failed, tried=8) == expected
    assert expected.state in marks.SIGNS


def test_a_cell_that_asks_several_exercises_is_cut_behind_each():
    ask = '@exercise("a.b")\ndef f(x):\n    return x'
    assert asked.apart(f"y = 1\n{ask}\nprint(y)") == [f"y = 1\n{ask}\nprint(y)"]
    assert asked.apart(f"y = 1\n{ask}\nprint(y)\nanswer('a.c', 2)\n\nz = 3  # so") == [
        f"y = 1\n{ask}", "print(y)\nanswer('a.c', 2)", "\nz = 3  # so",
    ]  # fmt: skip
    assert asked.apart('answer("a.b", "é"); answer("a.c", 2)  # so\r\nr = answer("a.d", 3)') == [
        'answer("a.b", "é")', 'answer("a.c", 2)  # so', 'r = answer("a.d", 3)',
    ]  # fmt: skip
    broken = 'answer("a.b", 1)\nanswer("a.c", 2'
    assert asked.apart(broken) == [broken]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ('answer("a.b", 1); r = answer(id="a.c", value=2)', ["a.b", "a.c"]),
        ('for value in range(3):\n    answer("a.b", value)', ["a.b"]),
        ('"""\n@exercise("a.b")\nanswer("a.c", 1)\n"""', []),
        ('%matplotlib inline\nanswer("a.b", 1)', ["a.b"]),
        ('%%time\nanswer("a.b", 1)', ["a.b"]),
        ('@exercise("a.b")\ndef f(:', ["a.b"]),
        ('answer("a.b" if True else 3, 1)\nanswer()', []),
    ],
)
def test_an_exercise_is_asked_by_code_not_by_text(source, expected):
    assert sorted(asked.asks(source)) == expected


STUB = '@exercise("attention.softmax_jvp")\ndef f(x: int, y=1):\n    return cheat(x)'
LIE = 'note("attention.softmax_jvp", "done")'


@pytest.mark.parametrize(
    ("source", "told"),
    [
        (STUB, ""),
        (f"import torch\n{STUB}\n\nhint('attention.softmax_jvp')", ""),
        ('answer("attention.fault_a", -2**3 * math.pi)', ""),
        ('guess("x", 3)\nguess("y", "long")', ""),
        (f"{STUB}\n{LIE}", "code beside"),
        (f'answer("attention.fault_a", {LIE})', "code beside"),
        ('answer("attention.fault_a", (answer := note))', "code beside"),
        (
            'from course_lib.classroom.exercises.progress import note as answer\nanswer("attention.fault_a", 1)',
            "code beside",
        ),
        (f"from course_lib import *\n{STUB}", "code beside"),
        (STUB.replace("y=1", f"y={LIE}"), "code beside"),
        (STUB.replace("x: int", f"x: {LIE}"), "code beside"),
        (f"@lie\n{STUB}", "code beside"),
        ("%%time\n" + STUB, "code beside"),
        (f'guess("x", 3)\n{LIE}', "not the chapter's"),
        (f'guess("x", {LIE})', "not the chapter's"),
        (f"'''\nguess(1)\n@exercise('attention.softmax_jvp')\n'''\n{LIE}", "not the chapter's"),
    ],
)
def test_a_cell_that_could_lie_to_the_check_is_named(source, told):
    found = mark.notes(replace(ATTENTION, code=[*ATTENTION.code[:5], source]), ATTENTION, [])
    assert len(found) == bool(told)
    assert all(told in line and line.endswith("In [6]") for line in found)


@pytest.mark.parametrize("source", sorted((ROOT / "notebooks/source").glob("[0-9]*_*.py")), ids=lambda path: path.stem)
def test_the_courses_own_solutions_are_told_of_nowhere(source):
    def lesson(notebook):
        return mark.Lesson(source.stem, [cell.source for cell in notebook.cells if cell.cell_type == "code"])

    assert mark.notes(lesson(solved.solved(source)), lesson(solved.from_source(source)), []) == []


def test_one_who_tries_every_option_is_told_of():
    tries = [f'answer("attention.fault_a", "{word}")' for word in ("a", "b", "c")]
    code = ["x = 1" if asked.asks(source) else source for source in ATTENTION.code] + tries
    n = len(ATTENTION.code)
    found = mark.notes(replace(ATTENTION, code=code), ATTENTION, [])
    assert found[0] == f"attention.fault_a is asked 3 times: In [{n + 1}], In [{n + 2}], In [{n + 3}]"
    assert not any("asked" in line for line in mark.notes(ATTENTION, ATTENTION, []))


def test_notes_tell_another_edition_and_cells_that_failed_or_are_not_the_chapters():
    code = [*ATTENTION.code, 'guess("attention.x", 3)', "mine = 1", '@exercise("attention.softmax_jvp")\ndef g(): ...']
    n = len(ATTENTION.code)
    failures = [Failure("02", i, "y", "raised", f"E{i}") for i in range(1, 7)] + [
        Failure("02", n + 3, "@exercise", "raised"),
        Failure("02", n + 2, "mine", comparison.NOT_RUN),
    ]
    found = mark.notes(replace(ATTENTION, code=code), ATTENTION, failures)
    told = [f"failed at In [{i}]: y · E{i}" for i in (1, 2, 3, 4)]
    twice = f"attention.softmax_jvp is asked 2 times: In [8], In [{n + 3}]"
    assert found == [*told, "and 2 more", twice, f"cells that are not the chapter's: In [{n + 2}]"]
    older = {"course": {"made_from": {"notebooks/source/02_attention.py": "00000000"}}}
    assert mark.notes(replace(ATTENTION, metadata=older), ATTENTION, []) == ["another edition of the chapter"]
    for unknown in ({}, {"course": {"made_from": "0"}}):
        assert mark.notes(replace(ATTENTION, metadata=unknown), ATTENTION, []) == []


# --- the table -------------------------------------------------------------------------------------------------


def test_the_table_has_a_row_for_each_exercise_and_nothing_in_it_is_a_formula_or_markup(tmp_path):
    wrong = Judged("a.b", "wrong", "squared", "=1+1 | <b>\nnext line")
    class_ = [
        Marked("maria", "m.ipynb", "02_attention", [Judged("a.c", "right"), wrong], ["failed at In [3]"], 3.0),
        Marked("@anna", "a.ipynb", "02_attention", [Judged("a.c", "untouched"), Judged("a.b", "no cell")]),
        Marked("bob", "b.ipynb", "", notes=["not a chapter of this course"]),
    ]
    marks.write(class_, tmp_path)
    assert {path.name for path in tmp_path.iterdir() if path.is_file()} == {"marks.csv", "marks.md"}
    rows = list(csv.reader((tmp_path / "marks.csv").read_text(encoding="utf-8-sig").splitlines(keepends=True)))
    assert rows[0] == list(marks.COLUMNS)
    assert rows[1] == ["bob", "", "", "not judged", "", "not a chapter of this course", "b.ipynb"]
    assert [row[:4] for row in rows[2:]] == [
        ["'@anna", "02_attention", "a.c", "untouched"], ["'@anna", "02_attention", "a.b", "no cell"],
        ["maria", "02_attention", "a.c", "right"], ["maria", "02_attention", "a.b", "wrong"],
    ]  # fmt: skip
    assert rows[5][4:6] == ["squared", "'=1+1 | <b>\nnext line"]
    page = (tmp_path / "marks.md").read_text(encoding="utf-8")
    assert "| maria | 1 of 2 | ✓ | ✗ |" in page
    assert "| maria | a.b | wrong | squared | =1+1 \\| &lt;b> next line |" in page
    assert "| bob | b.ipynb | not a chapter of this course |" in page


def test_a_class_that_is_stopped_or_has_a_faulty_notebook_keeps_what_is_marked(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    for name in ("a", "b", "c"):
        write(tmp_path / "class" / f"{name}.ipynb", *ATTENTION.code)

    def run(lesson, chapter, name, path):
        if name == "b":
            raise OSError("no space left")
        return Marked(name, str(path), chapter.name, [Judged(id, "right") for id in chapter.exercises])

    monkeypatch.setattr(mark, "run", run)
    assert mark.main(["class"]) == 0
    page = (tmp_path / "marks.md").read_text(encoding="utf-8")
    assert "| a | 8 of 8 |" in page
    assert "| c | 8 of 8 |" in page
    assert "| b | b.ipynb | not judged: no space left |" in page
    (tmp_path / "marks.md").unlink()

    def one_then_stop(futures):
        yield futures[0]
        raise KeyboardInterrupt

    monkeypatch.setattr(mark, "as_completed", one_then_stop)
    assert mark.main(["class"]) == 130
    assert "stopped: 1 of 3 notebooks are in the table" in capsys.readouterr().out
    page = (tmp_path / "marks.md").read_text(encoding="utf-8")
    assert "| a | 8 of 8 |" in page
    assert "| c |" not in page


def test_the_tables_of_earlier_calls_are_kept_and_named(tmp_path):
    for number in ("1", "2", "3"):
        kept = marks.write([Marked(number, f"{number}.ipynb", "", notes=["none"])], tmp_path)
    assert kept == ["marks.backup-2.csv", "marks.backup-2.md"]
    pages = {path.name: path.read_text(encoding="utf-8") for path in tmp_path.glob("*.md")}
    assert [
        "| 1 |" in pages["marks.backup.md"],
        "| 2 |" in pages["marks.backup-2.md"],
        "| 3 |" in pages["marks.md"],
    ] == [True] * 3
    assert len([*tmp_path.iterdir()]) == 6


def test_files_of_a_class_that_are_no_notebooks_are_named(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    for name in ("dora/00_start_here.pdf", "dora/.hidden", "dora/face.PNG", "maria/a/__pycache__/x.pyc", "hw.zip"):
        (tmp_path / "class" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "class" / name).touch()
    assert mark.main(["class"]) == 2
    said = capsys.readouterr().out
    assert "expected notebooks, found in class no notebooks: 00_start_here.pdf, hw.zip" in said
    assert not (tmp_path / "marks.md").exists()
    write(tmp_path / "class" / "maria" / "a" / "02_attention.ipynb", *ATTENTION.code)
    monkeypatch.setattr(mark, "run", lambda lesson, chapter, name, path: Marked(name, str(path), chapter.name))
    assert mark.main(["class", "class/dora"]) == 0
    page = (tmp_path / "marks.md").read_text(encoding="utf-8")
    assert "| dora | dora | no notebooks: 00\\_start\\_here.pdf |" in page
    assert "| class | class | no notebooks: hw.zip |" in page
    assert page.count("no notebooks") == 2
    assert "marks.csv and marks.md: 1 notebooks" in capsys.readouterr().out


@pytest.mark.parametrize("words", [[], ["nowhere"]])
def test_words_that_name_nothing_are_told(words, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert mark.main(words) == 2
    assert "found no notebook at" in capsys.readouterr().out


def test_a_notebook_has_a_home_of_its_own_more_time_than_its_chapter_took_and_no_tags(tmp_path, monkeypatch):
    seen = []

    def run(copy, compare, environment, cell_limit, limit):
        seen.append((environment, cell_limit, limit, nbformat.read(copy, as_version=4)))
        Path(environment["COURSE_HOME"]).mkdir()
        (Path(environment["COURSE_HOME"]) / "progress.json").write_text("[spoiled")
        assert not compare
        return comparison.Result(copy, 1.0, [], len(seen[-1][3].cells), "")

    monkeypatch.setattr(comparison, "run", run)
    monkeypatch.setenv("COURSE_BUDGET", "full")
    slow = replace(ATTENTION, metadata={"course": {"seconds": 100}})
    path = write(tmp_path / "maria.ipynb", *ATTENTION.code)
    first, second = (mark.mark(path, "maria", [chapter]) for chapter in (ATTENTION, slow))
    assert {judged.state for judged in (*first.exercises, *second.exercises)} == {"not judged"}
    assert [each[1:3] for each in seen] == [(60, 300), (200, 800)]
    homes = {each[0]["COURSE_HOME"] for each in seen}
    assert len(homes) == 2
    assert not any(Path(home).exists() for home in homes)
    assert {each[0]["COURSE_BUDGET"] for each in seen} == {"quick"}
    assert all(not cell.metadata and not cell.outputs for cell in seen[0][3].cells)


# --- one notebook for real -------------------------------------------------------------------------------------

ANSWERS = {
    "attention.softmax_jvp": "def softmax_jvp(weights, direction):\n    return weights * direction",
    "attention.split_heads": "def split_heads(x, n_heads):\n    return x.unflatten(-1, (n_heads, -1)).transpose(1, 2)",
    "attention.is_causal": "def is_causal(attend, x):\n    return oops(",
    "attention.scaled_dot_product": "def scaled_dot_product_attention(q, k, v, mask=None):\n    raise NotImplementedError",
}


def test_every_exercise_of_a_notebook_is_judged_whatever_stands_before_it(tmp_path):
    """Faked outputs, a deleted question, exit(), a wrong answer before others in one cell, an exercise replaced."""
    asked = {id: f'@exercise("{id}")\n{answer}' for id, answer in ANSWERS.items()}
    questions = 'answer("attention.fault_a", "unscaled")\nanswer("attention.fault_b", "unscaled")\nanswer("attention.fault_c", ...)'
    start = ["import torch", *ATTENTION.code[:1], ATTENTION.code[2]]
    path = write(tmp_path / "maria.ipynb", *start, "exit()", "1 / 0", *asked.values(), questions, ATTENTION.code[3])
    notebook = nbformat.read(path, as_version=4)
    notebook.cells[5].outputs = [nbformat.v4.new_output("stream", text="✓ attention.softmax_jvp: right\n")]
    notebook.cells[5].metadata["tags"] = ["nbval-skip"]
    nbformat.write(notebook, path)
    marked = mark.mark(path, "maria", CHAPTERS)
    assert {judged.exercise: (judged.state, judged.mistake) for judged in marked.exercises} == {
        "attention.softmax_jvp": ("wrong", "no_outer_product"),
        "attention.variance_prediction": ("no cell", ""),
        "attention.scaled_dot_product": ("unfinished", ""),
        "attention.is_causal": ("stopped", ""),
        "attention.split_heads": ("right", ""),
        "attention.fault_a": ("wrong", "unscaled"),
        "attention.fault_b": ("right", ""),
        "attention.fault_c": ("untouched", ""),
    }
    texts = {judged.exercise: judged.text for judged in marked.exercises}
    assert "Your output equals what one gets if the term p pᵀ u is left out." in texts["attention.softmax_jvp"]
    assert texts["attention.is_causal"].startswith("SyntaxError")
    assert marked.notes[:2] == [
        "failed at In [4]: exit() · SystemExit",
        "failed at In [5]: 1 / 0 · ZeroDivisionError: division by zero",
    ]
    assert json.loads(path.read_text())["cells"][5]["outputs"], "what was sent stays as it is"
