"""The chat box of chapter 17: what it answers, how it is stopped, what it says of each token, and a still."""

import asyncio
import re

import pytest
import torch
from chat.test_streaming import TEMPLATE, Scripted
from classroom.test_live import in_node, node
from elsewhere import SecondDevice, moved
from live_cases import ALT
from live_models import CHAT, chat, stage
from pictures import contrast, pixels

from course_lib.chapters.ch17_chat.chat_still import plain, visible
from course_lib.chapters.ch17_chat.explorer import KEPT, LIMIT, ChatExplorer, compute
from course_lib.chat.sampling import draw_answers
from course_lib.chat.template import Turn, exchange
from course_lib.classroom.live import source


@pytest.fixture
def box():
    made = chat(ALT, pace=0.0)
    yield made
    made.close()


def last(box):
    return box.data["exchanges"][-1]


def texts(answer):
    return [token["text"] for token in answer["tokens"]]


def expected(model, prompt, seed=0, temperature=0.0, top_p=1.0, most=12):
    draws = torch.Generator().manual_seed(seed)
    return draw_answers(model, [prompt], draws, CHAT.end, most, temperature, None, top_p)[0]


# ---- what is answered ---------------------------------------------------------------------------------------------


def test_a_stage_is_loaded_once_when_it_is_first_asked():
    loaded = []
    models = {name: (lambda name=name: loaded.append(name) or stage(0)) for name in ("one", "two", "three")}
    box = ChatExplorer(models, CHAT, [("two", "is it?"), ("two", "what is?")], ALT, most=4, pace=0.0)
    assert loaded == ["two"]
    box.ask("seven", stage="three")
    box.ask("seven?", stage="three")
    assert loaded == ["two", "three"]
    assert box.data["stages"] == ["one", "two", "three"]
    assert [each["stage"] for each in box.data["exchanges"]] == ["two", "two", "three", "three"]


@pytest.mark.parametrize("knobs", [{}, {"temperature": 1.0, "seed": 3}, {"temperature": 1.5, "top_p": 0.6, "seed": 8}])
def test_the_answer_is_what_draw_answers_draws(box, knobs):
    box.ask(" what is the answer? ", stage="tuned", **knobs)
    drawn = expected(stage(1), CHAT.prompt("what is the answer?"), **{"seed": 0, **knobs})
    assert last(box)["answer"] == CHAT.answer(drawn)
    assert last(box)["question"] == "what is the answer?"
    assert len(last(box)["tokens"]) == len(drawn)
    assert last(box)["ended"] == ("end" if drawn[-1] == CHAT.end else "most")
    assert last(box)["knobs"] == {"temperature": 0.0, "top_p": 1.0, "seed": 0, "memory": False, "slow": False, **knobs}
    before = last(box)
    box.ask("what is the answer?", stage="tuned", **knobs)
    assert last(box) == before
    assert box.data["writing"] is False


def test_a_token_has_the_model_s_own_probability_beside_its_chance_and_five_others(box):
    box.ask("is it?", temperature=0.7, top_p=0.9, seed=2)
    with torch.no_grad():
        own = stage(1)(CHAT.prompt("is it?")[None])[0, -1].softmax(-1)
    first = last(box)["tokens"][0]
    assert [p for _, p, _ in first["near"]] == pytest.approx(own.topk(5).values.tolist(), rel=1e-5)
    assert sum(chance for _, _, chance in first["near"]) <= 1
    assert first["chance"] > 0


