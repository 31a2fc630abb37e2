"""The explorer of chapter 17: a chat box against the stages of training, and what the model nearly said."""

import asyncio
import contextlib
import itertools
import math
import operator
from collections.abc import Callable, Collection, Generator, Mapping, Sequence
from typing import Any

import torch
from jaxtyping import Int
from matplotlib.figure import Figure
from torch import Tensor

from course_lib.attention.transformer import Transformer
from course_lib.chapters.ch17_chat import chat_still
from course_lib.chat.streaming import Drawn, Written, stream_with_calculator
from course_lib.chat.template import ChatTemplate, Turn, exchange
from course_lib.classroom.live import LiveExplorer, rounded

LIMIT = 400  # characters of a question
KEPT = 10  # exchanges that are shown beside the opening ones
SLOW = 0.4  # seconds from one token to the next
KNOBS = {"temperature": 0.0, "top_p": 1.0, "seed": 0, "memory": False, "slow": False}


class ChatExplorer(LiveExplorer):
    """Ask the stages of a model; watch an answer being written, stop it, see the odds of each of its tokens.

    models: the name of each stage → its Transformer, or a function that loads it, called when it is first asked.
    opening: (stage, question) of the exchanges that stand there from the first, answered greedily; at least one. tools:
    the stages whose calls ``calc(…)`` the loop computes. most: tokens of an answer, None for half the context. pace:
    seconds from one token to the next. The same stage, question, knobs and seed give the same answer.
    """

    module = "chat_box.js"
    _halt: asyncio.Event | None = None  # of the answer that is being written
    _task: asyncio.Task[None] | None = None  # kept: a loop forgets what nobody holds

    def __init__(
        self,
        models: Mapping[str, Transformer | Callable[[], Transformer]],
        template: ChatTemplate,
        opening: Sequence[tuple[str, str]],
        alt: str,
        tools: Collection[str] = ("tools",),
        most: int | None = None,
        pace: float = 0.03,
    ) -> None:
        if not opening:
            raise ValueError("opening: expected at least one stage and question, got none")
        self._models, self._template, self._tools = dict(models), template, tools
        self._most, self._pace = most, pace
        self._asked: list[dict[str, Any]] = []  # since the last New
        self._opening = [self._at_once(stage, question) for stage, question in opening]
        data = {"stages": list(models), "limit": LIMIT, "writing": False, "exchanges": self._opening}
        at = {"turn": len(opening) - 1, "token": _least_sure(self._opening[-1]["tokens"])}
        super().__init__(data, {**at, "stage": opening[-1][0], **KNOBS}, alt)
        self.data = {**self.data, "kernel": True}  # of which a stored page knows nothing
        self.on_msg(self._hear)

    # ---- what a reader can do --------------------------------------------------------------------------------

    def ask(self, question: str, **knobs: Any) -> None:
        """Have a question answered, as the button Send does; knobs: fields of the state that are to be others.

        In a notebook the answer is written while the kernel waits for its next cell; elsewhere before this returns.
        ValueError, and nothing is written: for an empty question, one that is too long, a stage that there is none of,
        and while another answer is being written.
        """
        if self._halt:
            raise ValueError("An answer is being written; Stop ends it.")
        state = {**self.state, **knobs}
        new, stream = self._begin(str(state["stage"]), question, state)
        self._halt = asyncio.Event()
        self._put(new)
        writing = self._write(new, stream, SLOW if state["slow"] else self._pace, self._halt)
        try:
            self._task = asyncio.get_running_loop().create_task(writing)
        except RuntimeError:  # no loop is running
            asyncio.run(writing)

    def stop(self) -> None:
        """End the answer that is being written, after its present token; ValueError where none is."""
        if not self._halt:
            raise ValueError("No answer is being written.")
        self._halt.set()

    def new(self) -> None:
        """Forget what was asked: the opening exchanges are left, and what is being written ends."""
        self._end()
        self._asked = []
        self._put()

    def close(self) -> None:
        """Take the box off the page; what is being written ends."""
        self._end()
        super().close()

    def _end(self) -> None:
        if self._halt:
            self._halt.set()
        self._halt = None

    def _hear(self, _: Any, message: Any, __: Any = None) -> None:
        asked = {name: value for name, value in message.items() if name in {"question", "stage", *KNOBS}}
        acts = {"stop": self.stop, "new": self.new, "send": lambda: self.ask(**asked)}
        try:
            self.said = ""
            acts[message["do"]]()
        except Exception as error:  # nothing else would show it
            self._say(error)

    def _say(self, error: Exception) -> None:
        lines = [line for line in str(error).splitlines() if line.strip()]
        self.said = lines[0] if lines else type(error).__name__

    # ---- how an answer comes about ---------------------------------------------------------------------------

    def _model(self, stage: str) -> Transformer:
        if stage not in self._models:
            raise ValueError(f"stage: expected one of {', '.join(self._models)}, got {stage!r}")
        found = self._models[stage]
        model = found if isinstance(found, Transformer) else found()
        self._models[stage] = model
        return model

    def _begin(
        self, stage: str, question: str, knobs: Mapping[str, Any]
    ) -> tuple["Answer", Generator[Drawn | Written, None, None]]:
        """Return an answer without tokens, and the stream that it will grow from."""
        question = question.strip()
        if not question:
            raise ValueError("Type a question first.")
        if len(question) > LIMIT:
            raise ValueError(f"A question has at most {LIMIT} characters here; this one has {len(question)}.")
        model = self._model(stage)
        most = self._most or model.config.context_length // 2
        room = model.config.context_length - most
        before = [each for each in self._asked if each["stage"] == stage] if knobs["memory"] else []
        prompt = self._prompt(before, question)
        while before and len(prompt) > room:  # the oldest are forgotten
            before = before[1:]
            prompt = self._prompt(before, question)
        if len(prompt) > room:
            raise ValueError(
                f"The question takes {len(prompt)} tokens. The model reads {model.config.context_length}, of which "
                f"{most} are the answer’s: ask in fewer words, with at most {room} tokens."
            )
        draws = torch.Generator().manual_seed(int(knobs["seed"]))
        chances, calls = (float(knobs["temperature"]), float(knobs["top_p"])), 4 if stage in self._tools else 0
        stream = stream_with_calculator(model, self._template, prompt, draws, most, *chances, calls)
        return Answer(self._template, stage, question, len(before), {name: knobs[name] for name in KNOBS}), stream

    def _prompt(self, before: Sequence[Mapping[str, Any]], question: str) -> Int[Tensor, "time"]:
        turns = [turn for each in before for turn in exchange(each["question"], each["answer"])]
        return self._template.prompt([*turns, Turn("user", question)])

    def _at_once(self, stage: str, question: str) -> dict[str, Any]:
        answer, stream = self._begin(stage, question, KNOBS)
        for each in stream:
            answer.grow(each)
        answer.ended = answer.ended or "most"
        return answer.exchange()

    async def _write(
        self, answer: "Answer", stream: Generator[Drawn | Written, None, None], pause: float, halt: asyncio.Event
    ) -> None:
        """Let an answer grow; between two tokens the kernel hears what else is asked of it."""
        try:
            with contextlib.closing(stream):
                for each in stream:
                    answer.grow(each)
                    self._put(answer)
                    with contextlib.suppress(TimeoutError):
                        await asyncio.wait_for(halt.wait(), pause)
                    if halt.is_set():
                        answer.ended = answer.ended or "stopped"
                        break
            answer.ended = answer.ended or "most"
        except Exception as error:
            answer.ended = "failed"
            self._say(error)
        if self._halt is halt:  # else it was forgotten
            self._halt = None
            self._asked = [*self._asked, answer.exchange()][-KEPT:]
            self._put()

    def _put(self, writing: "Answer | None" = None) -> None:
        """Show what was asked, and the answer that is being written."""
        asked = [*self._asked, *([writing.exchange()] if writing else [])]
        exchanges = [*self.first[0]["exchanges"], *rounded(asked)]
        self.data = {**self.data, "exchanges": exchanges, "writing": writing is not None}

    @staticmethod
    def compute(data: dict[str, Any], state: dict[str, Any]) -> dict[str, Any]:
        """Return what ``compute`` of this file does."""
        return compute(data, state)

    @staticmethod
    def figure(data: dict[str, Any], state: dict[str, Any]) -> Figure:
        """Return the conversation with one answer's tokens, and what could have come in the place of one of them."""
        return chat_still.drawn(data["exchanges"], compute(data, state))


