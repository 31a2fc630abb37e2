"""The course's folder: a file in the way, a full disk, another place, another Python, a broken-off set-up, no home."""

import http.server
import json
import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from reliability.limits import NO_LIMITS, run

import course

ROOT = Path(__file__).parents[2]
NAMES = {"ROOT": "", "VENV": ".venv", "STAMP": ".venv/.course-setup", "LOG": ".setup.log", "WORK": "work"}
MADE_OF = ("course.py", "pyproject.toml", "constraints.txt")
NOTEBOOK = {"cells": [{"cell_type": "markdown", "source": ["# One"]}], "metadata": {}, "nbformat": 4}


def place_course(monkeypatch, root):
    """Let ``course`` work on this folder."""
    for name, path in NAMES.items():
        monkeypatch.setattr(course, name, root / path)
    return root


def make_course(root):
    (root / "notebooks").mkdir(parents=True)
    (root / "notebooks" / "01_one.ipynb").write_text(json.dumps(NOTEBOOK), encoding="utf-8")
    for name in MADE_OF:
        shutil.copy(ROOT / name, root)
    return root


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(course, "active_environment_has_the_course", lambda: False)
    return place_course(monkeypatch, make_course(tmp_path / "course"))


# --- work/ -----------------------------------------------------------------------------------------------------


def test_a_file_in_the_place_of_work_is_named_and_left_alone(folder, monkeypatch, capsys):
    monkeypatch.setattr(course, "set_up", lambda: sys.executable)
    (folder / "work").write_text("mine")
    assert course.main(["lab"]) == 1
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert line.startswith(f"{folder / 'work'} is a file where the course needs a folder")
    assert (folder / "work").read_text() == "mine"


COPIES = """
import json
from pathlib import Path
import course
folder = Path(sys.argv[1])
course.ROOT, course.WORK = folder, folder / "work"
course.copy_for_learner()
chapter = json.loads((folder / "notebooks" / "01_one.ipynb").read_text())
chapter["cells"][0]["source"] = ["# " + 50_000 * "better"]
(folder / "notebooks" / "01_one.ipynb").write_text(json.dumps(chapter))
sys.stderr = sys.stdout
fill_the_disk(20_000)
full = course.main(["reset", "NB=01"])
free_some_space()
print(f"status {full}, then {course.main(['reset', 'NB=01'])}")
"""


@NO_LIMITS
def test_a_disk_that_is_full_at_a_copy_is_told_and_no_half_notebook_stands_in_its_place(tmp_path):
    folder = make_course(tmp_path / "course")
    said, work = run(COPIES, folder), folder / "work"
    assert "yours is kept as work/01_one.backup.ipynb\n\nThe disk is full (" in said
    assert said.count("is fresh") == 1  # the second time
    assert said.endswith("status 1, then 0\n")
    assert "better" in (work / "01_one.ipynb").read_text()
    assert (work / "01_one.backup.ipynb").exists()
    for notebook in work.glob("*.ipynb"):
        json.loads(notebook.read_text())


@pytest.mark.parametrize("content", ["", '{"cells": [', "\0" * 100, "[]", "<!DOCTYPE html>"])
def test_a_damaged_notebook_is_kept_and_a_fresh_one_comes_by_reset(folder, content, capsys):
    course.copy_for_learner()
    mine = folder / "work" / "01_one.ipynb"
    mine.write_text(content)
    better = json.dumps(NOTEBOOK).replace("# One", "# Better")
    (folder / "notebooks" / "01_one.ipynb").write_text(better)
    assert len(course.copy_for_learner()) == 1  # the new chapter arrives beside it
    assert mine.read_text() == content
    assert course.main(["reset", "NB=01"]) == 0
    assert json.loads(mine.read_text())["cells"][0]["source"] == ["# Better"]
    assert (folder / "work" / "01_one.backup.ipynb").read_text() == content


