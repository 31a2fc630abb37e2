"""Every live explorer in a page without a kernel: its numbers, its controls by the keyboard, what can be read of it."""

import math
import re
import statistics

import pytest
from classroom.test_live import differences
from live_cases import CASES

from course_lib.chapters.ch10_gan_dynamics.phase import size, verdict
from course_lib.classroom import figures
from course_lib.classroom.live import source

pytestmark = pytest.mark.browser

# A page with the module, and copies of its explorer on models with the part of anywidget's that modules use.
LOAD = """async ({ text, data, state }) => {
  const module = await import(URL.createObjectURL(new Blob([text], { type: "text/javascript" })));
  const values = () => ({ data: structuredClone(data), state: { ...state } });
  window.explorers = [];
  window.mount = () => {
    const own = values(), heard = [], saved = [];
    const model = {
      get: name => own[name],
      set: (name, value) => {
        own[name] = value;
        heard.filter(([event]) => event === `change:${name}`).forEach(([, act]) => act());
      },
      save_changes: () => saved.push({ ...own.state }),
      on: (event, act) => heard.push([event, act]),
      off: (event, act) => heard.splice(heard.findIndex(pair => pair[0] === event && pair[1] === act), 1),
    };
    const el = document.querySelector("main").appendChild(document.createElement("div"));
    window.explorers.push({ model, el, heard, saved, close: module.default.render({ model, el }) });
  };
  window.compute = states => states.map(each => module.compute(data, each));
  window.mount();
}"""

