"""What all live explorers share: one text a module, the same numbers in both languages, a still that is stored."""

import json
import re
import shutil
import subprocess

import numpy as np
import pytest
from live_cases import ALT, CASES
from pictures import contrast, pixels

from course_lib.chapters.ch06_vae_math.explorer import BoundExplorer
from course_lib.chapters.ch10_gan_dynamics.phase import PhaseExplorer, size, verdict
from course_lib.classroom import figures, live
from course_lib.classroom.live import LiveExplorer, rounded, source

LONG = "Berry and blue: what a test shows, and nothing more than that."


class Echo(LiveExplorer):
    module = "kl_bells.js"  # any text that exists

    def __init__(self, **state):
        super().__init__({"third": 1 / 3, "words": ("a", "b")}, {"x": 0.1, "word": "no"} | state, LONG)

    @staticmethod
    def figure(data, state):
        figure, ((ax,),) = figures.new(width=3, height=3)
        ax.plot([0, state["x"]], [0, 1], color=figures.BERRY)
        return figure

    def answer(self, state):
        if state["word"] == "empty":
            raise KeyError
        if state["word"] != "no":
            raise ValueError(f"\n\nword: expected no, got {state['word']}\nand a second line")
        self.data = {"x": state["x"]}


@pytest.fixture
def echo():
    made = Echo()
    yield made
    made.close()


def test_a_module_is_one_text_that_imports_nothing():
    for name in CASES:
        text = source(f"{name}.js")
        assert text.startswith("// What the live explorers share")
        assert not re.search(r"^\s*import\b|\bimport\(|https?://|\bfetch\(|XMLHttpRequest", text, re.M)
        assert text.count("export default ") == text.count("export function compute(") == 1


def test_every_module_of_the_library_is_compared():
    assert {path.stem for path in (live.HERE.parent / "chapters").glob("*/*.js")} == CASES.keys()


def test_a_module_that_is_not_there_or_twice_is_named(tmp_path, monkeypatch):
    with pytest.raises(FileNotFoundError, match=r"module: no chapter of the library has 'none\.js'"):
        source("none.js")
    for chapter in ("ch01", "ch02"):
        (tmp_path / "chapters" / chapter).mkdir(parents=True)
        (tmp_path / "chapters" / chapter / "two.js").write_text("")
    monkeypatch.setattr(live, "HERE", tmp_path / "classroom")
    with pytest.raises(ValueError, match=r"one file 'two\.js', got ch01, ch02"):
        source("two.js")


def test_numbers_are_rounded_to_nine_digits_wherever_they_stand():
    given = {"a": (1 / 3, 7, True, None, "x"), "b": [{"c": 123456789.123}, -1e-20 / 3]}
    assert rounded(given) == {
        "a": [0.333333333, 7, True, None, "x"],
        "b": [{"c": 123456789.0}, -3.33333333e-21],
    }
    assert rounded(given)["a"][2] is True


def test_the_bundle_has_the_still_and_what_a_page_without_a_kernel_needs(echo):
    echo.state = {"x": 0.7, "word": "no"}
    data, metadata = echo._repr_mimebundle_()
    assert (pixels(data["image/png"]) == pixels(Echo().still())).all()
    assert (pixels(data["image/png"]) != pixels(Echo(x=0.7).still())).any()
    assert "application/vnd.jupyter.widget-view+json" in data
    assert data["text/plain"] == metadata["image/png"]["alt"] == LONG
    given = {"third": 0.333333333, "words": ["a", "b"]}
    first = {"module": "kl_bells.js", "data": given, "state": {"x": 0.1, "word": "no"}}
    assert json.loads(json.dumps(metadata["course_explorer"])) == first


def test_an_explorer_without_alternative_text_or_with_another_state_is_refused(echo):
    with pytest.raises(ValueError, match="alt: expected one or two sentences"):
        LiveExplorer({}, {}, " ")
    with pytest.raises(Exception, match="state: expected the fields x, word, got x"):
        echo.state = {"x": 1.0}
    assert echo.state == {"x": 0.1, "word": "no"}