@pytest.mark.parametrize("name", ["torch.py", "numpy/__init__.py", "course_lib.py"])
def test_a_file_that_hides_a_package_is_named_when_the_course_is_opened(folder, name):
    course.copy_for_learner()
    (folder / "work" / "helpers.py").touch()
    (folder / "work" / "torch").mkdir()  # a folder of data hides nothing
    assert course.hiding() == []
    mine = folder / "work" / name
    mine.parent.mkdir(exist_ok=True)
    mine.touch()
    (line,) = course.hiding()
    stem = name.split("/")[0].removesuffix(".py")
    assert line.endswith(f"hides the package {stem} from the notebooks beside it; give it another name.")


# --- where the folder is ---------------------------------------------------------------------------------------


def test_a_folder_that_was_moved_is_set_up_again_and_its_environment_still_starts(tmp_path, monkeypatch, capsys):
    """Scripts of an environment name the folder that it was made in; its Python does not."""
    before, after = make_course(tmp_path / "before"), tmp_path / "after"
    place_course(monkeypatch, before)
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", before / ".venv"], check=True)
    course.borrow_packages()
    course.STAMP.write_text(course.wanted())
    assert course.is_current()
    before.rename(after)
    place_course(monkeypatch, after)
    assert not course.is_current()
    started = []
    with monkeypatch.context() as lab:
        lab.setattr(course, "open_when_ready", lambda *_: None)
        lab.setattr(course.subprocess, "Popen", lambda command, **_: started.append(command) or Ended())
        assert course.lab(str(course.venv_python()), {}) == 0
    version = subprocess.run([*started[0][:3], "--version"], capture_output=True, text=True)
    assert version.returncode == 0, version.stderr
    assert version.stdout.startswith("4.")


class Ended:
    """A server that has come to its end."""

    def wait(self):
        return 0

    def poll(self):
        return 0


def test_in_a_folder_with_a_strange_name_everything_is_found(tmp_path, monkeypatch):
    from runs import draw, language

    from course_lib.chapters.exercises import answer
    from course_lib.classroom.exercises.progress import read
    from course_lib.datasets.text import load_text
    from course_lib.training.fit import fit

    strange = tmp_path / "it's a “course” of ü, 课程 & 50 % $HOME #1"
    place_course(monkeypatch, make_course(strange))
    assert course.copy_for_learner() == []
    assert course.is_editable_copy(json.dumps({"url": strange.as_uri(), "dir_info": {"editable": True}}))
    monkeypatch.setenv("COURSE_HOME", str(strange / "家"))
    answer("attention.variance_prediction", 64)
    assert set(read()) == {"attention.variance_prediction"}
    (strange / "我的.txt").write_text("春眠不觉晓，处处闻啼鸟。" * 2_000, encoding="utf-8")
    assert load_text(strange / "我的.txt")
    for steps in (2, 4):
        _, trained, step = language()
        history = fit(step, draw, 4, trained, every=2, until=steps, checkpoint=strange / "模型", progress=False)
    assert [interval.step for interval in history.intervals] == [2, 4]


def test_links_in_the_place_of_home_and_progress_are_followed(tmp_path, monkeypatch):
    from course_lib.classroom.exercises import progress

    real = tmp_path / "disk2" / "home"
    real.mkdir(parents=True)
    (tmp_path / "link").symlink_to(real)
    monkeypatch.setenv("COURSE_HOME", str(tmp_path / "link" / "course"))
    progress.note("a", "done")
    assert json.loads((real / "course" / "progress.json").read_text()) == {"a": {"seen": False, "state": "done"}}


# --- set-up ----------------------------------------------------------------------------------------------------

PHASES = ("venv", "torch", "-e")  # words of the commands that take the time