def test_with_memory_the_stage_reads_what_it_was_asked_and_said_since_new(monkeypatch):
    box = ChatExplorer({"one": stage(0), "two": stage(1)}, CHAT, [("one", "is it?")], ALT, most=4, pace=0.0)
    prompts, of_turns = [], type(CHAT).prompt
    monkeypatch.setattr(type(CHAT), "prompt", lambda self, turns: prompts.append(turns) or of_turns(self, turns))

    def read(question, **knobs):
        box.ask(question, **{"stage": "two", "temperature": 1.0, "memory": True, **knobs})
        assert last(box)["read"] == len(prompts[-1]) // 2
        assert prompts[-1][-1] == Turn("user", question)
        return prompts[-1][:-1]

    assert read("it") == []  # the opening is nobody's memory
    first = exchange("it", last(box)["answer"])
    assert read("is", stage="one") == []  # it was not asked
    assert read("sum", memory=False) == []
    second = exchange("sum", last(box)["answer"])
    assert read("so") == [*first, *second]
    fits = lambda turns, question: len(of_turns(CHAT, [*turns, Turn("user", question)])) <= 36
    long = next("so " * n for n in range(40) if not fits([*first, *second], "so " * n)).strip()
    third = exchange("so", last(box)["answer"])
    kept = next(list(turns) for turns in ([*second, *third], third, []) if fits(turns, long))
    assert read(long) == kept != [*first, *second, *third]
    box.new()
    assert read("it") == []


def test_the_loop_computes_a_call_for_the_stages_with_the_tool_alone():
    script = {"= 42": " it is", "": " calc(6*7)!"}
    models = {name: Scripted(script) for name in ("tuned", "tools")}
    box = ChatExplorer(models, TEMPLATE, [("tuned", "6*7?"), ("tools", "6*7?")], ALT)
    without, with_tool = box.first[0]["exchanges"]
    assert without["answer"] == "calc(6*7)!"
    assert with_tool["answer"] == "calc(6*7) = 42 it is"
    said = texts(with_tool)
    assert "".join(said) == " calc(6*7) = 42 it is<end>"  # what the closing token had behind the bracket is cut
    at = said.index(" = 42")
    assert with_tool["tokens"][at] == {"text": " = 42", "p": None, "chance": None, "near": []}
    found = compute(box.first[0], {**box.first[1], "token": at})
    assert (found["shares"][at], found["near"], found["rest"]) == (1.0, [], 0.0)
    assert None not in [token["p"] for token in without["tokens"]]
    assert len(np_colours(box)) > 20


def np_colours(box):
    return {tuple(colour) for colour in pixels(box.still()).reshape(-1, 3).tolist()}


# ---- what is said calmly ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("message", "says"),
    [
        ({"do": "send", "question": ""}, "Type a question first."),
        ({"do": "send", "question": " \n\t"}, "Type a question first."),
        ({"do": "send", "question": "x" * (LIMIT + 1)}, f"at most {LIMIT} characters here; this one has {LIMIT + 1}."),
        (
            {"do": "send", "question": "x" * 60},
            "tokens. The model reads 40, of which 12 are the answer’s: ask in fewer",
        ),
        ({"do": "send", "question": "is it?", "stage": "wise"}, "stage: expected one of pretrained, tuned, got 'wise'"),
        ({"do": "send", "question": "is it?", "temperature": -1}, "temperature: expected a finite number"),
        ({"do": "send", "question": "\ud800"}, "half of a surrogate pair"),
        ({"do": "stop"}, "No answer is being written."),
        ({"do": "fly"}, "fly"),
    ],
)
def test_what_cannot_be_done_is_said_and_changes_nothing(box, message, says):
    before = box.data
    box._hear(box, message, [])
    assert says in box.said
    assert box.data == before
    box._hear(box, {"do": "send", "question": "is it?"}, [])
    assert box.said == ""
    assert len(box.data["exchanges"]) == len(before["exchanges"]) + 1


def test_a_prompt_as_long_as_there_is_room_is_answered_and_a_longer_one_counted(box):
    n = max(n for n in range(1, 40) if len(CHAT.prompt("é" * n)) <= 28)
    box.ask("é" * n)
    assert last(box)["ended"]
    with pytest.raises(ValueError, match=f"The question takes {len(CHAT.prompt('é' * (n + 1)))} tokens"):
        box.ask("é" * (n + 1))


def test_what_goes_wrong_while_it_is_written_is_said_and_the_next_is_heard(box):
    calls, model = [], box._model("tuned")

    def fail(*_):
        calls.append(1)
        if len(calls) == 3:
            raise RuntimeError("out of memory\nand a second line")

    with model.register_forward_pre_hook(fail):
        box.ask("is it?", temperature=1.0)
    assert box.said == "out of memory"
    assert (last(box)["ended"], len(last(box)["tokens"])) == ("failed", 2)
    assert box.data["writing"] is False
    box.ask("is it?")
    assert last(box)["ended"] in ("end", "most")


