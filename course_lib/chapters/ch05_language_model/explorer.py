"""The explorer of chapter 05: a language model and the knobs of its sampling."""

import math
import textwrap
from collections.abc import Iterable
from typing import Any

import torch
from matplotlib.figure import Figure
from torch import Tensor

from course_lib.attention.sampling import entropy, generate, next_distribution
from course_lib.attention.transformer import Transformer
from course_lib.classroom import figures
from course_lib.classroom.live import LiveExplorer, rounded
from course_lib.datasets.text import Text
from course_lib.training.eval_mode import evaluating

SHOWN = 10  # characters with bars


SEEDS = 21  # 0 … 20


class SamplingExplorer(LiveExplorer):
    """Turn temperature, top-k and top-p; see the next character's odds, one drawn, and text written with these knobs.

    model: a Transformer on any device; text: its ``Text``; prompt: where it starts; prompts: others that a page without
    a kernel has, of which those with characters outside the vocabulary are left out. length: characters that the kernel
    writes, the first as the page draws it. In a prompt ``\\n`` is typed for the end of a line. ValueError for an empty
    prompt and for a first one that the text cannot encode.
    """

    module = "sampling.js"

    def __init__(
        self,
        model: Transformer,
        text: Text,
        prompt: str,
        length: int = 200,
        alt: str = "",
        prompts: Iterable[str] = (),
    ) -> None:
        self._model, self._text, self._length = model, text, length
        vocabulary = text.vocabulary
        fit = [each for each in prompts if set(each) <= set(vocabulary)]
        data = {
            "vocabulary": list(vocabulary),
            "prompts": {typed(each): self._logits(each) for each in (prompt, *fit)},
            "refused": {},
        }
        knobs = {"temperature": 0.7, "top_k": len(vocabulary), "top_p": 0.95, "seed": 0}
        state = {"prompt": typed(prompt), **knobs}
        data = rounded(data)
        data["written"] = {"state": state, "text": self._written(data, state)}
        super().__init__(data, state, alt or f"Odds of the character after {prompt!r}, and text written from there.")
        self.data = {**self.data, "kernel": True}  # of which a stored page knows nothing

    def _logits(self, prompt: str) -> list[float]:
        """Return the next character's logits, from what ``generate`` reads for it."""
        tokens = self._tokens(prompt)
        config = self._model.config
        seen = tokens[:, -config.context_length :] if config.positions == "learned" else tokens
        with torch.no_grad(), evaluating(self._model):
            logits = self._model(seen)[0, -1].cpu().double().tolist()
        return rounded(logits, 6)

    def _tokens(self, prompt: str) -> Tensor:
        if not prompt:
            raise ValueError("prompt: expected at least one character")
        return self._text.encode(prompt)[None].to(self._model.embedding.weight.device)

    def _written(self, data: dict[str, Any], state: dict[str, Any]) -> str:
        """Return the prompt with the character that is drawn from the page's odds, and what the model writes on."""
        prompt = state["prompt"].replace("\\n", "\n")
        found = compute(data, state)
        start = prompt + data["vocabulary"][found["draws"][state["seed"]]]
        generator = torch.Generator().manual_seed(state["seed"])
        knobs = state["temperature"], state["top_k"], state["top_p"]
        longer = generate(self._model, self._tokens(start), self._length - 1, generator, *knobs)[0]
        return self._text.decode(longer.cpu())

    def answer(self, state: dict[str, Any]) -> None:
        """Ask the model for a prompt that the page has no odds of, and have it write on; keep the last such prompt."""
        prompt, data = state["prompt"], self.data
        if prompt not in data["prompts"]:
            try:
                own = {"prompts": {**self.first[0]["prompts"], prompt: self._logits(prompt.replace("\\n", "\n"))}}
            except ValueError as error:
                self.data = {**data, "refused": {prompt: str(error)}}
                return
            data = {**data, **own}
        self.data = {**data, "written": {"state": state, "text": self._written(data, state)}}

    @staticmethod
    def compute(data: dict[str, Any], state: dict[str, Any]) -> dict[str, Any]:
        """Return what ``compute`` of this file does."""
        return compute(data, state)

    @staticmethod
    def figure(data: dict[str, Any], state: dict[str, Any]) -> Figure:
        """Return the odds as bars, dashed before the knobs and orange after them, beside the text that was written."""
        found, vocabulary = compute(data, state), data["vocabulary"]
        figure, ((left, right),) = figures.new(1, 2, height=3.6)
        rows, order = range(len(found["order"])), found["order"]
        left.barh(rows, [found["before"][i] for i in order], 0.8, color="white", edgecolor=figures.MUTE, linestyle="--")
        left.barh(rows, [found["after"][i] for i in order], 0.4, color=figures.ORANGE)
        left.set_yticks(rows, [figures.visible(vocabulary[i]) for i in order], family="monospace")
        left.set(xlim=(0, 1), xlabel="probability  (- - the model   ▬ after the knobs)")
        left.invert_yaxis()
        figures.title(left, _says(found, state, len(vocabulary)))
        lines = [part for line in data["written"]["text"].splitlines() for part in textwrap.wrap(line, 48) or [""]]
        right.text(0.08, 1, "\n".join(lines[:14]), va="top", family="monospace", fontsize=9, parse_math=False)
        right.set_axis_off()
        return figure