SHELL = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>One explorer</title>
<meta name="viewport" content="width=device-width"></head>
<body style="margin:0;background:GROUND"><main><h1 style="background:#fff">One explorer</h1></main></body></html>"""


class Mounted:
    """One explorer on a page, and what can be seen of it."""

    def __init__(self, page, name, ground="#ffffff"):
        self.page, self.case, self.python = page, CASES[name], CASES[name].make()
        self.errors = []
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("request", lambda request: self.errors.append(request.url) if "http" in request.url[:4] else None)
        page.set_content(SHELL.replace("GROUND", ground))
        self.data, self.first = self.python.first
        page.evaluate(LOAD, {"text": source(self.python.module), "data": self.data, "state": self.first})
        self.root = page.locator("section.course-live").first

    def state(self, copy=0):
        return self.page.evaluate("i => explorers[i].model.get('state')", copy)

    def set(self, **changes):
        self.page.evaluate("s => explorers[0].model.set('state', {...explorers[0].model.get('state'), ...s})", changes)

    def seen(self, copy=0):
        """Picture, its label and the status of a copy."""
        at = self.page.locator("section.course-live").nth(copy)
        shown = at.locator(".picture")
        return shown.inner_html() + at.locator(".below").inner_html(), shown.get_attribute("aria-label"), self.status()

    def status(self):
        return self.root.locator(".status").inner_text()

    def note(self):
        return self.root.locator(".note").inner_text()

    def focus(self, press="Tab"):
        """Go on to the next control by the keyboard; its tag and type, None outside."""
        self.page.keyboard.press(press)
        return self.page.evaluate(
            "() => document.activeElement.closest('.course-live') && "
            "[document.activeElement.tagName.toLowerCase(), document.activeElement.type, "
            "getComputedStyle(document.activeElement).outlineStyle, !!document.activeElement.closest('.guess')]"
        )


@pytest.fixture(params=CASES)
def explorer(request, page):
    made = Mounted(page, request.param)
    yield made
    assert made.errors == []
    made.python.close()


def test_the_module_computes_what_python_computes(explorer):
    states = explorer.case.states()
    found = explorer.page.evaluate("states => compute(states)", states)
    assert len(found) == len(states) >= 20
    for state, numbers in zip(states, found, strict=True):
        assert differences(explorer.python.compute(explorer.data, state), numbers) == [], state


MOVES = {"range": ("ArrowRight", "ArrowLeft"), "select-one": ("ArrowDown", "ArrowUp"), "checkbox": ("Space",)}


def test_every_control_is_moved_by_the_keyboard_alone(explorer):
    explorer.page.emulate_media(reduced_motion="reduce")  # then nothing plays on while the next control is moved
    said, pressed, reached = {explorer.status()}, 0, 0
    while found := explorer.focus():
        tag, kind, outline, guess = found
        assert outline == "solid", f"no ring around the {tag} in focus"
        before, state, reached = explorer.seen(), explorer.state(), reached + 1
        if guess:
            continue  # see below
        if kind == "text":
            explorer.page.keyboard.press("End")
            explorer.page.keyboard.press("Backspace")
        for key in MOVES.get(kind, ("Enter",)):  # one of the two is not at its end
            explorer.page.keyboard.press(key)
            if explorer.state() != state:
                break
        name = explorer.page.evaluate("document.activeElement.closest('label, button').innerText")
        assert explorer.state() != state or tag == "button", name
        if explorer.state() != state:
            assert explorer.seen()[0] != before[0] or (kind == "text" and explorer.note()), name
            assert explorer.page.evaluate("explorers[0].saved.at(-1)") == explorer.state(), name
            pressed += 1
        said.add(explorer.status())
        if explorer.note():  # without a kernel some texts have no answer: back to one that has
            explorer.set(**state)
    assert reached == explorer.root.locator("input, select, button").locator("visible=true").count()
    assert pressed >= 3
    assert len(said) >= 3
    assert explorer.focus("Shift+Tab")  # no trap: and back in


def test_the_page_around_hears_its_own_keys_and_no_arrow_or_letter(explorer):
    explorer.page.evaluate("() => { window.keys = []; document.addEventListener('keydown', e => keys.push(e.key)); }")
    explorer.root.locator("input[type=range]").first.focus()
    for key in ("ArrowUp", "ArrowDown", "j", "x", "Enter", "Control+s", "Shift+Enter", "Escape"):
        explorer.page.keyboard.press(key)
    heard = explorer.page.evaluate("keys.filter(key => !['Control', 'Shift'].includes(key))")
    assert heard == ["s", "Enter", "Escape"]


def test_a_prediction_is_committed_to_and_answered_only_when_it_was_seen(explorer):
    guess = explorer.root.locator(".guess")
    options = guess.locator("button").all_inner_texts()
    says = lambda: guess.locator("[role=status]").inner_text()
    explorer.set(**explorer.case.found)
    assert says() == ""  # nobody has guessed
    explorer.set(**explorer.first)
    assert explorer.focus()[3]
    explorer.page.keyboard.press("Enter")
    assert says().startswith(f"You say: {options[0]}. ")
    assert guess.locator("button:enabled").all_inner_texts() == options[:1]
    explorer.set(**explorer.case.found)
    first = says()
    assert re.match(rf"You said: {re.escape(options[0])}, (and so it is|but it is: .+)\. \w", first)
    explorer.set(**explorer.first)
    assert says() == first
    right = options.index(explorer.case.right)
    assert ("and so it is" in first) == (right == 0)
    assert f"but it is: {options[right]}." in first or right == 0
    explorer.page.evaluate("mount()")
    second = explorer.page.locator(".guess").nth(1)
    second.locator("button").nth(right).click()
    explorer.page.evaluate("s => explorers[1].model.set('state', {...s})", explorer.first | explorer.case.found)
    assert "and so it is" in second.locator("[role=status]").inner_text()


def test_two_copies_do_not_disturb_each_other_and_the_page_gets_no_id(explorer):
    explorer.page.evaluate("mount()")
    other = explorer.seen(1)[:2]
    assert other == explorer.seen(0)[:2]
    explorer.set(**explorer.case.found)
    assert explorer.seen(1)[:2] == other != explorer.seen(0)[:2]
    assert explorer.page.locator("[id]").count() == 0


def test_after_its_end_nothing_is_left(explorer):
    explorer.page.evaluate("explorers[0].close()")
    assert explorer.page.evaluate("[explorers[0].heard.length, explorers[0].el.innerHTML]") == [0, ""]


def test_what_goes_wrong_is_said_and_the_picture_stays(explorer):
    note, shown = explorer.root.locator(".note"), explorer.seen()[:2]
    assert not note.is_visible()
    explorer.page.evaluate("explorers[0].model.set('said', 'text: <b>expected</b> two words')")
    assert note.inner_text() == "text: <b>expected</b> two words"
    explorer.page.evaluate("explorers[0].model.set('said', '')")
    assert not note.is_visible()
    explorer.page.evaluate("explorers[0].model.set('data', null)")
    assert note.inner_text()
    assert explorer.seen()[:2] == shown


@pytest.mark.parametrize("ground", ["#ffffff", "#111111"])
@pytest.mark.parametrize("name", CASES)
def test_it_can_be_read_and_named_on_light_and_dark_pages(page, name, ground):
    from axe_playwright_python.sync_playwright import Axe

    explorer = Mounted(page, name, ground)
    explorer.root.locator(".guess button").first.click()
    explorer.set(**explorer.case.found)
    explorer.page.evaluate("explorers[0].model.set('said', 'something went wrong')")
    found = Axe().run(page).response["violations"]
    assert [(each["id"], each["nodes"][0]["html"]) for each in found] == []
    explorer.python.close()


@pytest.mark.parametrize("name", CASES)
def test_it_fits_a_phone_and_its_letters_stay_large_enough(page, name):
    page.set_viewport_size({"width": 390, "height": 800})
    explorer = Mounted(page, name)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    sizes = page.evaluate(
        "[...document.querySelectorAll('.picture svg text')].map(t => t.getScreenCTM().a * "
        "Math.hypot(1, t.getScreenCTM().b / (t.getScreenCTM().a || 1)) * parseFloat(getComputedStyle(t).fontSize))"
    )
    assert min((size for size in sizes if size > 0), default=11) >= 9.5
    narrow = page.locator(".course-live label, .course-live button")
    assert all(box["height"] >= 24 for box in (each.bounding_box() for each in narrow.all()))
    explorer.python.close()


TIME = """() => {
  const picture = document.querySelector(".course-live .picture");
  window.took = [];
  let pressed = 0;
  addEventListener("keydown", () => { pressed = performance.now(); }, true);
  new MutationObserver(() => requestAnimationFrame(() => took.push(performance.now() - pressed)))
    .observe(picture, { childList: true });
}"""


def test_a_move_is_answered_within_150_ms_and_nothing_moves_by_itself(explorer, notes):
    steps = "all => all.map(one => (one.max - one.min) / one.step)"
    ranges = explorer.root.locator("input[type=range]")
    longest = ranges.evaluate_all(steps)
    ranges.nth(longest.index(max(longest))).focus()
    explorer.page.keyboard.press("Home")
    explorer.page.evaluate(TIME)
    for i in range(21):
        explorer.page.keyboard.press("ArrowLeft" if i % 2 else "ArrowRight")
        explorer.page.wait_for_function("n => took.length > n", arg=i)
    median = statistics.median(explorer.page.evaluate("took"))
    notes(f"{explorer.python.module}: a move is answered in {median:.0f} ms (median of 21)")
    assert median < 150
    assert explorer.page.evaluate("document.getAnimations().length") == 0


# ---- a range that runs by itself ---------------------------------------------------------------------------------


@pytest.fixture
def played(page):
    """The flow, which stands at t = 0.6 and takes four seconds for the whole, on a page whose time the test moves."""
    page.clock.install(time=0)
    made = Mounted(page, "flow")
    page.clock.pause_at(60_000)
    made.button = made.root.locator("button", has_text=re.compile("^(play|stop)$"))
    made.t = lambda: made.state()["t"]
    made.saves = lambda: page.evaluate("explorers[0].saved.length")
    made.live = lambda: made.root.locator(".status").get_attribute("aria-live")
    yield made
    assert made.errors == []
    made.python.close()


@pytest.mark.parametrize("key", ["Enter", "Space"])
def test_play_runs_on_to_the_end_and_the_kernel_and_a_screen_reader_hear_of_that_alone(played, key):
    played.button.press(key)
    assert (played.button.inner_text(), played.t()) == ("stop", 0.6)
    before, seen = played.saves(), set()
    for _ in range(12):
        played.page.clock.run_for(100)
        seen.add(played.t())
        assert played.root.locator("input[type=range]").nth(1).input_value() == f"{played.t():g}"
        assert f"t = {played.t():.2f}:" in played.root.locator(".picture").inner_text()
    assert len(seen) == 12
    assert 0.86 <= played.t() <= 0.9
    assert (played.saves(), played.live()) == (before, "off")
    played.page.clock.run_for(600)
    assert (played.t(), played.button.inner_text(), played.live()) == (1, "play", "polite")
    assert played.page.evaluate("explorers[0].saved.at(-1)") == played.state()
    assert played.saves() == before + 1
    assert played.button.evaluate("button => button === document.activeElement")


def test_at_its_end_play_begins_anew(played):
    played.set(t=1)
    played.button.click()
    played.page.clock.run_for(1000)
    assert 0.2 <= played.t() <= 0.25
    played.page.clock.run_for(3200)
    assert played.t() == 1


def test_a_second_press_stops_and_so_does_who_moves_the_slider(played):
    for stop, after in (
        (lambda: played.button.press("Enter"), lambda t: t),
        (lambda: played.root.locator("input[type=range]").nth(1).press("Home"), lambda t: 0),
    ):
        played.set(t=0.6)
        played.button.press("Enter")
        played.page.clock.run_for(500)
        t = played.t()
        assert 0.6 < t < 1
        stop()
        assert (played.t(), played.button.inner_text(), played.live()) == (after(t), "play", "polite")
        assert played.page.evaluate("explorers[0].saved.at(-1)") == played.state()
        played.page.clock.run_for(1000)
        assert played.t() == after(t)


def test_while_it_plays_another_control_changes_what_is_played(played):
    played.button.press("Enter")
    played.page.clock.run_for(300)
    t = played.t()
    played.root.locator("select").nth(1).press("ArrowDown")
    assert (played.state()["path"], played.button.inner_text()) == ("cosine", "stop")
    played.page.clock.run_for(300)
    assert (played.state()["path"], played.t() > t) == ("cosine", True)


def test_who_wants_little_motion_comes_to_the_end_at_once(played):
    played.page.emulate_media(reduced_motion="reduce")
    for t in (1, 0, 1):
        played.button.press("Enter")
        assert (played.t(), played.button.inner_text()) == (t, "play")
        assert played.page.evaluate("explorers[0].saved.at(-1)") == played.state()


def test_an_explorer_that_is_taken_away_plays_no_more(played):
    played.button.press("Enter")
    played.page.clock.run_for(300)
    t = played.t()
    asked = """() => { window.asked = 0; const ask = requestAnimationFrame;
      window.requestAnimationFrame = act => { asked += 1; return ask(act); }; explorers[0].close(); }"""
    played.page.evaluate(asked)
    played.page.clock.run_for(1000)
    assert (played.t(), played.page.evaluate("asked")) == (t, 0)


# ---- a chat box and its kernel --------------------------------------------------------------------------------------


@pytest.fixture
def asked(page):
    """The chat box as a notebook has it, with what it sends to the kernel, which is the test."""
    made = Mounted(page, "chat_box")
    page.set_content(SHELL)
    made.data["kernel"] = True
    page.evaluate(LOAD, {"text": source("chat_box.js"), "data": made.data, "state": made.first})
    page.evaluate("() => { window.sent = []; explorers[0].model.send = message => sent.push(message); }")
    made.field = made.root.locator("input[type=text]")
    made.sent = lambda: page.evaluate("sent")
    made.tell = lambda **data: page.evaluate("data => explorers[0].model.set('data', data)", made.data | data)
    yield made
    assert made.errors == []
    made.python.close()


def test_enter_and_the_buttons_send_what_the_knobs_say(asked):
    assert asked.field.input_value() == asked.data["exchanges"][-1]["question"]
    asked.field.fill("what is?")
    asked.root.get_by_label("temperature").press("End")
    asked.root.get_by_label("with memory").press("Space")
    asked.field.press("Enter")
    knobs = {"temperature": 2, "top_p": 1, "seed": 0, "memory": True, "slow": False}
    assert asked.sent() == [{"do": "send", "question": "what is?", "stage": "tuned", **knobs}]
    assert asked.root.locator(".wait").inner_text() == "sent"
    assert asked.field.input_value() == "what is?"  # for the next stage; typing replaces it
    asked.page.keyboard.type("so")
    assert asked.field.input_value() == "so"
    for name in ("Send", "Stop", "New"):
        asked.root.get_by_role("button", name=name, exact=True).press("Space")
    assert [message["do"] for message in asked.sent()] == ["send", "send", "stop", "new"]
    assert asked.sent()[1]["question"] == "so"
    asked.tell()
    assert asked.root.locator(".wait").inner_text() == ""


def test_no_more_characters_are_taken_than_the_kernel_does(asked):
    asked.field.fill("")
    asked.page.keyboard.insert_text("x" * 1000)
    assert len(asked.field.input_value()) == asked.data["limit"]


def test_what_is_written_is_in_focus_and_at_the_end_the_token_that_was_least_sure(asked):
    exchanges, kinds = asked.data["exchanges"], []
    new = {**exchanges[0], "stage": "tuned", "question": "new <b>?</b>", "ended": ""}
    asked.set(turn=0, token=3)
    for n in range(4):
        asked.tell(exchanges=[*exchanges, {**new, "tokens": new["tokens"][:n]}], writing=True)
        assert asked.status() == "tuned is writing …"
        assert asked.root.locator(".chip").count() == n
        kinds.append(asked.root.locator(".chip.here").count())
    assert (kinds, asked.state()["turn"], asked.state()["token"]) == ([0, 1, 1, 1], 2, 2)
    assert asked.page.evaluate("explorers[0].saved.length") == 0  # the kernel knows what it writes
    asked.tell(exchanges=[*exchanges, new], writing=False)
    shares = [token["p"] for token in new["tokens"]]
    assert asked.state()["token"] == shares.index(min(shares))
    assert "new <b>?</b>" in asked.root.locator(".exchange.here").inner_text()
    asked.tell()  # New
    assert asked.state()["turn"] == 1


def test_a_mouse_shows_what_a_token_had_and_does_not_hold_it_against_the_keys(asked):
    chip = asked.root.locator(".chip")
    chip.nth(4).hover()
    assert asked.state()["token"] == 4
    assert asked.page.evaluate("explorers[0].saved.length") == 0
    asked.root.get_by_role("slider", name="token").press("ArrowRight")
    chip.nth(4).dispatch_event("pointerover", {"bubbles": True})  # as a mouse that rests hears what is new beneath it
    assert asked.state()["token"] == 5
    chip.nth(2).click()
    assert asked.page.evaluate("explorers[0].saved.at(-1)")["token"] == 2
    asked.root.locator(".exchange").first.click()
    assert asked.state()["turn"] == 0
    assert chip.count() == len(asked.data["exchanges"][0]["tokens"])


# ---- where things are drawn ---------------------------------------------------------------------------------------

PIXELS = """panel => {
  const svg = document.querySelectorAll(".picture > svg")[panel];
  const numbers = [...svg.querySelectorAll(":scope > text")].map(t => [t.getAttribute("x"), t.getAttribute("y"),
    t.getAttribute("text-anchor"), Number(t.textContent.replace("−", "-"))]).filter(([x, , , v]) => x && !isNaN(v));
  const inner = svg.querySelector("svg"), foot = Number(inner.getAttribute("y")) + Number(inner.getAttribute("height"));
  return { x: numbers.filter(n => n[2] === "middle" && n[1] > foot).map(n => [Number(n[3]), n[0] - inner.getAttribute("x")]),
    y: numbers.filter(n => n[2] === "end").map(n => [Number(n[3]), n[1] - 4 - inner.getAttribute("y")]),
    paths: [...inner.querySelectorAll("path")].map(p => [p.getAttribute("fill"), p.getAttribute("stroke"),
      p.getAttribute("stroke-dasharray"), p.getAttribute("d")]) };
}"""


class Panel:
    """A pair of axes as drawn: what lies at a pixel is read from the numbers beside its ticks."""

    def __init__(self, explorer, number):
        drawn = explorer.page.evaluate(PIXELS, number)
        (self._x, self._y), self.paths = ((drawn[axis][0], drawn[axis][-1]) for axis in "xy"), drawn["paths"]

    def at(self, px, py):
        go = lambda ends, p: ends[0][0] + (p - ends[0][1]) * (ends[1][0] - ends[0][0]) / (ends[1][1] - ends[0][1])
        return go(self._x, px), go(self._y, py)

    def marks(self, colour, index=0):
        """Where paths of the colour begin, a fill (0) or a stroke (1)."""
        found = [path for path in self.paths if path[index] == colour]
        return [[self.at(*map(float, m)) for m in re.findall(r"M([-\d.]+) ([-\d.]+)", path[3])] for path in found]

    def line(self, colour, dash=None):
        """The points of the line of the colour."""
        (path,) = [path for path in self.paths if path[1] == colour and path[2] == dash]
        return [self.at(*map(float, m)) for m in re.findall(r"[ML]([-\d.]+) ([-\d.]+)", path[3])]


def near(found, expected, within):
    return len(found) == len(expected) and all(math.dist(a, b) < within for a, b in zip(found, expected, strict=True))


def test_the_bells_stand_where_the_state_says_and_a_press_on_the_map_moves_q(page):
    explorer = Mounted(page, "kl_bells")
    explorer.set(mean=1.0, std=0.5, direction="reverse")
    numbers = explorer.python.compute(explorer.data, explorer.state())
    left, right = Panel(explorer, 0), Panel(explorer, 1)
    for name, colour, dash in (
        ("p", figures.BLUE, None),
        ("q", figures.ORANGE, "7 4"),
        ("integrand", figures.BERRY, "2 3"),
    ):
        drawn = left.line(colour, dash)
        assert near(drawn, [(-6 + i / 20, y) for i, y in enumerate(numbers[name])], 0.02), name
    assert near(right.marks(figures.ORANGE)[0], [(1.0, 0.5)], 0.15)  # the triangle's top
    assert len(right.marks(figures.INK)[0]) == 2  # the least of KL(q‖p) is on either bell
    picture = page.locator(".picture > svg").nth(1)
    box = picture.bounding_box()
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    state = explorer.state()
    assert near([(state["mean"], state["std"])], [(-0.58, 2.34)], 0.06)
    assert near(Panel(explorer, 1).marks(figures.ORANGE)[0], [(state["mean"], state["std"])], 0.15)


@pytest.mark.parametrize("direction", ["forward", "reverse"])
def test_the_button_for_a_direction_finds_a_q_that_no_neighbour_beats(page, direction):
    explorer = Mounted(page, "kl_bells")
    page.locator(".course-live > .row button").nth(int(direction == "reverse")).click()
    state = explorer.state()
    cost = lambda **changes: explorer.python.compute(explorer.data, state | changes)[direction]
    steps = [{name: state[name] + by} for name in ("mean", "std") for by in (-0.01, 0.01)]
    assert all(cost(**step) > cost() for step in steps)
    assert state["direction"] == direction
    sentence = explorer.status().split(";")[int(direction == "reverse")]
    assert "as little as any bell can have" in sentence


def test_the_portrait_has_path_ends_mean_and_multipliers_where_the_state_says(page):
    explorer = Mounted(page, "dirac_phase")
    explorer.set(theta=-1.2, psi=1.8, gamma=0.3, rate_g=0.1, rate_d=0.1, method="alternating", loss="nonsaturating")
    numbers = explorer.python.compute(explorer.data, explorer.state())
    plane, distance, circle = (Panel(explorer, number) for number in range(3))
    assert near(plane.line(figures.INK), numbers["path"], 0.03)
    assert near(plane.line(figures.TEAL, "5 4"), numbers["mean"], 0.03)
    assert near(plane.marks(figures.ORANGE)[0], numbers["path"][-1:], 0.2)
    assert near(plane.marks(figures.BERRY)[0], [(0, 0)], 0.2)
    assert near(circle.marks(figures.BERRY)[0], numbers["multipliers"], 0.1)
    assert len(distance.line(figures.INK)) == 201
    arrows = plane.marks("#A8A8A8", 1)[0]
    assert len(arrows) >= 2 * 15 * 15 - 4  # a shaft and a head each; none where nothing pulls


def test_a_press_in_the_plane_is_the_new_start(page):
    explorer = Mounted(page, "dirac_phase")
    box = page.locator(".picture > svg").first.bounding_box()
    page.mouse.click(box["x"] + box["width"] * 0.8, box["y"] + box["height"] * 0.55)
    state = explorer.state()
    assert near([(state["theta"], state["psi"])], [(1.53, -0.27)], 0.12)  # tenths
    assert near(Panel(explorer, 0).line(figures.INK)[:1], [(state["theta"], state["psi"])], 0.05)


@pytest.mark.parametrize(
    ("says", "changes"),
    [
        ("by |μ| = 1.0050 a step: the pair moves away.", {}),
        ("by |μ| = 0.9000 a step: the pair comes nearer.", {"gamma": 1.0}),
        ("|μ| = 1: that alone does not decide.", {"method": "alternating"}),
    ],
)
def test_the_verdict_is_that_of_the_multipliers(page, says, changes):
    explorer = Mounted(page, "dirac_phase")
    explorer.set(**changes)
    largest = explorer.python.compute(explorer.data, explorer.state())["largest"]
    assert f"|μ| = {size(largest)}" in explorer.status()
    assert says in explorer.status()
    assert verdict(largest) in page.locator(".picture").inner_text()


def test_the_flow_is_drawn_where_the_state_says_and_a_press_near_a_particle_follows_it(page):
    explorer = Mounted(page, "flow")
    explorer.set(t=0.3, steps=12, sampler="heun", particle=4)
    numbers = explorer.python.compute(explorer.data, explorer.state())
    moment, whole = Panel(explorer, 0), Panel(explorer, 1)
    ends = [way[-1] for way in numbers["places"]]
    for panel, spots in ((moment, numbers["now"]), (whole, ends)):
        assert near(panel.marks(figures.ORANGE)[0], spots, 0.12)  # a triangle's top
        assert near(panel.marks(figures.BERRY)[0], spots[4:5], 0.15)  # a corner
    assert near(whole.line(figures.INK), numbers["places"][4], 0.03)
    assert near(whole.line(figures.MUTE, "5 4"), [numbers["places"][4][0], ends[4]], 0.03)
    assert len(moment.marks("#A8A8A8", 1)[0]) > 2 * 13 * 13 - 8  # a shaft and a head each; none where nothing pulls
    explorer.set(field=False)
    assert Panel(explorer, 0).marks("#A8A8A8", 1) == []
    at = page.evaluate(
        "([panel, which]) => { const svg = document.querySelectorAll('.picture > svg')[panel];"
        "const [x, y] = which, inner = svg.querySelector('svg'), m = inner.getScreenCTM();"
        "const on = v => [(v[0] + 3.2) / 6.4 * inner.width.baseVal.value, (3.2 - v[1]) / 6.4 * inner.height.baseVal.value];"
        "const p = new DOMPoint(...on([x, y])).matrixTransform(m); return [p.x, p.y]; }",
        [1, ends[23]],
    )
    page.mouse.click(*at)
    assert explorer.state()["particle"] == 23
