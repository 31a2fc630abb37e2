"""The file of progress: damaged, not writable, written by several kernels at once."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from course_lib.chapters.exercises import answer, progress
from course_lib.classroom.exercises.engine import WrongAnswerError
from course_lib.classroom.exercises.lock import held
from course_lib.classroom.exercises.progress import read

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.usefixtures("toys")


def test_a_damaged_progress_file_is_moved_aside(home, capsys):
    home.mkdir()
    (home / "progress.json").write_text("{half a fi")
    answer("toy.word", "left")
    assert read() == {"toy.word": {"state": "done", "seen": False}}
    assert (home / "progress.damaged.json").read_text() == "{half a fi"
    assert not list(home.glob("*.part"))


def test_a_home_that_cannot_be_written_does_not_stop_the_lesson(home, capsys):
    home.parent.mkdir(exist_ok=True)
    home.write_text("a file stands here")
    answer("toy.word", "left")
    said = capsys.readouterr().out
    assert "progress is not remembered" in said
    assert "✓ toy.word" in said


DAMAGED = {
    "no object": "[1, 2]",
    "no entry": '{"toy.word": 3}',
    "no state": '{"toy.word": {"seen": true}}',
    "another state": '{"toy.word": {"state": "finished", "seen": true}}',
    "nothing seen": '{"toy.word": {"state": "done"}}',
    "what was said": '{"toy.word": {"state": "wrong", "seen": true, "said": "no"}}',
    "deep": "[" * 100_000,
    "other bytes": b"\xff\xfe\x00",
    "empty": "",
}


@pytest.mark.parametrize("content", DAMAGED.values(), ids=DAMAGED)
def test_what_is_no_progress_is_moved_aside(home, content):
    home.mkdir()
    content = content.encode() if isinstance(content, str) else content
    (home / "progress.json").write_bytes(content)
    progress()
    assert (home / "progress.damaged.json").read_bytes() == content
    answer("toy.word", "left")
    assert read() == {"toy.word": {"state": "done", "seen": False}}


def test_what_was_said_is_remembered_until_it_is_done(home, capsys):
    answer("toy.word", ...)
    assert read()["toy.word"]["state"] == "open"
    assert read()["toy.word"]["said"]["state"] == "untouched"
    for value, key in (("right", "right"), ("upp", "unknown")):
        with pytest.raises(WrongAnswerError) as stopped:
            answer("toy.word", value)
        entry = read()["toy.word"]
        assert (entry["state"], entry["said"]["state"]) == ("wrong", "wrong")
        assert entry["said"]["key"] == stopped.value.key == key
        assert entry["said"]["lines"]
        assert all(line in str(stopped.value) for line in entry["said"]["lines"])
    answer("toy.word", ...)
    assert read()["toy.word"]["state"] == "wrong", "as it was"
    assert read()["toy.word"]["said"]["state"] == "untouched", "but this is what stands there now"
    answer("toy.word", "left")
    assert read()["toy.word"] == {"state": "done", "seen": False}


WRITER = """
import sys
from course_lib.classroom.exercises import progress
for i in range(30):
    progress.note(f"exercise.{sys.argv[1]}.{i}", "done")
"""


def test_six_kernels_at_once_lose_nothing(home):
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, str(i)], cwd=ROOT) for i in range(6)]
    assert [writer.wait(timeout=120) for writer in writers] == [0] * 6
    found = read()
    assert set(found) == {f"exercise.{i}.{j}" for i in range(6) for j in range(30)}
    assert {path.name for path in home.iterdir()} == {"progress.json", "progress.lock"}


def test_a_lock_that_is_never_released_does_not_stop_a_lesson(tmp_path):
    with held(tmp_path / "a.lock"):
        start = time.monotonic()
        with held(tmp_path / "a.lock", timeout=0.1):
            assert 0.1 <= time.monotonic() - start < 30
    with held(tmp_path / "a.lock", timeout=60):
        assert time.monotonic() - start < 30, "released at the end of the block"


def test_a_process_that_died_leaves_no_lock(tmp_path):
    code = f"import os; from course_lib.classroom.exercises.lock import held; from pathlib import Path\nwith held(Path({str(tmp_path / 'a.lock')!r})): os._exit(1)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT).returncode == 1
    start = time.monotonic()
    with held(tmp_path / "a.lock", timeout=60):
        assert time.monotonic() - start < 30