def test_no_opening_is_refused_and_old_exchanges_leave():
    with pytest.raises(ValueError, match="opening: expected at least one"):
        ChatExplorer({"one": stage(0)}, CHAT, [], ALT)
    box = ChatExplorer({"one": stage(0)}, CHAT, [("one", "is it?")], ALT, most=1, pace=0.0)
    for i in range(KEPT + 2):
        box.ask(str(i))
    assert [each["question"] for each in box.data["exchanges"]] == ["is it?", *map(str, range(2, KEPT + 2))]


# ---- as in a kernel, whose loop runs ------------------------------------------------------------------------------


def in_a_loop(act, **others):
    """Run a coroutine function of a box and of the sizes that its last answer had, as the kernel's loop would."""

    async def whole():
        box, sizes = chat(ALT, **{"pace": 0.002, **others}), []
        box.observe(lambda change: sizes.append(len(change["new"]["exchanges"][-1]["tokens"])), names="data")
        await act(box, sizes)
        box.close()

    asyncio.run(asyncio.wait_for(whole(), 20))


async def until(condition):
    while not condition():
        await asyncio.sleep(0.001)


def test_an_answer_comes_token_by_token_while_the_kernel_hears_on():
    async def act(box, sizes):
        box.ask("is it?", temperature=1.0, seed=1)
        assert sizes == [0]  # nothing was drawn before the cell's end
        assert box.data["writing"] is True
        await until(lambda: not box.data["writing"])
        n = len(last(box)["tokens"])
        assert n > 3
        assert sizes == [*range(n + 1), n]

    in_a_loop(act)


@pytest.mark.parametrize("slow", [False, True])
def test_stop_ends_it_after_the_present_token_and_nothing_more_is_computed(slow):
    async def act(box, sizes):
        calls = []
        with box._model("tuned").register_forward_hook(lambda *_: calls.append(1)):
            box.ask("is it?", temperature=1.0, seed=1, slow=slow)
            await until(lambda: sizes[-1] == 2)
            box._hear(box, {"do": "stop"}, [])
            start = asyncio.get_running_loop().time()
            await until(lambda: not box.data["writing"])
            assert asyncio.get_running_loop().time() - start < 0.2  # also where 0.4 s lie between two tokens
            await asyncio.sleep(0.05)
        assert len(calls) == len(last(box)["tokens"]) == 2
        assert last(box)["ended"] == "stopped"
        assert box.said == ""
        assert box._model("tuned").training
        box.ask("is it?", temperature=1.0, seed=1)
        await until(lambda: not box.data["writing"])
        whole, stopped = box.data["exchanges"][-1], box.data["exchanges"][-2]
        assert whole["tokens"][:2] == stopped["tokens"]
        assert whole["ended"] != "stopped"

    in_a_loop(act)


def test_while_one_is_written_another_has_to_wait():
    async def act(box, sizes):
        box.ask("is it?", temperature=1.0, seed=1)
        await until(lambda: sizes[-1] == 1)
        box._hear(box, {"do": "send", "question": "what is?"}, [])
        assert box.said == "An answer is being written; Stop ends it."
        await until(lambda: not box.data["writing"])
        assert [each["question"] for each in box.data["exchanges"][2:]] == ["is it?"]

    in_a_loop(act)


def test_new_forgets_what_was_asked_and_what_is_being_written():
    async def act(box, sizes):
        box.ask("is it?", temperature=1.0, seed=1)
        await until(lambda: sizes[-1] == 2)
        box._hear(box, {"do": "new"}, [])
        opening = box.first[0]["exchanges"]
        assert (box.data["exchanges"], box.data["writing"]) == (opening, False)
        box.ask("what is?")  # at once, though the other has not noticed yet
        await until(lambda: not box.data["writing"])
        await asyncio.sleep(0.02)
        assert [each["question"] for each in box.data["exchanges"]] == [*(e["question"] for e in opening), "what is?"]

    in_a_loop(act)