def test_the_kernel_answers_and_what_goes_wrong_is_said(echo):
    echo.state = {"x": 0.5, "word": "no"}
    assert (echo.data, echo.said) == ({"x": 0.5}, "")
    echo.state = {"x": 0.9, "word": "yes"}
    assert (echo.data, echo.said) == ({"x": 0.5}, "word: expected no, got yes")
    echo.state = {"x": 0.9, "word": "empty"}
    assert echo.said == "KeyError"
    echo.state = {"x": 0.25, "word": "no"}
    assert (echo.data, echo.said) == ({"x": 0.25}, "")


def test_texts_can_be_read_on_their_ground():
    text = (live.HERE / "live.js").read_text(encoding="utf-8")
    colours = dict(re.findall(r'\b([A-Z]+) = "(#\w{6})"', text))
    assert colours == {name: getattr(figures, name) for name in colours}
    assert len(colours) == 7
    assert contrast(colours["INK"], "#FFFFFF") >= 4.5
    assert contrast(colours["MUTE"], colours["PALE"]) >= 4.4  # a button that cannot be pressed
    assert dict(re.findall(r'\[([A-Z]+)\]: "(#\w{6})"', text.split("TEXT = ")[1].split("\n")[0])) == {
        name: figures.TEXT[getattr(figures, name)] for name in ("ORANGE", "TEAL")
    }
    for pale in re.findall(r'"(#\w{6})"', text.split("FILL = ")[1].split("\n")[0]):
        assert contrast(colours["INK"], pale) >= 4.5


NODE = shutil.which("node")

COMPARE = """
import { readFileSync } from "node:fs";
const { text, data, states } = JSON.parse(readFileSync(0, "utf8"));
const { compute } = await import("data:text/javascript;base64," + Buffer.from(text).toString("base64"));
const plain = (key, value) => {
  if (typeof value === "number" && !Number.isFinite(value)) throw new Error(`${key} is ${value}`);
  return value;
};
console.log(JSON.stringify(states.map(state => compute(data, state)), plain));
"""


def node(program, given):
    """What a program of node prints as JSON when it reads ``given``."""
    command = [NODE, "--input-type=module", "-e", program]
    run = subprocess.run(command, input=json.dumps(given), capture_output=True, encoding="utf-8")
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)


in_node = pytest.mark.skipif(NODE is None, reason="runs JavaScript in node, which is not on this machine")


@in_node
@pytest.mark.parametrize("name", CASES)
def test_the_module_computes_what_python_computes(name):
    case, explorer = CASES[name], CASES[name].make()
    states = case.states()
    assert len(states) >= 20
    given = {"text": source(explorer.module), "data": explorer.first[0], "states": states}
    for state, found in zip(states, node(COMPARE, given), strict=True):
        assert differences(explorer.compute(explorer.first[0], state), found) == [], state
    explorer.close()


# A module's own functions, from the object that it gives to live.explorer.
SPEAK = """
import { readFileSync } from "node:fs";
const { text, data, states, instead } = JSON.parse(readFileSync(0, "utf8"));
const own = text.replace("export default live.explorer(", "export const spec = (");
const { spec } = await import("data:text/javascript;base64," + Buffer.from(own).toString("base64"));
const shown = state => {
  const result = { ...spec.compute(data, state), ...instead }, { label, says, below, panels } = spec.draw(result, state, data);
  const buttons = spec.controls(data, state).flat().filter(each => each.act).map(each => ({ ...state, ...each.act(state, data) }));
  const reached = at => spec.predict.reached(spec.compute(data, at), at, data);
  return { label, says, below: below ?? "", picture: panels.map(panel => panel.svg()).join(""), buttons,
    reached: reached(state), pressed: buttons.map(reached) };
};
console.log(JSON.stringify({ predict: spec.predict, shown: states.map(shown) }));
"""


