"""What is written while a lesson goes on, notebooks and progress, where the disk is full or something is in the way."""

import json
from pathlib import Path

import pytest
from reliability.limits import NO_LIMITS, run

from course_lib.chapters.exercises import answer, progress
from course_lib.classroom.exercises.progress import read

SAVES = """
import asyncio, nbformat
from jupyter_server.services.contents.largefilemanager import AsyncLargeFileManager
from tornado.web import HTTPError

path = sys.argv[1] + "/mine.ipynb"
contents = AsyncLargeFileManager(root_dir=sys.argv[1])  # what JupyterLab saves by
contents.notary.db_file = ":memory:"  # the list of trusted notebooks is the user's own and may be past the limit already

def save(text):
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell(text)])
    model = {"type": "notebook", "format": "json", "content": notebook}
    try:
        asyncio.run(contents.save(model, "mine.ipynb"))
        print("saved")
    except HTTPError as error:
        print("kept" if nbformat.read(path, 4).cells[0].source == "mine" else "lost", error.status_code, error.log_message)

save("mine")
fill_the_disk(20_000)
save("mine, longer" * 10_000)
save("mine, shorter")
free_some_space()
save("mine, longer" * 10_000)
"""


@NO_LIMITS
def test_a_notebook_that_does_not_fit_on_the_disk_stays_as_it_was_last_saved(tmp_path):
    """By the part of Jupyter that saves; where it fails JupyterLab says so, and the page keeps what was typed."""
    said = run(SAVES, tmp_path).splitlines()
    assert said[0] == "saved"
    assert said[1].startswith("kept 500 Unexpected error while saving file: mine.ipynb")
    assert "File too large" in said[1]
    assert said[2:] == ["saved", "saved"]
    assert {file.name for file in tmp_path.iterdir()} == {"mine.ipynb", ".ipynb_checkpoints"}


NOTES = """
from course_lib.classroom.exercises import progress
progress.note("a", "done")
fill_the_disk(10)
progress.note("b", "done")
free_some_space()
progress.note("c", "done")
"""


@NO_LIMITS
def test_progress_that_does_not_fit_on_the_disk_is_told_and_what_was_there_stays(home):
    said = run(NOTES)
    assert said.count("progress is not remembered") == 1
    assert set(json.loads((home / "progress.json").read_text(encoding="utf-8"))) == {"a", "c"}
    assert {file.name for file in home.iterdir()} == {"progress.json", "progress.lock"}


@pytest.mark.parametrize("name", ["progress.json", "progress.lock"])
def test_a_folder_in_the_place_of_a_file_is_told_and_the_lesson_goes_on(home, name, capsys):
    (home / name).mkdir(parents=True)
    answer("attention.variance_prediction", 64)
    progress("02")
    said = capsys.readouterr().out
    assert "✓ attention.variance_prediction: right" in said
    assert said.count("progress is not remembered") == 1
    assert read() == {}


def test_without_a_home_folder_the_lesson_goes_on(monkeypatch, tmp_path, capsys):
    """A user that the system does not know, as in a container: there is no ~ to keep progress in."""
    from course_lib import paths

    monkeypatch.delenv("COURSE_HOME")
    monkeypatch.setattr(paths, "CHECKOUT", tmp_path)  # as after `pip install .`
    monkeypatch.setattr("os.path.expanduser", lambda path: path)
    answer("attention.variance_prediction", 64)
    progress("02")
    said = capsys.readouterr().out
    assert "progress is not remembered: COURSE_HOME: expected a folder, got None, and this user has no home" in said
    assert "✓ attention.variance_prediction: right" in said
    with pytest.raises(OSError, match="this user has no home folder"):
        paths.home()
    assert not Path("~").exists()
