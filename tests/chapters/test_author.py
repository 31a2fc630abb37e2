"""What an author of exercises calls: every message without a kernel, and a file to start from."""

import subprocess
import sys
from pathlib import Path

import pytest

import course
from course_lib.chapters import author
from course_lib.chapters.exercises import REGISTRY
from course_lib.classroom.exercises.check import check
from course_lib.classroom.exercises.mistakes import function_of
from course_lib.classroom.exercises.spec import Answer

ROOT = Path(__file__).parents[2]
QUESTION = next(e for e in REGISTRY.chapters["02_attention"].values() if isinstance(e, Answer) and e.options)


def test_every_message_is_said(capsys):
    entry = REGISTRY.find("attention.softmax_jvp")
    assert author.main(["say", entry.id]) == 0
    said = capsys.readouterr().out
    assert "◦ attention.softmax_jvp: yours to write" in said
    assert f"✓ attention.softmax_jvp: right\n  checked: {entry.checked}" in said
    for mistake in entry.mistakes:
        assert f"--- known mistake {mistake.key}\n✗ attention.softmax_jvp: not yet right" in said
        assert f"  Your output equals what one gets if {mistake.says}.\n  Hint: {mistake.hint}" in said
    assert all(hint in said for hint in entry.hints)
    assert "return weights * (direction" in said


def test_every_word_of_a_question_is_said(capsys):
    assert author.main(["say", QUESTION.id]) == 0
    said = capsys.readouterr().out
    assert all(f"{word!r}: {says}" in said for word, says in QUESTION.wrong.items())
    assert "put one of" in said


def test_nothing_is_noted_as_done(home, capsys):
    author.main(["say", QUESTION.id])
    assert not home.exists()


def test_a_mistake_that_is_met_with_another_message_is_told(monkeypatch, capsys):
    entry = REGISTRY.find("attention.softmax_jvp")
    monkeypatch.setattr(author, "function_of", lambda mistake, entry: entry.reference)
    assert author.main(["say", entry.id]) == 1
    assert "! known mistake sign: expected the message sign, got right" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["say", "attention.sofmax_jvp"], "did you mean 'attention.softmax_jvp'?"),
        (["say"], "expected: say ID"),
        (["new", "exercise", "02"], "new exercise CHAPTER ID"),
        (["new", "exercise", "99", "attention.x"], "CHAPTER: expected one of 00_start_here"),
        (["new", "exercise", "0", "attention.x"], "CHAPTER: expected one of 00_start_here"),
        (["new", "exercise", "02", "vae.x"], "ID: expected attention.name in small letters"),
        (["new", "exercise", "02", "attention.../x"], "ID: expected attention.name in small letters"),
        (["new", "exercise", "02", "attention.softmax_jvp"], "which is there already"),
        (["new", "exercise", "02", "attention.diagnoses"], "which is there already"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(arguments, says, capsys):
    assert author.main(arguments) == 1
    said = capsys.readouterr().err
    assert says in said
    assert len(said.splitlines()) == 1


def test_a_new_exercise_is_one_that_works(monkeypatch, tmp_path):
    (tmp_path / "ch02_attention" / "exercises").mkdir(parents=True)
    monkeypatch.setattr(author, "__file__", str(tmp_path / "author.py"))
    steps = author.new_exercise("02", "attention.twice")
    path = tmp_path / "ch02_attention" / "exercises" / "twice.py"
    assert steps.startswith(f"{path} is there. Next:")
    assert "say attention.twice" in steps
    assert "test_exercises_ch02.py" in steps
    monkeypatch.setattr(sys, "path", [str(path.parent), *sys.path])
    entry = __import__("twice").ENTRY
    assert check(entry.reference, entry).state == "right"
    assert [check(function_of(m, entry), entry).key for m in entry.mistakes] == ["squared"]
    with pytest.raises(FileExistsError):
        author.new_exercise("02_attention", "attention.twice")


def test_the_template_is_formatted_as_the_rest(tmp_path):
    path = tmp_path / "twice.py"
    path.write_text(author.TEMPLATE.format(name="twice", id="attention.twice"))
    for command in (["check"], ["format", "--check"]):
        subprocess.run(
            ["ruff", *command, "--config", str(ROOT / "pyproject.toml"), str(path)],
            check=True,
            env={"PATH": str(Path(sys.executable).parent)},
        )


@pytest.mark.parametrize("arguments", [["say", "attention.x"], ["new", "exercise", "02", "attention.x"]])
def test_the_commands_of_the_course_hand_over(monkeypatch, arguments):
    called = []
    monkeypatch.setattr(course, "set_up", lambda: "python")
    monkeypatch.setattr(course.subprocess, "call", lambda command, cwd: called.append(command) or 0)
    assert course.main(arguments) == 0
    assert called == [["python", "-m", "course_lib.chapters.author", *arguments]]
