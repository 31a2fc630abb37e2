"""course.py: the set-up's messages and recovery, the learner's copy, the commands. Nothing is installed here."""

import errno
import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import course

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["pytest"]["ini_options"]
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


def test_the_makefile_passes_every_command_and_setting_on():
    makefile = (ROOT / "Makefile").read_text()
    (passed_on,) = (line.split(" := ")[1].split() for line in makefile.splitlines() if line.startswith("COMMANDS"))
    told = [line.split()[1] for line in course.HELP.splitlines() if line.startswith("make ")]
    assert sorted(passed_on) == sorted(["help", *told])
    assert set(told) == {*course.COMMANDS, "reset", "clean"}
    for setting in ("NB", "PORT", "AFTER", "FILES"):
        quote = "'" if setting == "FILES" else ""  # it may hold spaces and patterns
        assert f"$(if $({setting}),{quote}{setting}=$({setting}){quote})" in makefile
        assert f"{setting}=" in course.HELP
    assert course.main([]) == 0


@pytest.mark.parametrize(
    "words",
    [
        ["a.ipynb", "b c.ipynb", "class"],
        ["FILES=a.ipynb 'b c.ipynb' class"],  # as make passes them on
        ['FILES=a.ipynb "b c.ipynb"', "class"],
    ],
)
def test_mark_takes_files_from_where_the_reader_stands(words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    called = []
    monkeypatch.setattr(course, "set_up", lambda: "python")
    monkeypatch.setattr(course.subprocess, "call", lambda command, **_: called.append(command) or 0)
    assert course.main(["mark", *words]) == 0
    assert called == [
        ["python", "notebooks/mark.py", *(str(tmp_path / name) for name in ("a.ipynb", "b c.ipynb", "class"))]
    ]


@pytest.mark.parametrize("words", [[], ["FILES="]])
def test_mark_without_files_says_what_it_wants(words, monkeypatch, capsys):
    monkeypatch.setattr(course, "set_up", lambda: pytest.fail("a set-up of minutes for nothing"))
    assert course.main(["mark", *words]) == 1
    assert "FILES: say which notebooks" in capsys.readouterr().err


def test_an_extra_is_installed_once_and_never_into_the_environment_of_somebody_else(folder, monkeypatch):
    installed = []
    monkeypatch.setattr(course, "pip", lambda what, *arguments: installed.append(arguments))
    monkeypatch.setattr(course, "EXTRAS", {"site": ("json", ""), "browser": ("no_such_module", "")})
    course.with_extra(sys.executable, "site")
    assert installed == []
    with pytest.raises(course.Problem, match=r"lacks no_such_module: .*-e '.\[browser\]'"):
        course.with_extra(sys.executable, "browser")
    monkeypatch.setattr(course, "venv_python", lambda: Path(sys.executable))
    course.with_extra(sys.executable, "browser")
    assert installed == [("-c", "constraints.txt", "-e", ".[browser]")]


def test_a_port_that_is_taken_or_no_port(monkeypatch):
    import socket

    with socket.socket() as busy:
        busy.bind(("127.0.0.1", 0))
        busy.listen()
        port = busy.getsockname()[1]
        with pytest.raises(course.Problem, match=f"Port {port} is taken"):
            course.free_port(str(port))
    for wrong in ("x", "0", "70000", "²"):
        with pytest.raises(course.Problem, match="PORT: expected a number from 1 to 65535"):
            course.free_port(wrong)
    assert 8888 <= course.free_port("") < 8988


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["lab", "PORT=99999"], "PORT: expected a number from 1 to 65535, got '99999'"),
        (["test", "NB=77"], "NB: expected the number of a chapter (01, 02), got '77'"),
        (["test-all", "NB=7"], "NB: expected the number of a chapter (01, 02), got '7'"),
        (["test-all", "AFTER=check"], "AFTER: expected test, got 'check'"),
    ],
)
def test_settings_that_cannot_be_followed_are_refused_before_the_set_up(folder, monkeypatch, capsys, arguments, says):
    monkeypatch.setattr(course, "set_up", lambda: pytest.fail("set up first"))
    assert course.main(arguments) == 1
    assert capsys.readouterr().err == f"\n{says}\n"


@pytest.mark.parametrize("number", [errno.EROFS, errno.EACCES])
def test_a_folder_that_cannot_be_written_is_told_in_one_line(folder, monkeypatch, capsys, number):
    """By what fails there, since nothing is closed to an administrator."""
    course.copy_for_learner()

    def refuse(path, *arguments, **others):
        raise OSError(number, os.strerror(number), str(path))

    monkeypatch.setattr(course, "active_environment_has_the_course", lambda: False)
    for method in ("touch", "replace", "write_text"):
        monkeypatch.setattr(Path, method, refuse)
    for arguments in (["lab"], ["reset", "NB=01"]):
        assert course.main(arguments) == 1
        (line,) = capsys.readouterr().err.strip().splitlines()
        assert line.startswith(f"Nothing can be written to {folder} (")
        assert os.strerror(number) in line
    monkeypatch.setattr(course, "active_environment_has_the_course", lambda: True)
    assert course.main(["lab"]) == 1
    assert len(capsys.readouterr().err.strip().splitlines()) == 1


def note(folder, editable=True, scheme=""):
    """What pip leaves in direct_url.json."""
    return json.dumps({"url": scheme or folder.as_uri(), "dir_info": {"editable": editable} if editable else {}})