def typed(prompt: str) -> str:
    """Return a prompt as it is typed into a field of one line: ``\\n`` stands for the end of a line."""
    return prompt.replace("\n", "\\n")


def compute(data: dict[str, Any], state: dict[str, Any]) -> dict[str, Any]:
    """Return the odds of the next character, what the knobs did to them and what each seed draws.

    ``before`` and ``after`` the knobs, (vocabulary,); ``bits`` of entropy of both; ``left``: how many characters can be
    drawn; ``order``: the most probable ones, at most ten; ``shares``: where in 0 … 1 each character's share ends;
    ``at``: where the numbers of the seeds 0 … 20 fall, and ``draws``, in whose share. ValueError for a prompt that the
    data do not have.
    """
    if state["prompt"] not in data["prompts"]:
        raise ValueError(data["refused"].get(state["prompt"], f"prompt: no odds after {state['prompt']!r} here"))
    logits = torch.tensor(data["prompts"][state["prompt"]], dtype=torch.float64)
    before = logits.softmax(-1)
    after = next_distribution(logits, state["temperature"], state["top_k"], state["top_p"])
    ends = running_sums(after.tolist())
    at = [uniform(seed) for seed in range(SEEDS)]
    return {
        "before": before.tolist(),
        "after": after.tolist(),
        "bits": [abs(entropy(p).item()) / math.log(2) for p in (before, after)],  # of a sure thing −0
        "left": int((after > 0).sum()),
        "order": before.sort(descending=True, stable=True).indices[:SHOWN].tolist(),
        "shares": ends,
        "at": at,
        "draws": [draw(ends, each) for each in at],
    }


def running_sums(probabilities: list[float]) -> list[float]:
    """Return the sums of the first 1, 2, … probabilities, added up from the left."""
    ends, total = [], 0.0
    for probability in probabilities:
        total += probability
        ends.append(total)
    return ends


def draw(ends: list[float], at: float) -> int:
    """Return the symbol in whose share of 0 … 1 a number falls: the first that ends beyond it.

    ends: running sums of probabilities; their last serves as 1. A symbol of probability 0 is never drawn: its share
    ends where the one before it does.
    """
    return next(i for i, end in enumerate(ends) if end > at * ends[-1])


def uniform(seed: int) -> float:
    """Return the first number between 0 and 1 of the generator mulberry32 for a seed of 32 bits.

    It is an odd multiple of 2⁻³³ and so never the end of a share of ½, ⅓ or another simple fraction. Sums in another
    language, which differ in their last bits, then give the same draw (Ettinger's mulberry32, 2017).
    """
    word = (seed + 0x6D2B79F5) & 0xFFFFFFFF
    t = (word ^ word >> 15) * (word | 1) & 0xFFFFFFFF
    t ^= (t + ((t ^ t >> 7) * (t | 61) & 0xFFFFFFFF)) & 0xFFFFFFFF
    return ((t ^ t >> 14) + 0.5) / 2**32


def _says(found: dict[str, Any], state: dict[str, Any], n: int) -> str:
    before, after = found["bits"]
    knobs = f"temperature {state['temperature']:g}, top-k {state['top_k']}, top-p {state['top_p']:g}"
    return f"{knobs}\nentropy {before:.2f} → {after:.2f} bits; {found['left']} of {n} characters can be drawn"