def test_who_closes_the_box_ends_what_is_being_written():
    async def act(box, sizes):
        calls = []
        with box._model("tuned").register_forward_hook(lambda *_: calls.append(1)):
            box.ask("is it?", temperature=1.0, seed=1)
            await until(lambda: sizes[-1] == 2)
            box.close()
            await asyncio.sleep(0.05)
        assert len(calls) == 2

    in_a_loop(act)


# ---- what is shown ------------------------------------------------------------------------------------------------


def token(text, p, chance=0.5, near=()):
    return {"text": text, "p": p, "chance": chance, "near": [list(each) for each in near]}


NEAR = [("a", 0.5, 0.8), ("b", 0.25, 0.2), ("c", 0.1, 0.0)]
TOKENS = [token("b", 0.25, 0.2, NEAR), token("z", 0.125, 0.1, NEAR), token(" = 4", None), token("<end>", 0.5, 1.0)]
HAND = {
    "stage": "tuned", "question": "<b>2&2?</b>", "read": 1, "ended": "stopped", "tokens": TOKENS,
    "answer": "<script>alert(1)</script>", "knobs": {"temperature": 0.5, "top_p": 0.9, "seed": 4},
}  # fmt: skip
DATA = {"stages": ["tuned"], "limit": 9, "writing": False, "exchanges": [HAND]}


def at(token, turn=0):
    return compute(DATA, {"turn": turn, "token": token})


def test_the_numbers_of_an_answer_by_hand():
    found = at(1)
    assert found["shares"] == [0.25, 0.125, 1.0, 0.5]
    assert found["products"] == [0.25, 0.03125, 0.03125, 0.015625]
    assert found["bits"] == [2.0, 5.0, 5.0, 6.0]
    assert found["least"] == 1
    assert found["near"] == [*map(list, NEAR), ["z", 0.125, 0.1]]  # the token itself is no rival but is there
    assert found["rest"] == pytest.approx(0.025)
    assert at(0)["near"] == [*map(list, NEAR)]
    assert at(0)["rest"] == pytest.approx(0.15)
    assert (at(99)["token"], at(-5)["token"], at(0, 7)["turn"], at(0, -1)["turn"]) == (3, 0, 0, 0)
    empty = compute({"exchanges": [{**HAND, "tokens": []}]}, {"turn": 0, "token": 3})
    assert empty == {
        "turn": 0,
        "token": 0,
        "shares": [],
        "products": [],
        "bits": [],
        "near": [],
        "rest": 0.0,
        "least": -1,
    }


def test_bytes_and_signs_that_cannot_be_seen_have_names():
    assert [visible(text) for text in (" a\n", "", "\t")] == ["␣a⏎", "∅", "⇥"]
    assert plain("naïve ␣ \x07 中") == "naïve ␣ · ·"
    box = chat(ALT)
    named = [text for each in box.first[0]["exchanges"] for text in texts(each) if text.startswith("⟨")]
    assert named
    assert all(re.fullmatch(r"⟨[0-9a-f]{2}( [0-9a-f]{2})*⟩", text) for text in named)


SPEAK = """
import { readFileSync } from "node:fs";
const { text, data, states } = JSON.parse(readFileSync(0, "utf8"));
const { spec } = await import("data:text/javascript;base64," + Buffer.from(text).toString("base64"));
console.log(JSON.stringify(states.map(state => {
  const drawn = spec.draw(spec.compute(data, state), state, data);
  const [[, , button]] = spec.controls(data, state);
  return { says: drawn.says, label: drawn.label, below: drawn.below, pressed: button.act().token,
    picture: drawn.panels.map(panel => panel.svg()).join("") };
})));
"""


def shown(data, *tokens):
    states = [{"turn": 0, "token": token} for token in tokens]
    return node(SPEAK, {"text": source("chat_box.js"), "data": data, "states": states})


