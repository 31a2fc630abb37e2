"""data/README.md names every shipped file, its origin and terms, and its sum."""

import hashlib
import re

import pytest

from course_lib import paths

FILES = sorted(path for path in paths.DATA.iterdir() if path.is_file() and path.suffix not in (".md", ".py", ".part"))
ROW = re.compile(r"^\| `([^`]+)` \| (.+) \| (.+) \| `([0-9a-f]{64})` \|$", re.M)


def row_of(name):
    """What stands in the table beside a file's name: what it is, its origin and terms, its sum."""
    rows = {row[0]: row[1:] for row in ROW.findall((paths.DATA / "README.md").read_text(encoding="utf-8"))}
    return rows.get(name, ("", "", ""))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_a_shipped_file_stands_in_the_table_with_its_sum(path):
    what, origin, sha256 = row_of(path.name)
    assert what, f"a row of data/README.md for {path.name}: | `{path.name}` | what | origin and terms | `sha256` |"
    assert origin
    assert sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


def test_there_are_files():
    assert len(FILES) >= 17
