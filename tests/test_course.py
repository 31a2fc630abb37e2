"""course.py: the set-up's messages and recovery, the learner's copy, the commands. Nothing is installed here."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

import course

ROOT = Path(__file__).parents[1]
NOTEBOOK = {
    "cells": [{"cell_type": "markdown", "source": ["# One"]}],
    "metadata": {},
    "nbformat": 4,
    "nbformat_minor": 5,
}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A course of two chapters in a folder of its own."""
    root = tmp_path / "course"
    (root / "notebooks").mkdir(parents=True)
    for name in ("01_one", "02_two"):
        (root / "notebooks" / f"{name}.ipynb").write_text(json.dumps(NOTEBOOK))
    for name in ("pyproject.toml", "constraints.txt"):
        (root / name).write_bytes((ROOT / name).read_bytes())
    for name, path in (
        ("ROOT", ""),
        ("VENV", ".venv"),
        ("STAMP", ".venv/.course-setup"),
        ("LOG", ".setup.log"),
        ("WORK", "work"),
    ):
        monkeypatch.setattr(course, name, root / path)
    return root


def edit(path, text):
    content = json.loads(path.read_text())
    content["cells"][0]["source"] = [text]
    path.write_text(json.dumps(content))


# --- the learner's copy ----------------------------------------------------------------------------------------


def test_the_copy_is_made_once_and_never_overwritten(folder):
    assert course.copy_for_learner() == []
    mine = folder / "work" / "01_one.ipynb"
    edit(mine, "# Mine")
    kept = mine.read_bytes()
    assert course.copy_for_learner() == []
    assert mine.read_bytes() == kept


def test_the_copy_keeps_the_first_picture_and_gives_no_answers_away(folder):
    code = [{"cell_type": "code", "source": [str(i)], "execution_count": i, "outputs": [{"n": i}]} for i in (1, 2, 3)]
    path = folder / "notebooks" / "01_one.ipynb"
    path.write_text(json.dumps({**NOTEBOOK, "cells": [*NOTEBOOK["cells"], *code]}))
    course.copy_for_learner()
    copied = json.loads((folder / "work" / "01_one.ipynb").read_text())["cells"]
    assert [c["source"] for c in copied] == [["# One"], ["1"], ["2"], ["3"]]
    assert [c["outputs"] for c in copied[1:]] == [[{"n": 1}], [], []]


def test_a_changed_chapter_arrives_beside_the_learners_once(folder):
    course.copy_for_learner()
    mine = folder / "work" / "01_one.ipynb"
    edit(mine, "# Mine")
    kept = mine.read_bytes()
    edit(folder / "notebooks" / "01_one.ipynb", "# One, better")
    said = course.copy_for_learner()
    assert said == ["01_one.ipynb has changed: the new one is work/01_one.new.ipynb, yours stays as it is."]
    assert "better" in (folder / "work" / "01_one.new.ipynb").read_text()
    assert mine.read_bytes() == kept
    assert course.copy_for_learner() == []
    edit(folder / "work" / "01_one.new.ipynb", "# Mine too")
    edit(folder / "notebooks" / "01_one.ipynb", "# One, best")
    course.copy_for_learner()
    assert "Mine too" in (folder / "work" / "01_one.new.ipynb").read_text()
    assert "best" in (folder / "work" / "01_one.new-2.ipynb").read_text()


def test_new_outputs_alone_are_no_new_chapter(folder):
    course.copy_for_learner()
    path = folder / "notebooks" / "01_one.ipynb"
    path.write_text(json.dumps({**json.loads(path.read_text()), "metadata": {"course": {"made_from": "x"}}}))
    assert course.copy_for_learner() == []
    assert len(list((folder / "work").glob("*.ipynb"))) == 2


def test_a_lost_manifest_or_a_broken_copy_loses_nothing(folder):
    course.copy_for_learner()
    (folder / "work" / ".copied.json").write_text("{")
    mine = folder / "work" / "01_one.ipynb"
    mine.write_text("not a notebook")
    assert len(course.copy_for_learner()) == 1
    assert mine.read_text() == "not a notebook"
    assert (folder / "work" / "01_one.new.ipynb").exists()


def test_reset_keeps_a_backup(folder, capsys):
    course.copy_for_learner()
    mine = folder / "work" / "02_two.ipynb"
    for i in (1, 2):
        edit(mine, f"# Mine {i}")
        assert course.main(["reset", "NB=02"]) == 0
        assert "# One" in mine.read_text()
    assert "Mine 1" in (folder / "work" / "02_two.backup.ipynb").read_text()
    assert "Mine 2" in (folder / "work" / "02_two.backup-2.ipynb").read_text()
    assert course.main(["reset", "NB=07"]) == 1
    assert course.main(["reset"]) == 1
    assert "expected the number of a chapter (01, 02), got '07'" in capsys.readouterr().err