def test_an_environment_has_the_course_only_if_it_reads_this_very_folder(folder, tmp_path):
    spaced = tmp_path / "a course of ü"
    spaced.symlink_to(folder)
    assert course.is_editable_copy(note(folder))
    assert course.is_editable_copy(note(spaced))
    assert not course.is_editable_copy(note(tmp_path / "course2"))
    assert not course.is_editable_copy(note(folder / "sub"))
    assert not course.is_editable_copy(note(folder, editable=False))  # a copy that an update of the folder leaves old
    assert not course.is_editable_copy(note(folder, scheme=f"https://host{folder}"))
    for other in ("", "{", "[]", "null", json.dumps({"url": 3, "dir_info": {"editable": True}})):
        assert not course.is_editable_copy(other)


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


def test_the_check_of_a_current_set_up_starts_nothing(folder, monkeypatch):
    """Two files are read: no second Python, no pip, no question to the network."""
    monkeypatch.setattr(course, "active_environment_has_the_course", lambda: False)
    make_current(folder)
    for name in ("run", "call", "Popen"):
        monkeypatch.setattr(course.subprocess, name, lambda *arguments, **others: pytest.fail(f"started {arguments}"))
    assert course.set_up() == str(course.venv_python())


def test_the_help_loads_nothing_but_the_standard_library():
    code = "import sys, course; print(*{m.split('.')[0] for m in sys.modules} - set(sys.stdlib_module_names))"
    run = subprocess.run([sys.executable, "-S", "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert set(run.stdout.split()) <= {"__main__", "course"}


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


def steps_of(monkeypatch, command, **settings):
    """The names of the steps that a command takes, and their arguments by name."""
    monkeypatch.setattr(course, "in_turn", lambda python, *steps: steps)
    steps = course.COMMANDS[command]("python", settings)
    return [name for name, _ in steps], dict(steps)


def test_each_command_adds_to_the_one_before_it(monkeypatch):
    check, _ = steps_of(monkeypatch, "check")
    test, _ = steps_of(monkeypatch, "test")
    everything, _ = steps_of(monkeypatch, "test-all")
    rest, _ = steps_of(monkeypatch, "test-all", AFTER="test")
    assert test == [*check, "notebooks"]
    assert everything == [*test, *rest]
    assert not set(test) & set(rest)
    assert steps_of(monkeypatch, "test", NB="02") == (["notebooks"], {"notebooks": [course.VALIDATE, "02"]})
    names, arguments = steps_of(monkeypatch, "test-all", NB="02")
    assert names == ["notebooks", rest[0], course.AVX2[0]]
    assert all(each[-1] == "02" for each in arguments.values())


def test_every_test_is_run_by_one_step_and_markers_are_those_of_the_project(monkeypatch):
    _, arguments = steps_of(monkeypatch, "test-all")
    unit = arguments["unit tests"][arguments["unit tests"].index("-m", 2) + 1]
    markers = [line.split(":")[0].strip().strip('"') for line in PROJECT["markers"]]
    monkeypatch.setattr(course, "with_extra", lambda python, extra: None)
    arguments |= steps_of(monkeypatch, "test-browser")[1]
    assert unit == " and ".join(f"not {name}" for name in markers)
    for name in markers:
        assert sum(name in each for each in arguments.values()) == 1
    assert any("--solved" in each for each in arguments.values())


def test_ci_runs_test_and_then_what_it_left_out():
    assert (ROOT / ".ci/run").read_text().splitlines()[-5:] == [
        "make clean",
        "make test",
        "make test-all AFTER=test",
        "make site",
        "COURSE_BROWSER=required make test-browser",
    ]
    workflow = (ROOT / ".github/workflows/ci.yml").read_text()
    assert "run: python course.py test\n" in workflow
    assert "run: python course.py test-all AFTER=test\n" in workflow


def test_steps_go_on_until_one_fails_and_say_how_long_they_took(folder, capfd):
    code = lambda status: ["-c", f"print('at work', flush=True); raise SystemExit({status})"]
    assert course.in_turn(sys.executable, ("one", code(0)), ("two", code(3)), ("three", code(0))) == 3
    said = capfd.readouterr().out.splitlines()
    assert [line.split(",")[0] for line in said] == [
        "--- one",
        "at work",
        "--- one: ok",
        "--- two",
        "at work",
        "--- two: failed",
    ]


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
    assert second.communicate(timeout=300)[0] == "in\n"


def test_it_says_what_is_wrong_on_the_oldest_python_it_promises(tmp_path):
    """course.py must at least compile there: no syntax newer than Python 3.9."""
    import ast

    ast.parse((ROOT / "course.py").read_text(), feature_version=(3, 9))
    for name in ("course.py", "pyproject.toml", "constraints.txt"):
        (tmp_path / name).write_bytes((ROOT / name).read_bytes())
    for python in Path(os.environ.get("PYENV_ROOT", "/nowhere")).glob("versions/3.9*/bin/python"):
        run = subprocess.run([python, tmp_path / "course.py", "lab"], capture_output=True, text=True, timeout=300)
        assert "too old" in run.stderr


def test_a_set_up_has_what_it_asks_for_and_not_what_one_command_brings_later():
    assert course.part_of_set_up("numpy>=2.0")
    assert course.part_of_set_up('jupyterlab<5,>=4.4; extra == "lab"')
    assert course.part_of_set_up("pytest>=8.4 ; extra == 'check'")
    assert not course.part_of_set_up('playwright>=1.50; extra == "browser"')
    assert not course.part_of_set_up('sphinx>=8; python_version < "4" and extra == "site"')
