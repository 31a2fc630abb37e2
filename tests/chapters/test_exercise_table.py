"""The table of the checks: what it names exists, it is current, and a test that misses a mistake is found out."""

import ast
import json
import re
import sys

import exercise_table
import pytest
from exercise_table import COUNTS, EXERCISES, PAGE, TESTS, in_its_place, page, seen_red, stays_green, writings
from oracles import JUDGED, ORACLES

from course_lib import paths
from course_lib.chapters.exercises import REGISTRY
from course_lib.classroom.exercises.spec import Exercise, Mistake


def test_every_exercise_and_question_says_what_it_was_held_against():
    assert list(ORACLES) == [id for entries in REGISTRY.chapters.values() for id in entries]
    assert [id for id, (truth, where) in ORACLES.items() if where is None] == ["together.report_2", "together.report_5"]
    assert all((truth == JUDGED) == (where is None) for truth, where in ORACLES.values())


@pytest.mark.parametrize("where", sorted({where for _, where in ORACLES.values() if where}))
def test_the_test_or_the_claim_exists(where):
    if "::" in where:
        file, name = where.split("::")
        tree = ast.parse((TESTS / file).read_text(encoding="utf-8"))
        assert name in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
    else:
        chapter, words = where.split(": ", 1)
        tree = ast.parse((paths.SOURCES / f"{chapter}.py").read_text(encoding="utf-8"))
        assert any(claimed.startswith(words) for claimed in claims(tree))


def claims(tree):
    """The statements of a source's claims, an f-string's parts as written."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "claim":
            statement = node.args[0]
            yield statement.value if isinstance(statement, ast.Constant) else ast.unparse(statement)[2:]


def test_the_page_is_current_and_every_check_was_tried():
    counts = json.loads(COUNTS.read_text(encoding="utf-8"))
    assert PAGE.read_text(encoding="utf-8") == page(counts), "`make checks` writes docs/checks.md anew"
    assert list(counts["exercises"]) == [exercise.id for exercise in EXERCISES]
    for id, found in counts["exercises"].items():
        assert found["tried"] == found["killed"] + found["equivalent"] + found["accepted"] > 0, id
        assert (found["accepted"], found["red"] is None) == (0, False), id


def test_each_exercise_has_its_line():
    lines = page({"mutants": 7, "exercises": {}}).splitlines()
    exercise = REGISTRY.find("attention.softmax_jvp")
    texts = writings()
    (line,) = (line for line in lines if line.startswith("| `attention.softmax_jvp` |"))
    bodies = sum(map(len, texts.wrong[exercise.id].values()))
    assert f"| {len(exercise.mistakes)} ({bodies}) | {len(texts.right[exercise.id])} |" in line
    assert sum(line.startswith("| `") for line in lines) == len(ORACLES)
    assert not re.search(r"\d+\.\d+ s\b|20\d\d-", "\n".join(lines))  # no times, no dates


def test_check_says_whether_the_page_is_current(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(exercise_table, "COUNTS", tmp_path / "checks.json")
    monkeypatch.setattr(exercise_table, "PAGE", tmp_path / "checks.md")
    (tmp_path / "checks.json").write_text('{"mutants": 7, "exercises": {}}')
    for name, status in (("--page", 0), ("--check", 0)):
        monkeypatch.setattr(sys, "argv", ["exercise_table.py", name])
        assert exercise_table.main() == status
    monkeypatch.setitem(ORACLES, "start.standardise", ("something else", ORACLES["start.standardise"][1]))
    assert exercise_table.main() == 1
    assert capsys.readouterr().out.splitlines()[-1] == "docs/checks.md is not current: `make checks`"


def test_counting_one_exercise_anew_keeps_the_others_in_their_order(monkeypatch):
    first, second = (exercise.id for exercise in EXERCISES[:2])
    monkeypatch.setattr(exercise_table, "counted", lambda mutants, chosen: {each.id: mutants for each in chosen})
    last = {"mutants": 7, "exercises": {second: 5, "gone.since": 5}}
    found = exercise_table.recounted([first], last)
    assert list(found["exercises"].items()) == [(first, 7), (second, 5)]
    assert found["mutants"] == 7


def double(x):
    return 2 * x


def toy():
    mistake = Mistake("added", lambda x: x + 1, "one is added", "what is the factor?")
    return Exercise("toy.double", double, lambda: [], "", (), "", (mistake,), stub="def double(x):\n    ...")


def test_another_function_stands_in_the_references_place_and_leaves_it():
    found = []

    def fail():
        with in_its_place(double, lambda x: x + 1):
            found.append(double(5))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert [*found, double(5)] == [6, 10]
    assert "math" not in globals()


@pytest.mark.parametrize(
    ("test", "red", "green"),
    [
        (lambda: double(5) == 10, "added", True),
        (lambda: double(1) == 2, None, True),  # does not tell them apart
        (lambda: double.__code__.co_consts[-1] == 2, "added", False),  # asks for the reference's own code
    ],
)
def test_a_test_that_misses_the_mistake_or_takes_nothing_but_the_reference_is_found_out(monkeypatch, test, red, green):
    monkeypatch.setitem(ORACLES, "toy.double", ("by hand", "test.py::test"))
    monkeypatch.setattr(exercise_table, "passes", lambda where: test())
    assert seen_red(toy(), {"added": ("return x + 1", "return 1 + x")}) == red
    assert stays_green(toy(), ("return x + x",)) == green
