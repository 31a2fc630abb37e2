"""The table of faults names tests that exist, and every test of this folder stands in it."""

import ast
import re
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
PAGE = TESTS.parent / "docs" / "reliability.md"
COLUMNS = 4


HEAD = "| what goes wrong"


def rows(text):
    """The cells of each row of the page's tables of faults, without heads and rules."""
    found, inside = [], False
    for line in text.splitlines():
        inside = line.startswith(HEAD) or (inside and line.startswith("| "))
        if inside and not line.startswith((HEAD, "| ---")):
            found.append([cell.strip() for cell in line.strip("|").split(" | ")])
    return found


def named(text):
    """The tests that a text names, as (file, function)."""
    return re.findall(r"`([\w/]+\.py)::(test_\w+)`", text)


def defined(path):
    """The names of the test functions in a file."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")}


def faults(text):
    """What is wrong with a page: rows without a test, tests that there are not."""
    found = [f"{row[0]}: {len(row)} cells" for row in rows(text) if len(row) != COLUMNS or not all(row)]
    found += [f"{row[0]}: no test" for row in rows(text) if not named(row[-1])]
    for file, name in named(text):
        if not (TESTS / file).is_file() or name not in defined(TESTS / file):
            found.append(f"{file}::{name}")
    return found


def test_every_row_names_tests_that_exist():
    text = PAGE.read_text(encoding="utf-8")
    assert len(rows(text)) >= 50
    assert faults(text) == []


def test_every_test_of_this_folder_stands_in_the_table():
    stand = {name for _, name in named(PAGE.read_text(encoding="utf-8"))}
    own = [path for path in sorted(Path(__file__).parent.glob("test_*.py")) if path != Path(__file__)]
    assert own
    assert [name for path in own for name in sorted(defined(path)) if name not in stand] == []


@pytest.mark.parametrize(
    "row",
    [
        "| a | b | c | none |",
        "| a | b | c | `training/test_fit.py::test_that_there_is_not` |",
        "| a | b | c | `training/test_nothing.py::test_arguments_that_make_no_run_are_named` |",
        "| a | b | `training/test_fit.py::test_arguments_that_make_no_run_are_named` |",
    ],
)
def test_a_faulty_row_is_found(row):
    assert faults(f"{HEAD}\n| ---\n{row}")
    assert not faults(f"{HEAD}\n| a | b | c | `training/test_fit.py::test_arguments_that_make_no_run_are_named` |")
