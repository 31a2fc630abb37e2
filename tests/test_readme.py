"""README.md and the pages beside it: made from what is stored, links that lead somewhere, commands that exist."""

import json
import re
import sys
import tomllib
from pathlib import Path

import pytest

import course

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "docs"))
import readme  # noqa: E402

PAGES = ("README.md", "README.zh.md", "CONTRIBUTING.md", "docs/ways_in.md")
PAGE = (ROOT / "README.md").read_text(encoding="utf-8")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def text(name):
    return (ROOT / name).read_text(encoding="utf-8")


def flat(page):
    """A page without its line breaks."""
    return " ".join(page.split())


def test_tables_and_badges_are_those_of_cards_notebooks_and_records():
    assert readme.with_parts(PAGE, readme.made(readme.repository())) == PAGE, "`python docs/readme.py` makes it anew"


def test_a_row_holds_a_chapters_minutes_its_exercises_and_its_seconds(tmp_path):
    cells = [
        {"cell_type": "markdown", "source": ["# 99 · Deep\n\n**Why\ndeep?**\n"]},
        {"cell_type": "markdown", "source": ["**Needs** nothing. **Time** 35 minutes to read and run, 9 more."]},
        {"cell_type": "markdown", "source": ["*difficulty 2/5 · importance 4/5 · 4 minutes*"]},
        {"cell_type": "code", "source": ["# difficulty 1/5 · importance 1/5 · 70 minutes"]},
        {"cell_type": "markdown", "source": ["*difficulty 1/5 · importance 3/5 · 5 minutes*"]},
    ]
    path = tmp_path / "99b_deep.ipynb"
    path.write_text(json.dumps({"cells": cells, "metadata": {"course": {"seconds": 12}}}))
    row = readme.row(path, {"99b_deep": 3.6})
    assert row == "|  | [`99b_deep`](notebooks/99b_deep.ipynb) (optional) | Why deep? | 35 | 2: 9 | 12 | 4 |"
    assert readme.row(path, {}).endswith("| 12 | – |")


def test_a_mark_that_is_missing_is_named():
    with pytest.raises(ValueError, match="<!-- measured -->"):
        readme.with_parts("no mark", {"measured": "x"})


def test_badges_need_an_address():
    assert readme.badges("") == ""
    assert "github/someone/course/blob/main/notebooks/00" in readme.badges("https://github.com/someone/course")


@pytest.mark.parametrize("name", PAGES)
def test_every_link_to_a_file_of_the_course_leads_to_one(name):
    page = re.sub(r"`[^`]*`", "", text(name))  # a link in code is an example
    found = re.findall(r"\]\((?!https?://|#)([^)#\s]+)", page)
    assert not [link for link in found if not ((ROOT / name).parent / link).exists()]
    headings = {heading.lower().replace(" ", "-") for heading in re.findall(r"^#+ (.+)", page, re.M)}
    assert set(re.findall(r"\]\(#([^)\s]+)\)", page)) <= headings


def test_every_command_is_told_and_every_told_command_exists():
    table = set(re.findall(r"^\| `make ([\w-]+)", PAGE, re.M))
    exist = {*course.COMMANDS, "reset", "clean"}
    assert table <= exist
    assert exist - table <= {"fuzz"}  # of maintainers: CONTRIBUTING has it


def test_every_variable_of_the_course_is_in_its_table():
    code = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "course_lib").rglob("*.py"))
    read = set(re.findall(r"""environ(?:\.get\(|\[)["'](COURSE_\w+)""", code))
    assert set(re.findall(r"^\| `(COURSE_\w+)`", PAGE, re.M)) >= read


def test_numbers_in_the_prose_are_those_of_their_records():
    slowest = max(each["seconds"] for each in readme.record("full_budgets")["rows"])
    assert f"in at most {slowest:.0f} seconds each" in flat(PAGE)
    assert f"A course of {len(readme.notebooks())} Jupyter notebooks" in PAGE
    assert f"由 {len(readme.notebooks())} 个 Jupyter 笔记本" in text("README.zh.md")


def test_the_picture_is_small_and_its_words_are_those_of_the_records():
    assert (ROOT / "docs/_static/course.png").stat().st_size <= 300 * 1024
    counts = readme.record("rivals")["test"]
    model = [float(n) for n in re.findall(r"bits a character, test part \| ([\d.]+) … ([\d.]+)", PAGE)[0]]
    for name in ("README.md", "README.zh.md"):
        alt = re.search(r"!\[(.+?)\]", text(name), re.S)[1]
        for key in ("order 3, 3 discounts", "lzma", "order 7, 3 discounts"):
            assert f"{counts[key]:.2f}" in alt
        assert any(model[0] <= float(number) <= model[1] for number in re.findall(r"2\.2\d", alt))
        assert "0.66" in alt


def test_the_page_in_chinese_has_every_chapter():
    linked = re.findall(r"^\|.*?\]\(notebooks/(\S+\.ipynb)\)", text("README.zh.md"), re.M)
    assert linked == [path.name for path in readme.notebooks()]


def test_the_citation_is_of_this_version():
    assert f"\nversion: {PROJECT['version']}\n" in text("CITATION.cff")


def test_the_picture_can_be_made_again(tmp_path, monkeypatch):
    import picture

    monkeypatch.setattr(picture, "TARGET", tmp_path / "made" / "course.png")
    picture.main()
    assert (tmp_path / "made" / "course.png").read_bytes().startswith(b"\x89PNG")