def test_clean_leaves_the_learners_work(folder, capsys):
    course.copy_for_learner()
    (folder / ".course").mkdir()
    (folder / ".venv").mkdir()
    (folder / "course_lib" / "__pycache__").mkdir(parents=True)
    assert course.main(["clean"]) == 0
    left = {p.name for p in folder.iterdir()}
    assert {"work", ".course"} <= left
    assert not {".venv", "__pycache__"} & left
    assert not (folder / "course_lib" / "__pycache__").exists()


# --- commands --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("arguments", [["labb"], ["test", "XX=1"], ["lab", "test"]])
def test_words_that_cannot_be_followed_get_the_help(arguments):
    with pytest.raises(SystemExit, match="cannot follow"):
        course.main(arguments)


def test_the_makefile_passes_every_command_on():
    makefile = (ROOT / "Makefile").read_text()
    for line in course.HELP.splitlines():
        if line.startswith("make "):
            assert f" {line.split()[1]}" in makefile.split("help ", 1)[1] or line.split()[1] == "help"
    assert course.main([]) == 0


def test_a_port_that_is_taken_or_no_port(monkeypatch):
    import socket

    with socket.socket() as busy:
        busy.bind(("127.0.0.1", 0))
        busy.listen()
        port = busy.getsockname()[1]
        with pytest.raises(course.Problem, match=f"Port {port} is taken"):
            course.free_port(str(port))
    for wrong in ("x", "0", "70000"):
        with pytest.raises(course.Problem, match="PORT: expected a number from 1 to 65535"):
            course.free_port(wrong)
    assert 8888 <= course.free_port("") < 8988


def test_tests_get_a_home_of_their_own_and_the_quick_budget():
    with course.test_environment() as environment:
        home = Path(environment["COURSE_HOME"])
        assert home.is_dir()
        assert (environment["COURSE_BUDGET"], environment["COURSE_DEVICE"]) == ("quick", "cpu")
    assert not home.exists()


# --- set-up ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("version", "word"), [((3, 9), "too old"), ((3, 10), "too old"), ((3, 15), "too new")])
def test_an_unsuitable_python_is_told_what_to_do(monkeypatch, version, word):
    monkeypatch.setattr(sys, "version_info", (*version, 1))
    with pytest.raises(
        course.Problem,
        match=rf"This is Python {version[0]}\.{version[1]} .* {word}: the course needs Python 3.11 to 3.14",
    ):
        course.require_suitable_python()


def test_it_names_a_python_that_would_do(monkeypatch):
    monkeypatch.setattr(sys, "version_info", (3, 9, 1))
    monkeypatch.setattr(course.shutil, "which", lambda name: sys.executable if name == "python3.12" else None)
    with pytest.raises(course.Problem, match=r"make lab PYTHON=python3.12"):
        course.require_suitable_python()


FAILURES = {
    "OSError: [Errno 28] No space left on device": "The disk is full",
    "Error: Command '['python', '-m', 'ensurepip']' returned non-zero": "sudo apt install python3-venv",
    "Failed to establish a new connection: [Errno -3] Temporary failure in name resolution": "did not answer",
    "ERROR: Could not find a version that satisfies the requirement torch (from versions: none)": "did not answer",
    "ERROR: something unheard of": "something unheard of",
}


@pytest.mark.parametrize(("log", "says"), FAILURES.items())
def test_failures_are_explained_and_the_same_command_goes_on(folder, log, says):
    course.LOG.write_text(f"Collecting\n{log}\n")
    with pytest.raises(course.Problem, match=r"hen run the same command again|goes on where it stopped") as problem:
        course.explain_failure("PyTorch")
    assert says in str(problem.value)


def make_current(folder):
    python = course.venv_python()
    python.parent.mkdir(parents=True)
    python.symlink_to(sys.executable)
    course.STAMP.write_text(course.wanted())


def test_set_up_is_current_only_when_completed_from_the_present_files(folder):
    assert not course.is_current()
    make_current(folder)
    assert course.is_current()
    (folder / "pyproject.toml").write_text("changed")
    assert not course.is_current()
    course.STAMP.write_text(course.wanted())
    course.STAMP.unlink()  # as an interrupted set-up leaves it
    assert not course.is_current()