@in_node
def test_what_the_page_says_of_a_token():
    first, second, loop, end = shown(DATA, 0, 1, 2, 3)
    assert first["says"] == (
        "Token 1 of 4, ‘b’: the model gave it 0.250; drawn with 0.200 at temperature 0.50, top-p 0.90. "
        "More probable was ‘a’, 0.500. All up to here: 0.25, 2.00 bits."
    )
    assert "Token 2 of 4, ‘z’: the model gave it 0.125; drawn with 0.100" in second["says"]
    assert "the loop computed the call and wrote this; the model was not asked." in loop["says"]
    assert end["says"].endswith("The whole answer: 0.0156, 6.00 bits.")
    assert [each["pressed"] for each in (first, second, loop, end)] == [1, 0, 1, 1]  # from the least sure to the second
    assert "‘a’ 0.500, under the knobs 0.800; ‘b’ 0.250, under the knobs 0.200" in first["label"]
    assert [each["below"].count("chip here") for each in (first, second, loop, end)] == [1] * 4
    assert "chip here loop" in loop["below"]
    assert "seed 4 · read 1 earlier exchange · stopped<" in first["below"]
    assert re.findall(r"<small>([^<]*)<", first["below"]) == ["0.25", "0.13", "loop", "0.50"]
    ends = {"most": "cut after 4 tokens<", "failed": "broken off<", "end": "read 1 earlier exchange<"}
    for ended, says in ends.items():
        assert says in shown({**DATA, "exchanges": [{**HAND, "ended": ended}]}, 0)[0]["below"]
    rare = [token("x", 0.004), token("y", 0.006)]
    assert re.findall(r"<small>([^<]*)<", shown({**DATA, "exchanges": [{**HAND, "tokens": rare}]}, 0)[0]["below"]) == [
        "&#60;0.01", "0.01",
    ]  # fmt: skip
    writing = shown({**DATA, "writing": True}, 0)[0]
    assert writing["says"] == "tuned is writing …"


@in_node
def test_nothing_that_was_typed_or_drawn_becomes_part_of_the_page():
    hostile = "<img src=x onerror=alert(1)>\"'&"
    marked = {
        **HAND,
        "question": hostile,
        "answer": hostile,
        "stage": hostile,
        "tokens": [token(hostile, 0.5, 0.5, [(hostile, 0.5, 0.5)])],
    }
    for state in shown({**DATA, "exchanges": [marked]}, 0):
        for part in (state["below"], state["picture"]):
            assert "<img" not in part
            assert not re.search(r"<[^>]*onerror", part)
        assert "&#60;img" in state["below"]


@in_node
def test_a_chip_s_number_and_text_can_be_read_on_its_colour():
    many = [token("x", i / 200, 0.5) for i in range(201)]
    (found,) = shown({**DATA, "exchanges": [{**HAND, "tokens": many}]}, 0)
    colours = re.findall(r'style="background:rgb\((\d+),(\d+),(\d+)\);color:(#\w+)"', found["below"])
    assert len(colours) == 201
    grounds = [tuple(int(part) / 255 for part in each[:3]) for each in colours]
    assert min(contrast(ground, each[3]) for ground, each in zip(grounds, colours, strict=True)) >= 4.5
    light = [sum(ground) for ground in grounds]
    assert light == sorted(light, reverse=True)
    assert (grounds[0], colours[200][:3]) == ((1, 1, 1), ("74", "3", "57"))


def test_the_bundle_carries_the_first_state_and_the_alternative_text(box):
    still = box.still()
    box.ask("is it?")
    data, metadata = box._repr_mimebundle_()
    assert data["image/png"] == still
    assert data["text/plain"] == metadata["image/png"]["alt"] == ALT
    stored = metadata["course_explorer"]
    assert stored["module"] == "chat_box.js"
    assert [each["stage"] for each in stored["data"]["exchanges"]] == ["pretrained", "tuned"]
    assert "kernel" not in stored["data"]
    assert stored["state"]["token"] == compute(stored["data"], stored["state"])["least"]


def test_a_model_on_another_device_answers_the_same():
    asked = [("one", "is it?")]
    here = ChatExplorer({"one": stage(0)}, CHAT, asked, ALT, most=6)
    with SecondDevice():
        there = ChatExplorer({"one": moved(stage(0))}, CHAT, asked, ALT, most=6)
        assert there.first == here.first
