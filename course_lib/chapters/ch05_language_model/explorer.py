"""The explorer of chapter 05: a language model and the knobs of its sampling."""

import html
import math
from dataclasses import dataclass

import ipywidgets
import torch
from torch import Tensor

from course_lib.attention.sampling import entropy, generate, next_distribution
from course_lib.attention.transformer import Transformer
from course_lib.classroom import figures
from course_lib.classroom.explorers import _complaint, _visible
from course_lib.datasets.text import Text


@dataclass(frozen=True)
class SamplingState:
    """Prompt, knobs and seed; top_k of the whole vocabulary and top_p of 1 cut nothing."""

    prompt: str
    temperature: float = 1.0
    top_k: int = 65
    top_p: float = 1.0
    seed: int = 0


def sampling_frame(logits: Tensor, vocabulary: str, state: SamplingState) -> str:
    """Return the next character's distribution (vocab,), before and after the knobs, as HTML; a pure function.

    The ten most probable characters before the knobs are shown, dashed in mute, what is drawn from in orange.
    """
    before = logits.softmax(-1)
    after = next_distribution(logits, state.temperature, state.top_k, state.top_p)
    rows = []
    for i in before.argsort(descending=True)[:10].tolist():
        p, q = before[i].item(), after[i].item()
        bar = (
            f"<div style='width:{240 * p:.0f}px;height:6px;border:1px dashed {figures.MUTE}'></div>"
            f"<div style='width:{240 * q:.0f}px;height:9px;background:{figures.ORANGE}'></div>"
        )
        name = html.escape(_visible(vocabulary[i]))
        rows.append(
            f"<tr><th style='width:24px;font:14px monospace'>{name}</th><td style='width:250px'>{bar}</td>"
            f"<td style='font:12px monospace'>{p:.3f} → {q:.3f}</td></tr>"
        )
    bits = [entropy(p).item() / math.log(2) for p in (before, after)]
    left = int((after > 0).sum())
    head = f"entropy {bits[0]:.2f} → <b>{bits[1]:.2f} bits</b>; {left} of {len(vocabulary)} characters can be drawn"
    return (
        f"<div style='color:#222;background:#fff;padding:8px;font:13px sans-serif'>{head}"
        f"<table>{''.join(rows)}</table>- - the model &nbsp; ▬ after the knobs</div>"
    )


class SamplingExplorer(ipywidgets.VBox):
    """Turn temperature, top-k and top-p; see the next character's distribution, and text written with these knobs.

    model: a Transformer; text: its ``data.Text``; prompt: where it starts. What goes wrong is said in a status line.
    """

    def __init__(self, model: Transformer, text: Text, prompt: str, length: int = 200, alt: str = "") -> None:
        self._model, self._text, self._length = model, text, length
        self._alt = alt or f"Distribution of the character after {prompt!r}, and text written from there."
        wide = {"layout": ipywidgets.Layout(width="330px"), "style": {"description_width": "90px"}}
        late = {"continuous_update": False, **wide}
        self.prompt = ipywidgets.Text(prompt, description="prompt", continuous_update=False, **wide)
        self.temperature = ipywidgets.FloatSlider(0.7, min=0, max=2, step=0.05, description="temperature", **late)
        n = len(text.vocabulary)
        self.top_k = ipywidgets.IntSlider(n, min=1, max=n, description="top-k", **late)
        self.top_p = ipywidgets.FloatSlider(0.95, min=0.05, max=1, step=0.05, description="top-p", **late)
        self.seed = ipywidgets.IntSlider(0, min=0, max=20, description="seed", **late)
        self.picture, self.written, self.status = ipywidgets.HTML(), ipywidgets.HTML(), ipywidgets.HTML()
        self._controls = {n: getattr(self, n) for n in ("prompt", "temperature", "top_k", "top_p", "seed")}
        for control in self._controls.values():
            control.observe(self._changed, names="value")
        knobs = ipywidgets.VBox([*self._controls.values(), self.status])
        super().__init__([ipywidgets.HBox([knobs, self.picture]), self.written])
        self._changed({})

    def _changed(self, _change: dict) -> None:
        try:
            state = SamplingState(**{name: control.value for name, control in self._controls.items()})
            tokens = self._text.encode(state.prompt)[None]
            if not tokens.shape[1]:
                raise ValueError("prompt: expected at least one character")
            self.picture.value = self._frame(state, tokens)
            generator = torch.Generator().manual_seed(state.seed)
            tokens = tokens.to(self._model.embedding.weight.device)
            knobs = (state.temperature, state.top_k, state.top_p)
            longer = generate(self._model, tokens, self._length, generator, *knobs)[0].cpu()
            style = "white-space:pre-wrap;font:13px monospace;color:#222;background:#fff;padding:8px"
            self.written.value = f"<div style='{style}'>{html.escape(self._text.decode(longer))}</div>"
            self.status.value = ""
        except Exception as error:
            self.status.value = _complaint(error)

    @torch.no_grad()
    def _frame(self, state: SamplingState, tokens: Tensor) -> str:
        window = tokens[:, -self._model.config.context_length :].to(self._model.embedding.weight.device)
        return sampling_frame(self._model(window)[0, -1].float().cpu(), self._text.vocabulary, state)

    def _repr_mimebundle_(self, **kwargs):
        bundle = super()._repr_mimebundle_(**kwargs)
        data, metadata = bundle if isinstance(bundle, tuple) else (bundle, {})
        return data | {"text/plain": self._alt}, metadata
