"""docs/teaching.md names exercises, chapters and claims that there are, and its table of signs is that of the marks."""

import re
import sys
from pathlib import Path

import pytest

from course_lib.classroom.exercises.registry import read_stubs

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "notebooks"))
import mark  # noqa: E402
import marks  # noqa: E402

PAGE = (ROOT / "docs" / "teaching.md").read_text(encoding="utf-8")
SOURCES = {path.stem: path for path in (ROOT / "notebooks" / "source").glob("[0-9][0-9]*_*.py")}


def words(text):
    """A text without line breaks, comment signs and the seams of Python strings."""
    return re.sub(r"\s+", " ", re.sub(r'"\s*\n\s*f?"|\n# ?', " ", text))


def faults(page):
    """What the page names and the course does not have."""
    exercises = {id for path in SOURCES.values() for id in read_stubs(path)}
    topics = {id.split(".")[0] for id in exercises}
    named = {name for name in re.findall(r"`([a-z]+\.\w+)`", page) if name.split(".")[0] in topics}
    found = sorted(named - exercises)
    for target in re.findall(r"\]\(\.\./notebooks/(\w+)\.ipynb", page):
        found += [] if target in SOURCES else [target]
    for quoted, target in re.findall(r"\[\*([^*]+)\*\]\(\.\./notebooks/(\w+)\.ipynb#", page):
        found += [] if words(quoted) in words(SOURCES[target].read_text(encoding="utf-8")) else [quoted]
    return found


def test_what_the_page_names_is_there():
    assert faults(PAGE) == []
    assert len(re.findall(r"\[\*", PAGE)) == len(re.findall(r"^\d+\. ", PAGE.split("## Questions")[1], re.M)) == 13


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("`vae.elbo`", "`vae.elbow`"),
        ("01_likelihood.ipynb)", "01_likely.ipynb)"),
        ("*masking after", "*no masking after"),
    ],
)
def test_what_is_not_there_is_found(old, new):
    assert old in PAGE
    assert len(faults(PAGE.replace(old, new))) == 1


def test_every_chapter_of_the_main_path_has_its_week():
    weeks = dict(re.findall(r"^\| (\d+) \| \[(\d\d) ", PAGE, re.M))
    assert list(weeks.values()) == [f"{week - 1:02}" for week in range(1, 15)]
    assert set(SOURCES) == {*re.findall(r"notebooks/(\w+)\.ipynb\)", PAGE)}


def test_the_minutes_of_homework_are_those_of_the_exercises():
    main_path = [path for name, path in SOURCES.items() if re.match(r"(0\d|1[0-3])_", name)]
    minutes = [
        sum(map(int, re.findall(r"importance \d/5 · (\d+) minutes", path.read_text("utf-8")))) for path in main_path
    ]
    assert f"are {min(minutes)} to {max(minutes)} minutes" in re.sub(r"\s+", " ", PAGE)


def test_the_signs_are_those_of_the_marks():
    rows = re.findall(r"^\| (\S+) \| ([a-z][a-z ,]+) \| .+ \|$", PAGE.split("| :-: |")[1].split("\n\n")[0], re.M)
    assert {state: sign for sign, state in rows} == marks.SIGNS


def test_whose_a_notebook_is_is_told_as_it_is():
    rows = re.findall(r"^\| `class/(.+\.ipynb)` \| (.+) \|$", PAGE, re.M)
    assert len(rows) == 4
    folder = Path("/class").absolute()
    assert [mark.who(folder / name, folder, [*SOURCES]) for name, _ in rows] == [who for _, who in rows]
