"""The explorer of chapter 05: a language model and the knobs of its sampling."""

import html
import math
import textwrap
from dataclasses import dataclass
from functools import partial

import ipywidgets
import torch
from matplotlib.figure import Figure
from torch import Tensor

from course_lib.attention.sampling import entropy, generate, next_distribution
from course_lib.attention.transformer import Transformer
from course_lib.classroom import figures
from course_lib.classroom.explorers import Explorer, control
from course_lib.datasets.text import Text
from course_lib.training.eval_mode import evaluating


@dataclass(frozen=True)
class SamplingState:
    """Prompt, knobs and seed; top_k of the whole vocabulary and top_p of 1 cut nothing."""

    prompt: str
    temperature: float = 1.0
    top_k: int = 65
    top_p: float = 1.0
    seed: int = 0


@dataclass(frozen=True)
class Odds:
    """The ten most probable characters, each with its probability before and after the knobs; what the knobs did."""

    rows: list[tuple[str, float, float]]
    says: str


def odds(logits: Tensor, vocabulary: str, state: SamplingState) -> Odds:
    """Return the odds that the next character's logits (vocab,) give under the state's knobs."""
    before = logits.softmax(-1)
    after = next_distribution(logits, state.temperature, state.top_k, state.top_p)
    most = before.argsort(descending=True)[:10].tolist()
    bits = [abs(entropy(p).item()) / math.log(2) for p in (before, after)]  # of a sure thing −0
    left = f"{int((after > 0).sum())} of {len(vocabulary)} characters can be drawn"
    rows = [(figures.visible(vocabulary[i]), before[i].item(), after[i].item()) for i in most]
    knobs = f"temperature {state.temperature:g}, top-k {state.top_k}, top-p {state.top_p:g}"
    return Odds(rows, f"{knobs}\nentropy {bits[0]:.2f} → {bits[1]:.2f} bits; {left}")


def sampling_frame(found: Odds, written: str) -> str:
    """Return the odds as bars, dashed in mute before the knobs and orange after them, beside a text, as HTML."""
    rows = []
    for name, p, q in found.rows:
        bar = (
            f"<div style='width:{240 * p:.0f}px;height:6px;border:1px dashed {figures.MUTE}'></div>"
            f"<div style='width:{240 * q:.0f}px;height:9px;background:{figures.ORANGE}'></div>"
        )
        rows.append(
            f"<tr><th style='width:24px;font:14px monospace'>{html.escape(name)}</th><td style='width:250px'>{bar}</td>"
            f"<td style='font:12px monospace'>{p:.3f} → {q:.3f}</td></tr>"
        )
    ground = f"color:{figures.INK};background:#fff;padding:8px"
    return (
        f"<div style='{ground};font:13px sans-serif;display:flex;gap:24px;flex-wrap:wrap'>"
        f"<div>{found.says}<table>{''.join(rows)}</table>- - the model &nbsp; ▬ after the knobs</div>"
        f"<div style='white-space:pre-wrap;font:13px monospace;max-width:420px'>{html.escape(written)}</div></div>"
    )


def sampling_still(found: Odds, written: str) -> Figure:
    """Return the same as a figure."""
    figure, ((left, right),) = figures.new(1, 2, height=3.6)
    names, before, after = zip(*found.rows, strict=True)
    rows = range(len(names))
    left.barh(rows, before, 0.8, color="white", edgecolor=figures.MUTE, linestyle="--")
    left.barh(rows, after, 0.4, color=figures.ORANGE)
    left.set_yticks(rows, names, family="monospace")
    left.set(xlim=(0, 1), xlabel="probability  (- - the model   ▬ after the knobs)")
    left.invert_yaxis()
    figures.title(left, found.says)
    lines = [part for line in written.splitlines() for part in textwrap.wrap(line, 48) or [""]]
    right.text(0.08, 1, "\n".join(lines[:14]), va="top", family="monospace", fontsize=9, parse_math=False)
    right.set_axis_off()
    return figure


class SamplingExplorer(Explorer):
    """Turn temperature, top-k and top-p; see the next character's distribution, and text written with these knobs.

    model: a Transformer on any device; text: its ``Text``; prompt: where it starts; length: characters to write.
    """

    State = SamplingState

    def __init__(self, model: Transformer, text: Text, prompt: str, length: int = 200, alt: str = "") -> None:
        self._model, self._text, self._length = model, text, length
        n = len(text.vocabulary)
        late = partial(control, continuous_update=False)
        self.prompt = late(ipywidgets.Textarea, "prompt", prompt)
        self.temperature = late(ipywidgets.FloatSlider, "temperature", 0.7, min=0, max=2, step=0.05)
        self.top_k = late(ipywidgets.IntSlider, "top-k", n, min=1, max=n)
        self.top_p = late(ipywidgets.FloatSlider, "top-p", 0.95, min=0.05, max=1, step=0.05)
        self.seed = late(ipywidgets.IntSlider, "seed", 0, min=0, max=20)
        rows = [[self.prompt, self.seed], [self.temperature, self.top_k, self.top_p]]
        super().__init__(rows, alt or f"Distribution of the character after {prompt!r}, and text written from there.")

    def _continue(self, state: SamplingState) -> tuple[Odds, str]:
        """Return the odds of the next character, from what ``generate`` reads for it, and the text that goes on."""
        if not state.prompt:
            raise ValueError("prompt: expected at least one character")
        tokens = self._text.encode(state.prompt)[None].to(self._model.embedding.weight.device)
        config = self._model.config
        seen = tokens[:, -config.context_length :] if config.positions == "learned" else tokens
        with torch.no_grad(), evaluating(self._model):
            logits = self._model(seen)[0, -1].float().cpu()
        knobs = torch.Generator().manual_seed(state.seed), state.temperature, state.top_k, state.top_p
        longer = generate(self._model, tokens, self._length, *knobs)[0].cpu()
        return odds(logits, self._text.vocabulary, state), self._text.decode(longer)

    def frame(self, state: SamplingState) -> str:
        """Return the distribution and the text of a state as HTML."""
        return sampling_frame(*self._continue(state))

    def still(self) -> bytes:
        """Return the distribution and the text of the first state as PNG."""
        return figures.png(sampling_still(*self._continue(self._first)))