@pytest.mark.parametrize("phase", PHASES)
@pytest.mark.parametrize("half", ["nothing", "half an environment"])
def test_a_set_up_that_is_stopped_in_any_phase_goes_on_from_there(folder, monkeypatch, phase, half):
    done, stop = [], True

    def stopped_once(command):
        if stop and any(word.startswith(phase) for word in command[2:]):
            if half != "nothing":
                course.venv_python().parent.mkdir(parents=True, exist_ok=True)
                course.venv_python().touch()
            raise KeyboardInterrupt
        if "--version" in command:
            return 0 if "venv" in done else 1  # a Python without pip is no environment
        if "venv" in command:
            course.venv_python().parent.mkdir(parents=True)
            course.venv_python().touch()
        done.append(next(word for word in ("venv", "-e", "torch") if word in " ".join(command[2:])))
        return 0

    monkeypatch.setattr(course, "run_quietly", stopped_once)
    monkeypatch.setattr(course, "active_torch_suits", lambda: False)
    monkeypatch.setattr(course, "torch_of_own_links", lambda: "2.13.0")
    monkeypatch.setattr(course, "has_torch", lambda: "torch" in done)
    monkeypatch.setattr(course, "in_turn", lambda python, *steps: 0)
    assert course.main(["check"]) == 130
    assert not course.is_current()
    stop = False
    assert course.main(["check"]) == 0
    assert course.is_current()
    assert done == ["venv", "torch", "-e"]  # each once: what was done was kept


def test_an_environment_whose_python_has_gone_is_made_anew(folder, monkeypatch):
    """As after an update of the system that takes python3.11 away: the link in .venv leads nowhere."""
    python = course.venv_python()
    python.parent.mkdir(parents=True)
    python.symlink_to(folder / "python3.11-that-has-gone")
    course.STAMP.write_text(course.wanted())
    assert not course.is_current()
    made = []

    def run_quietly(command):
        made.append(command)
        return 0

    monkeypatch.setattr(course, "run_quietly", run_quietly)
    course.make_venv()
    assert made == [[sys.executable, "-m", "venv", str(course.VENV)]]
    assert not course.STAMP.exists()


class SignIn(http.server.BaseHTTPRequestHandler):
    """A network's sign-in page, whatever is asked for."""

    def do_GET(self):
        page = b"<!DOCTYPE html><html><body>Please accept the terms of this hotel.</body></html>"
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(page)))
        self.end_headers()
        self.wfile.write(page)

    def log_message(self, *_):
        pass


def test_a_network_that_answers_with_its_sign_in_page_is_told(folder, monkeypatch):
    """pip itself is asked, of a server here that answers HTML to everything."""
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    for name in ("PIP_FIND_LINKS", "PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(course, "venv_python", lambda: Path(sys.executable))
    course.LOG.write_text("")
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), SignIn) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        index = f"http://127.0.0.1:{server.server_port}/simple"
        try:
            with pytest.raises(
                course.Problem, match="PyTorch could not be downloaded: the package index did not answer"
            ):
                course.pip("PyTorch", "--index-url", index, "--dry-run", "--no-deps", "a-package-that-is-not-there")
        finally:
            server.shutdown()


# --- a poor machine --------------------------------------------------------------------------------------------


def test_without_a_home_jupyter_gets_one_in_the_courses_folder(folder, monkeypatch):
    assert course.a_home() == {}
    monkeypatch.setattr(os.path, "expanduser", lambda path: path)  # what comes of ~ where nobody knows the user
    (home,) = course.a_home().values()
    assert home == str(folder / ".course" / "home")
    assert os.path.isdir(home)


def test_without_a_place_for_temporary_files_the_tests_say_so(folder, monkeypatch, capsys):
    def none():
        raise FileNotFoundError(2, "No usable temporary directory found")

    monkeypatch.setattr(course.tempfile, "gettempdir", none)
    monkeypatch.setattr(course.tempfile, "_sanitize_params", lambda *_: none())
    monkeypatch.setattr(course, "set_up", lambda: sys.executable)
    assert course.main(["check"]) == 1
    assert "A folder for temporary files is needed" in capsys.readouterr().err


@pytest.mark.parametrize("encoding", ["ascii", "cp437", "latin-1"])
def test_a_console_that_lacks_a_sign_does_not_stop_the_set_up(folder, encoding):
    """The first sentence of a set-up that waits has one: ‘waiting for it …’."""
    with course.one_at_a_time():
        waits = subprocess.Popen(
            [sys.executable, folder / "course.py", "lab"],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={**os.environ, "PYTHONIOENCODING": encoding, "PYTHONUTF8": "0"},
        )
        assert waits.stdout.readline().strip() == b"Another set-up of this course is running; waiting for it ?"
        waits.kill()
        waits.wait()
        waits.stdout.close()
