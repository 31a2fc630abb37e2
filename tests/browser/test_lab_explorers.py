"""Every explorer in JupyterLab, by the keyboard alone: each control moves it, and the picture answers within 150 ms."""

import re
import statistics

import pytest
from browser.explorer import Explorer
from browser.run_all import CHAPTERS, explored_by, stored

pytestmark = pytest.mark.browser
WITHIN = 150  # milliseconds from the key to the changed picture, in the median
MOVES = 21
PLAYED = 300  # moves between two measurements: ten minutes of a hand that moves every other second
CALL = re.compile(r"^(?!from|import).*\b(\w*[Ee]xplorer)\(", re.M)
EXPLORERS = [
    (chapter, found[1])
    for chapter in CHAPTERS
    for cell in stored(chapter)["cells"]
    if cell["cell_type"] == "code" and (found := CALL.search("".join(cell["source"])))
]
assert {chapter for chapter, _ in EXPLORERS} == {  # what is called is what was shown
    chapter
    for chapter in CHAPTERS
    for cell in stored(chapter)["cells"]
    if any("course_explorer" in output.get("metadata", {}) for output in cell.get("outputs", []))
}
PLAY = "fa fa-play"  # a button without a name, by its sign
# What leaves the picture as it is: knobs of the training to come, and what says something in words.
QUIET = {
    "GanExplorer": {"slow", "keep", "R1 penalty γ", "rate of G", "rate of D", "fa fa-stop", "fa fa-retweet"},
    "ChatExplorer": {"who answers", "temperature", "top-p", "seed", "with memory", "slowly", "Send", "Stop"},
}
TYPED = {
    "AttentionExplorer": "the king",
    "sampling_explorer": "Now",
    "SentenceExplorer": "a cyan 0",
    "WallExplorer": "a cyan 0",
    "ChatExplorer": "How much is 12 plus 7?",
}
# what is timed where no slider moves the picture, or where another one has a network draw for some tenths of a second
TEXT_ALONE = {"WallExplorer"}  # no slider to time
ACTS = {"GanExplorer": "G turn", "SentenceExplorer": "look at", "ChatExplorer": "token"}


@pytest.fixture
def explorer(ran, chapter, name, request):
    """The explorer of a chapter in which everything has run, at rest."""
    notebook = ran[chapter].notebook
    root = notebook.select(f"{name}(").locator(".course-live, .widget-vbox").first
    assert root.count(), "\n".join([f"{chapter}: {name} is not on the page", *ran[chapter].wrong])
    yield Explorer(notebook.page, root)
    if request.node is [test for test in request.session.items if explored_by(test) == chapter][-1]:
        notebook.close()


def times(explorer, name):
    """Return the median and the largest of the milliseconds that moves take."""
    taken = explorer.times(explorer.control(*filter(None, [ACTS.get(name)])), MOVES)
    return statistics.median(taken), taken[-1]


def play(explorer, notebook, name):
    """Do what ten minutes of play come to: a GAN's 3,000 steps, after which it trains no more; elsewhere many moves."""
    if name == "GanExplorer":
        notebook.append("GanExplorer(", "scene.slow.value, scene.play.interval = False, 40  # milliseconds, not 150")
        player = explorer.control(PLAY)
        explorer.move(player)
        explorer.root.get_by_text("3,000 steps are done").wait_for(timeout=300_000)
        explorer.move(player)  # pauses
    else:
        explorer.hurry(explorer.control(), PLAYED)
    explorer.come_to_rest()


@pytest.mark.parametrize(("chapter", "name"), EXPLORERS)
def test_tab_reaches_every_control(explorer, chapter, name):
    reached = explorer.reached_by_tab()
    missed = [c.name for c in explorer.controls() if c.place not in reached and not c.disabled]
    assert not missed, f"{chapter}, {name}: Tab does not reach {missed}"


@pytest.mark.parametrize(("chapter", "name"), EXPLORERS)
def test_each_control_moves_by_the_keyboard_and_the_picture_changes(explorer, chapter, name):
    for place in range(len(explorer.controls())):
        control = explorer.controls()[place]
        if control.disabled:
            continue
        before = explorer.look()
        explorer.move(control, TYPED.get(name, ""))
        quiet = control.guess or control.name in QUIET.get(name, ())
        explorer.wait_for_change(
            before, quiet, f"{chapter}, {name}: {control.kind} ‘{control.name}’, {' '.join(control.keys)}"
        )
        if control.name == PLAY:
            explorer.move(control)  # pauses
        explorer.come_to_rest()


@pytest.mark.parametrize(("chapter", "name"), EXPLORERS)
def test_the_picture_answers_within_150_ms_and_after_ten_minutes_of_play(explorer, ran, chapter, name, notes):
    if name in TEXT_ALONE:
        pytest.skip("no slider: nothing is dragged")
    fresh = times(explorer, name)
    play(explorer, ran[chapter].notebook, name)
    played = times(explorer, name)
    says = [f"{median:.0f} ms (at most {most:.0f})" for median, most in (fresh, played)]
    said = f"{chapter}, {name}: a move takes {says[0]}, after much play {says[1]}"
    notes(said)
    assert max(fresh[0], played[0]) < WITHIN, said


@pytest.mark.parametrize("theme", ["JupyterLab Light", "JupyterLab Dark"])
@pytest.mark.parametrize(("chapter", "name"), EXPLORERS)
def test_words_have_contrast_in_both_themes(explorer, lab, chapter, name, theme):
    lab.theme(theme)
    pale = explorer.root.evaluate("root => course.pale(root, 4.5)")
    assert not pale, f"{chapter}, {name}, {theme}: {pale}"


@pytest.mark.parametrize(("chapter", "name"), EXPLORERS)
def test_nothing_moves_by_itself_where_less_motion_is_asked_for(explorer, chapter, name):
    explorer.page.emulate_media(reduced_motion="reduce")
    try:
        moving = explorer.root.evaluate("root => course.moving(root)")
    finally:
        explorer.page.emulate_media(reduced_motion="no-preference")
    assert not moving, f"{chapter}, {name}: {moving}"


@pytest.mark.parametrize(("chapter", "name"), [pair for pair in EXPLORERS if pair[1] == "ChatExplorer"])
def test_the_kernel_hears_stop_while_it_writes(explorer, chapter, name):
    says = lambda: explorer.root.locator(".status").inner_text()
    chips = explorer.root.locator(".exchange.here .chip")
    slowly = explorer.control("slowly")
    was_slow = explorer.root.get_by_label("slowly").is_checked()  # another test may have moved it
    if not was_slow:
        explorer.move(slowly)
    explorer.move(explorer.control("question"), TYPED[name])
    explorer.page.wait_for_function(
        "root => root.querySelectorAll('.chip').length >= 2", arg=explorer.root.element_handle()
    )
    assert says().endswith("is writing …")
    explorer.move(explorer.control("Stop"))
    explorer.page.wait_for_function(
        "root => !root.querySelector('.status').textContent.endsWith('is writing …')",
        arg=explorer.root.element_handle(),
    )
    written = chips.count()  # some more than two where the machine is busy, and not the whole answer
    assert "stopped" in explorer.root.locator(".exchange.here").inner_text()
    explorer.page.wait_for_timeout(1000)  # two more would have come
    assert chips.count() == written
    if not was_slow:
        explorer.move(slowly)
    explorer.move(explorer.control("New"))
    explorer.come_to_rest()