class Answer:
    """An answer that grows token by token, and what the page has of it.

    ended: "" while it is written, then "end", "most", "stopped" or "failed".
    """

    def __init__(
        self, template: ChatTemplate, stage: str, question: str, read: int, knobs: Mapping[str, float | bool]
    ) -> None:
        self._template = template
        self._about = {"stage": stage, "question": question, "read": read, "knobs": dict(knobs)}
        self._before, self._drawn = "", list[int]()  # text up to the last result; tokens since
        self._tokens: list[dict[str, Any]] = []
        self.ended = ""

    def grow(self, each: Drawn | Written) -> None:
        """Add what was drawn, or what the loop wrote, and cut what the last token has behind the call."""
        tokenizer = self._template.tokenizer
        if isinstance(each, Written):
            last = self._tokens[-1]
            surplus = len(self._before + tokenizer.decode(self._drawn)) - len(each.before)
            last["text"] = last["text"][: len(last["text"]) - surplus]
            self._tokens.append({"text": each.text, "p": None, "chance": None, "near": []})
            self._before, self._drawn = each.before + each.text, []
            return
        near = [[self._said(token), probability, chance] for token, probability, chance in each.alternatives]
        drawn = {"text": self._said(each.token), "p": each.probability, "chance": each.chance, "near": near}
        self._tokens.append(drawn)
        self._drawn.append(each.token)
        if each.token == self._template.end:
            self.ended = "end"

    def _said(self, token: int) -> str:
        """Return a token's text; bytes that are no whole character, or none to be seen, as ⟨e2 80⟩."""
        raw = self._template.tokenizer.bytes_of[token]
        with contextlib.suppress(UnicodeDecodeError):
            if all(sign.isprintable() or sign in "\n\t" for sign in raw.decode()):
                return raw.decode()
        return f"⟨{raw.hex(' ')}⟩"

    def exchange(self) -> dict[str, Any]:
        """Return the exchange as the page has it: a copy."""
        template, drawn = self._template, self._drawn[:-1] if self.ended == "end" else self._drawn
        answer = template.answer(template.tokenizer.encode(self._before + template.tokenizer.decode(drawn)))
        return {**self._about, "answer": answer, "tokens": [dict(each) for each in self._tokens], "ended": self.ended}


