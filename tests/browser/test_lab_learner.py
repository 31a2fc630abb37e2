"""What a learner does in JupyterLab: exercises, hints, guesses, the stop button, a new kernel, two chapters at once."""

import json
import re

import pytest

pytestmark = pytest.mark.browser
START, ATTENTION, LANGUAGE = "00_start_here", "02_attention", "05_language_model"
IMPORTS = "from course_lib.chapters.exercises import"  # in the cell of imports of every chapter
STANDARDISE, ATTEND = "def standardise(", "def scaled_dot_product_attention("
ONE_MEAN = """\
@exercise("start.standardise")
def standardise(points):
    return (points - points.mean()) / points.std()"""
RIGHT = ONE_MEAN.replace("mean()", "mean(dim=0)").replace("std()", "std(dim=0)")
RIGHT_ATTENTION = """\
@exercise("attention.scaled_dot_product")
def scaled_dot_product_attention(q, k, v, mask=None):
    scores = q @ k.transpose(-1, -2) / q.shape[-1] ** 0.5
    if mask is not None:
        scores = scores.masked_fill(~mask, float("-inf"))
    weights = scores.softmax(-1)
    return weights @ v, weights"""


@pytest.fixture
def start(own_lab):
    """Chapter 00 as it comes, with nothing done, its imports run."""
    (own_lab.folder / ".course" / "progress.json").unlink(missing_ok=True)
    notebook = own_lab.fresh(START)
    notebook.run(IMPORTS)
    yield notebook
    notebook.close()


def states(lab) -> dict[str, str]:
    """Return the states of the exercises that the learner has tried, as the progress remembers them."""
    noted = json.loads((lab.folder / ".course" / "progress.json").read_text(encoding="utf-8"))
    return {id: entry["state"] for id, entry in noted.items() if entry["state"] != "open"}


def test_make_lab_opens_the_first_chapter(own_lab, browser):
    with browser.new_context() as context:
        page = context.new_page()
        page.goto(own_lab.address)
        page.get_by_role("heading", name="00 · Start here").wait_for()
        page.get_by_role("tab", name="00_start_here.ipynb").wait_for()


def test_an_exercise_is_wrong_and_then_right(start, own_lab):
    assert "yours to write" in start.run(STANDARDISE).says
    start.write(STANDARDISE, ONE_MEAN)
    wrong = start.run(STANDARDISE).says
    assert "Your output equals what one gets if one mean and one standard deviation are taken" in wrong
    assert "Traceback" not in start.element(STANDARDISE).inner_text(), "the learner sees a traceback of ours"
    assert states(own_lab) == {"start.standardise": "wrong"}
    assert "Hint 1 of" in start.append(STANDARDISE, 'hint("start.standardise")').says
    start.write(STANDARDISE, RIGHT)
    assert "✓ start.standardise: right" in start.run(STANDARDISE).says
    assert states(own_lab) == {"start.standardise": "done"}
    assert start.append(STANDARDISE, "print(standardise.__module__)").says.strip() == "__main__", (
        "not the learner's own"
    )


def test_a_solution_is_shown_and_progress_lists_it(start):
    solution = start.append(STANDARDISE, 'solution("start.standardise")').says
    assert "def standardise" in solution
    start.write(STANDARDISE, RIGHT)
    start.run(STANDARDISE)
    listed = start.append(STANDARDISE, 'progress("00")').says
    assert re.search(r"✓ done after seeing the solution\s+start\.standardise", listed), listed
    assert re.search(r"◦ open\s+start\.gradient_step", listed), listed


def test_a_guess_stands_beside_the_claim_that_answers_it(start):
    start.run("points = fireflies(400)")
    assert "yours to guess" in start.run('guess("off_track"').says
    start.write('guess("off_track"', 'guess("off_track", "about 37")')
    assert "kept" in start.run('guess("off_track"').says
    claimed = start.run('guessed="off_track"').says
    assert "✓ of one Gaussian's points, about half do" in claimed
    assert "you guessed: about 37" in claimed


def test_progress_outlives_the_kernel(start):
    start.write(STANDARDISE, RIGHT)
    start.run(STANDARDISE)
    start.restart()
    assert "NameError" in start.append(STANDARDISE, "print(standardise)").says, "the kernel is the old one"
    start.run(IMPORTS)
    listed = start.append(IMPORTS, 'progress("00")').says
    assert re.search(r"✓ done\s+start\.standardise", listed), listed


def test_two_chapters_at_once_keep_the_progress_of_both(start, own_lab):
    attention = own_lab.fresh(ATTENTION)
    attention.run_above(ATTEND)
    start.write(STANDARDISE, RIGHT)
    attention.write(ATTEND, RIGHT_ATTENTION)
    start.begin(STANDARDISE)
    attention.begin(ATTEND)
    for notebook in (start, attention):
        notebook.wait()
        assert not notebook.failed()
    attention.close()
    assert states(own_lab) == {"start.standardise": "done", "attention.scaled_dot_product": "done"}


def test_a_collapsed_drawing_cell_opens(start):
    cell = start.element("drawings.bell_beside_data(")
    cell.scroll_into_view_if_needed()
    editor = cell.locator(".cm-content")
    assert not editor.is_visible(), "the cell is open from the start"
    cell.locator(".jp-Placeholder").click()
    editor.wait_for()
    assert "drawings.bell_beside_data(" in editor.inner_text()


def test_a_training_is_stopped_and_goes_on_where_it_was(own_lab):
    notebook, training = own_lab.fresh(LANGUAGE), "history = fit("
    notebook.run_above(training)
    notebook.begin(training)
    notebook.wait_for_picture(training)  # ten steps are done, and the loss is drawn
    notebook.interrupt()
    notebook.wait()
    said = notebook.cell(training).says
    assert not notebook.failed(), notebook.failed()
    stopped = re.search(r"stopped after step (\d+) of \d+: model and history are kept", said)
    assert stopped, f"the stop button did not end the training: {said}"
    assert 10 <= int(stopped[1]) < 100
    assert "stopped" not in notebook.run(training).says
    assert notebook.append(training, "print(history.step)").says.strip() == "100", "it began anew"
    assert "✓ on Shakespeare, this run is where the five recorded ones were" in notebook.run("near = lambda step").says
    notebook.close()


@pytest.mark.parametrize("theme", ["JupyterLab Light", "JupyterLab Dark"])
def test_what_exercises_say_has_contrast_in_both_themes(start, own_lab, theme):
    own_lab.theme(theme)
    start.run(STANDARDISE)  # untouched
    start.append(STANDARDISE, RIGHT)
    start.append("def gradient_step", 'hint("start.gradient_step"); progress(); guess("a", 1)')
    start.append("def gradient_step", '@exercise("start.gradient_step")\ndef gradient_step(*_):\n    return 1')
    start.append(
        "def mixture_log_density", '@exercise("start.mixture_log_density")\ndef mixture_log_density(*_):\n    ...'
    )
    start.run('answer("start.fault_a"')
    pale = start.page.locator(f"#{start.id}").evaluate(
        "panel => [...panel.querySelectorAll('.jp-OutputArea')].flatMap((area) => course.pale(area, 4.5))"
    )
    assert not pale, f"{theme}: {pale}"
