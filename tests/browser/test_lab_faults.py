"""What JupyterLab does when a notebook's file changes under it, when one is open twice, and when a kernel dies."""

import json

import pytest
from browser.lab import Lab

pytestmark = pytest.mark.browser
START = "00_start_here"
IMPORTS = "from course_lib.chapters.exercises import"  # in the cell of imports of every chapter
TYPED = "mine = 'typed in the page'"


@pytest.fixture
def start(own_lab):
    """Chapter 00 as it comes."""
    notebook = own_lab.fresh(START)
    yield notebook
    notebook.close()


def save(notebook, cell=TYPED):
    """Press Ctrl+S; saving by itself every two minutes does the same."""
    notebook.select(cell)
    notebook.page.keyboard.press("ControlOrMeta+S")


def asked(notebook):
    """The dialog that asks what to do with a file that has changed."""
    dialog = notebook.page.locator(".jp-Dialog").filter(has_text="has changed on disk since")
    dialog.wait_for()
    return dialog


def test_a_file_that_changed_is_not_saved_over_unasked(start, own_lab):
    """As `make reset` in a terminal changes it while the page is open."""
    path = own_lab.folder / start.path
    start.write(IMPORTS, TYPED)
    other = json.loads(path.read_text(encoding="utf-8"))
    other["cells"][0]["source"] = ["# From elsewhere"]
    path.write_text(json.dumps(other), encoding="utf-8")
    save(start)
    dialog = asked(start)
    assert "From elsewhere" in path.read_text(encoding="utf-8")
    dialog.get_by_role("button", name="Cancel").click()
    assert start.cell(TYPED)
    save(start)
    asked(start).get_by_role("button", name="Revert").click()
    start.page.wait_for_function(
        "path => course.cells(path).some((cell) => cell.source === '# From elsewhere')", arg=start.path
    )


def test_a_notebook_open_in_two_pages_is_not_saved_over_unasked(start, own_lab, browser):
    path = own_lab.folder / start.path
    with browser.new_context() as context:
        second = Lab(context.new_page(), own_lab.address, own_lab.folder).open(START)
        second.write(IMPORTS, TYPED)
        save(second)
        second.page.wait_for_function("path => !course.panel(path).context.model.dirty", arg=second.path)
    assert "typed in the page" in path.read_text(encoding="utf-8")
    start.write(IMPORTS, "first = 1")
    save(start, "first = 1")
    dialog = asked(start)
    assert "typed in the page" in path.read_text(encoding="utf-8")
    dialog.get_by_role("button", name="Revert").click()
    dialog.wait_for(state="detached")


def test_a_kernel_that_dies_is_started_again_and_the_text_stays(start):
    start.write(IMPORTS, "import os; os._exit(1)")
    start.begin("os._exit(1)")
    dialog = start.page.locator(".jp-Dialog").filter(has_text="appears to have died")
    dialog.wait_for()
    dialog.get_by_role("button", name="Ok").click()
    start.page.wait_for_function("path => course.ready(path)", arg=start.path)
    start.write("os._exit(1)", "print('alive')")
    assert start.run("print('alive')").says.strip() == "alive"