def spoken(name, *changes, instead=None):
    """The prediction of an explorer, and what it shows and says after each change of its first state."""
    explorer = CASES[name].make()
    data, first = explorer.first
    explorer.close()
    states = [first | change for change in changes]
    given = {"text": source(explorer.module), "data": data, "states": states, "instead": instead or {}}
    found = node(SPEAK, given)
    return found["predict"], found["shown"]


@in_node
@pytest.mark.parametrize("name", CASES)
def test_the_right_option_of_a_prediction_is_the_one_that_holds(name):
    case, explorer = CASES[name], CASES[name].make()
    predict, (first, found) = spoken(name, {}, case.found)
    assert predict["options"][predict["answer"]] == case.right
    holds = case.holds(lambda **changes: explorer.compute(explorer.first[0], explorer.first[1] | changes))
    assert holds == {option: option == case.right for option in predict["options"]}
    assert (first["reached"], found["reached"]) == (False, True)
    explorer.close()


@in_node
def test_the_weights_of_attention_are_withheld_until_they_are_opened():
    places = [{"query": q, "key": k, "text": text} for q, k in ((0, 0), (1, 0), (0, 1)) for text in ("her queen",)]
    hidden = {"weights": [[0.3, 0.0], [0.9, 0.1]], "heads": [[[0.3, 0.0], [0.9, 0.1]]] * 3, "power": 7.7, "total": 8.8}
    for stage, more in ((0, {"scaled": [[5.5, 6.5], [7.5, 8.5]]}), (1, {}), (2, {})):
        states = [{**place, "stage": stage} for place in places]
        (_, seen), (_, other) = (
            spoken("attention_stages", *states),
            spoken("attention_stages", *states, instead=hidden | more),
        )
        assert [a == b for a, b in zip(seen, other, strict=True)] == [stage < 2] * len(states)
    assert CASES["attention_stages"].make().first[1]["stage"] == 0


@in_node
def test_keys_that_share_the_most_are_all_named():
    _, (three, both, one) = spoken(
        "attention_stages",
        {"text": "the the the", "query": 2, "key": 0, "stage": 2},
        {"text": "the the", "query": 1, "key": 0, "stage": 2},
        {"text": "the king", "query": 0, "key": 0, "stage": 2},
    )
    assert "gives the most, 0.33 each, to ‘the’ at 0, ‘the’ at 1 and ‘the’ at 2;" in three["says"]
    assert "gives the most, 0.50 each, to ‘the’ at 0 and ‘the’ at 1;" in both["says"]
    assert "gives the most, 1.00, to ‘the’ at 0;" in one["says"]


@in_node
def test_the_verdict_on_the_dirac_gan_is_the_same_in_both_languages_and_none_at_1():
    states = CASES["dirac_phase"].states()
    undecided = 0
    for state, shown in zip(states, spoken("dirac_phase", *states)[1], strict=True):
        largest = PhaseExplorer.compute(PhaseExplorer(ALT).first[0], state)["largest"]
        assert f"|μ| = {size(largest)}" in shown["says"], state
        assert verdict(largest) in shown["says"], state
        assert verdict(largest) in shown["picture"], state
        undecided += verdict(largest) == "that alone does not decide"
        assert (verdict(largest) == "that alone does not decide") == ("on the way between" in shown["says"])
    assert undecided >= 7
    _, (slow, jordan, damped) = spoken(
        "dirac_phase",
        {"rate_g": 0.01, "rate_d": 0.01},
        {"rate_g": 2.0, "rate_d": 2.0, "method": "alternating", "loss": "wasserstein"},
        {"method": "alternating", "loss": "nonsaturating"},
    )
    assert "multiplied, in the long run, by |μ| = 1.000012 a step: the pair moves away" in slow["says"]
    assert "|μ| = 1: that alone does not decide. Here it starts 1.5 away and is 850 away" in jordan["says"]
    assert "|μ| = 1: that alone does not decide. Here it starts 1.5 away and is 0.419 away" in damped["says"]