def compute(data: dict[str, Any], state: dict[str, Any]) -> dict[str, Any]:
    """Return which token is in focus and what all of the answer have.

    turn and token: those of the state, within what there is; shares: each token's probability, 1 of what the loop
    wrote; products: of the first 1, 2, … shares, in bits too; near: [text, probability, chance] of what could have
    come in the token's place, itself among them; rest: the probability of all others; least: the least sure token.
    """
    exchanges = data["exchanges"]
    turn = max(0, min(state["turn"], len(exchanges) - 1))
    tokens = exchanges[turn]["tokens"]
    token = max(0, min(state["token"], len(tokens) - 1))
    shares = [1.0 if each["p"] is None else each["p"] for each in tokens]
    products = list(itertools.accumulate(shares, operator.mul))
    near: list[list[Any]] = []
    if tokens and tokens[token]["p"] is not None:
        own = tokens[token]
        named = any(text == own["text"] for text, _, _ in own["near"])
        near = [*own["near"], *([] if named else [[own["text"], own["p"], own["chance"]]])]
    return {
        "turn": turn,
        "token": token,
        "shares": shares,
        "products": products,
        "bits": [abs(math.log2(product)) for product in products],
        "near": near,
        "rest": max(0.0, 1 - sum(p for _, p, _ in near)) if near else 0.0,
        "least": _least_sure(tokens),
    }


def _least_sure(tokens: Sequence[Mapping[str, Any]]) -> int:
    """Return the place of the least probable token, the first of equal ones; −1 where there is none."""
    shares = [1.0 if each["p"] is None else each["p"] for each in tokens]
    return shares.index(min(shares)) if shares else -1
