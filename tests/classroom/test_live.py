"""What all live explorers share: one text a module, the same numbers in both languages, a still that is stored."""

import json
import re
import shutil
import subprocess

import numpy as np
import pytest
from live_cases import ALT, CASES
from pictures import contrast, pixels

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


@pytest.mark.skipif(NODE is None, reason="compares JavaScript with Python in node, which is not on this machine")
@pytest.mark.parametrize("name", CASES)
def test_the_module_computes_what_python_computes(name):
    case, explorer = CASES[name], CASES[name].make()
    states = case.states()
    assert len(states) >= 20
    given = {"text": source(explorer.module), "data": explorer.first[0], "states": states}
    run = subprocess.run(
        [NODE, "--input-type=module", "-e", COMPARE], input=json.dumps(given), capture_output=True, encoding="utf-8"
    )
    assert run.returncode == 0, run.stderr
    for state, found in zip(states, json.loads(run.stdout), strict=True):
        assert differences(explorer.compute(explorer.first[0], state), found) == [], state
    explorer.close()


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