@in_node
def test_no_valley_is_called_the_least_and_the_button_for_a_direction_goes_to_the_best():
    _, (first, reverse, near) = spoken("kl_bells", {}, {"direction": "reverse"}, {"mean": -0.4, "std": 2.1})
    assert "+ bottom of a valley" in reverse["picture"]
    assert "least" not in reverse["picture"]
    assert first["pressed"] == [False, True]
    assert "as little as any bell can have" in spoken("kl_bells", first["buttons"][1])[1][0]["says"].split(";")[1]
    assert "more than the best bell" in near["says"].split(";")[0]


@in_node
def test_nothing_is_missing_only_at_the_posterior_itself():
    exact = (
        CASES["known_posterior"].make().compute({}, {"mean": 0.5, "width": 0.8, "x": 1.6, "noise": 0.6})["posterior"]
    )
    places = [
        {"mean": exact[0], "width": exact[1]},
        {"mean": exact[0] + 0.007, "width": exact[1]},
        {"mean": 1.2, "width": 0.52},
    ]
    _, (at, near, off) = spoken("known_posterior", *places)
    assert "q is the posterior: nothing is missing" in at["says"]
    assert "Next to nothing is missing" in near["says"]
    for shown, place in ((near, places[1]), (off, places[2])):
        gap = BoundExplorer.compute({}, {**place, "x": 1.6, "noise": 0.6})["gap"]
        assert "q is the posterior" not in shown["says"]
        assert 0 < gap < 0.005
        said = re.search(r"which is (\S+) below", shown["says"])[1]
        number = float(re.sub(r"(?:(.*)·)?10(⁻.)$", lambda m: f"{m[1] or 1}e-{'⁰¹²³⁴⁵⁶⁷⁸⁹'.index(m[2][1])}", said))
        assert number == pytest.approx(gap, rel=0.06)
        assert f"{said} nats are missing" in shown["picture"]


def differences(expected, found, at=""):
    """The places where two nested values differ by more than 1e-6, of the value or of 1 where that is larger."""
    if isinstance(expected, dict):
        same = isinstance(found, dict) and expected.keys() == found.keys()
        return [d for k in expected for d in differences(expected[k], found[k], f"{at}.{k}")] if same else [at]
    if isinstance(expected, list) and expected and isinstance(expected[0], list | dict | str):
        same = isinstance(found, list) and len(expected) == len(found)
        pairs = enumerate(zip(expected, found, strict=True)) if same else ()
        return [d for i, (a, b) in pairs for d in differences(a, b, f"{at}[{i}]")] if same else [at]
    if expected is None or isinstance(expected, str | bool):
        return [] if type(expected) is type(found) and expected == found else [at]
    a, b = np.array(expected, float), np.array(found, float)
    return [] if a.shape == b.shape and np.allclose(a, b, rtol=1e-6, atol=1e-6) else [at]


def test_a_difference_is_found():
    given = {"a": [1.0, 2.0], "b": None, "c": [["x", True]], "d": 1e9}
    assert differences(given, json.loads(json.dumps(given))) == []
    others = ({"a": [1.0, 2.00001]}, {"a": [1.0]}, {"b": 0}, {"c": [["y", True]]}, {"c": [["x", False]]}, {"d": 1.1e9})
    assert [differences(given, given | other) for other in others] == [
        [".a"], [".a"], [".b"], [".c[0][0]"], [".c[0][1]"], [".d"],
    ]  # fmt: skip
    assert differences(given, {"a": [1.0, 2.0]}) == [""]


@pytest.mark.parametrize("name", CASES)
def test_the_still_shows_the_first_state(name):
    explorer = CASES[name].make()
    assert len(np.unique(pixels(explorer.still()).reshape(-1, 3), axis=0)) > 20
    assert explorer._alt == ALT
    assert CASES[name].make().still() == explorer.still()
    explorer.close()