def test_the_check_of_a_current_set_up_takes_under_a_second(folder, monkeypatch):
    monkeypatch.setattr(course, "active_environment_has_the_course", lambda: False)
    make_current(folder)
    started = time.perf_counter()
    assert course.set_up() == str(course.venv_python())
    assert time.perf_counter() - started < 0.3
    started = time.perf_counter()
    subprocess.run([sys.executable, str(ROOT / "course.py"), "help"], check=True, capture_output=True)
    assert time.perf_counter() - started < 1


def test_an_interrupted_install_leaves_no_stamp_and_the_next_call_completes_it(folder, monkeypatch):
    calls = []

    def run(command):
        calls.append(command[3:])
        if "-e" in command and len([c for c in calls if "-e" in c]) == 1:
            raise KeyboardInterrupt
        if "venv" in command:
            course.venv_python().parent.mkdir(parents=True)
            course.venv_python().touch()
        return 0

    monkeypatch.setattr(course, "run_quietly", run)
    monkeypatch.setattr(course, "active_torch_suits", lambda: False)
    monkeypatch.setattr(course, "active_environment_has_the_course", lambda: False)
    monkeypatch.setattr(course, "torch_of_own_links", lambda: "2.13.0")
    monkeypatch.setattr(course, "has_torch", lambda: False)
    assert course.main(["check"]) == 130
    assert not course.is_current()
    monkeypatch.setattr(course, "in_turn", lambda python, *steps: 0)
    assert course.main(["check"]) == 0
    assert course.is_current()
    assert sum("venv" in " ".join(c) for c in calls) <= 1  # the environment was kept


def test_make_test_runs_everything_and_one_chapter_alone_where_asked(monkeypatch):
    monkeypatch.setattr(course, "in_turn", lambda python, *steps: steps)
    *before, whole, nbval = course.test("python", {})
    assert before[:-1] == [*course.LINT, course.PAIRING]
    assert "not notebooks" in before[-1]
    assert "notebooks" in whole
    chapters = sorted(path.name for path in (course.ROOT / "notebooks").glob("*.ipynb"))
    assert [part.rpartition("/")[2] for part in nbval if part.endswith(".ipynb")] == chapters
    ((*command, chapter),) = course.test("python", {"NB": "02"})
    assert "--nbval" in command
    assert chapter.endswith("02_attention.ipynb")


def test_pytorch_is_chosen_for_the_machine(monkeypatch):
    said = []
    monkeypatch.setattr(course, "pip", lambda what, *arguments: said.append(arguments))
    monkeypatch.setattr(course, "torch_of_own_links", lambda: "2.13.0")
    course.install_torch(nvidia=False)
    monkeypatch.setattr(course, "torch_of_own_links", lambda: "")
    for platform, nvidia in (("linux", False), ("linux", True), ("darwin", False), ("win32", False)):
        monkeypatch.setattr(sys, "platform", platform)
        course.install_torch(nvidia)
    own, cpu, gpu, mac, windows = said
    assert own == ("torch==2.13.0",)
    assert cpu == (course.TORCH, "--index-url", course.CPU_INDEX)
    assert gpu == mac == windows == (course.TORCH,)


def test_two_set_ups_at_once_wait_for_each_other(folder):
    """The second goes on as soon as the first ends, even if it was killed."""
    code = (
        f"import sys; sys.path.insert(0, {str(ROOT)!r}); import course, pathlib, time;"
        f"course.ROOT = pathlib.Path({str(folder)!r})\n"
        "with course.one_at_a_time():\n    print('in', flush=True)\n    time.sleep(float(sys.argv[1]))"
    )
    first = subprocess.Popen([sys.executable, "-c", code, "60"], stdout=subprocess.PIPE, text=True)
    assert first.stdout.readline() == "in\n"
    second = subprocess.Popen([sys.executable, "-c", code, "0"], stdout=subprocess.PIPE, text=True)
    assert second.stdout.readline().startswith("Another set-up of this course is running")
    first.kill()
    first.wait()
    first.stdout.close()
    assert second.communicate(timeout=20)[0] == "in\n"


def test_it_says_what_is_wrong_on_the_oldest_python_it_promises(tmp_path):
    """course.py must at least compile there: no syntax newer than Python 3.9."""
    import ast

    ast.parse((ROOT / "course.py").read_text(), feature_version=(3, 9))
    for name in ("course.py", "pyproject.toml", "constraints.txt"):
        (tmp_path / name).write_bytes((ROOT / name).read_bytes())
    for python in Path(os.environ.get("PYENV_ROOT", "/nowhere")).glob("versions/3.9*/bin/python"):
        run = subprocess.run([python, tmp_path / "course.py", "lab"], capture_output=True, text=True, timeout=60)
        assert "too old" in run.stderr
