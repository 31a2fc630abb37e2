"""The explorer of chapter 02: one head of a model, opened on a text of the reader's, in words or in characters."""

import html
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial

import ipywidgets
import torch
from matplotlib.colors import to_hex
from torch import Tensor

from course_lib.attention.masks import causal_mask
from course_lib.chapters.ch02_attention.figures import attention_stages
from course_lib.classroom import figures
from course_lib.classroom.explorers import Explorer, control

Attend = Callable[[str], tuple[Tensor, Tensor]]  # text → q, k of shape (layers, heads, time, d_head)


CELL = "min-width:30px;height:25px;text-align:center;font:10px monospace;padding:0;border:1px solid #ddd;"


SHOWN = 6  # terms of a long product


LONGEST = 8  # tokens: more than 8 × 8 digits cannot be read


@dataclass(frozen=True)
class AttentionState:
    """Everything that the picture depends on."""

    text: str
    layer: int = 0
    head: int = 0
    query: int = 0
    key: int = 0
    stage: int = 2  # 0 scores, 1 scaled and masked, 2 softmax


@dataclass(frozen=True)
class Stages:
    """The three stages of one head (time, time), and the weights of all heads of its layer (heads, time, time)."""

    scores: Tensor
    scaled: Tensor
    weights: Tensor
    heads: Tensor


def stages(q: Tensor, k: Tensor, layer: int, head: int) -> Stages:
    """Compute scores, scaled scores and weights under the causal mask from q, k (layers, heads, time, d_head)."""
    scores = q[layer] @ k[layer].transpose(-2, -1)
    scaled = scores / math.sqrt(q.shape[-1])
    allowed = causal_mask(q.shape[-2])
    weights = scaled.masked_fill(~allowed, -torch.inf).softmax(-1)
    return Stages(scores[head], scaled[head], weights[head], weights)


def _table(
    values: Tensor, text: Sequence[str], state: AttentionState, signed: bool, mask: Tensor | None, title: str
) -> str:
    """Return one matrix with digits as an HTML table: rows ask, columns are asked; the cell in focus is outlined."""
    limit = float(values.abs().max()) or 1.0
    header = "".join(f"<th style='{CELL}border:0'>{html.escape(figures.visible(c))}</th>" for c in text)
    rows = []
    for r, row in enumerate(values.tolist()):
        cells = []
        for c, value in enumerate(row):
            focus = "outline:3px solid #222;outline-offset:-3px;" if (r, c) == (state.query, state.key) else ""
            if mask is not None and not mask[r, c]:
                stripes = "background:repeating-linear-gradient(45deg,#efefef,#efefef 3px,#c4c4c4 3px,#c4c4c4 4px);"
                cells.append(f"<td style='{CELL}{stripes}{focus}'></td>")
                continue
            colour = to_hex(figures.SIGNED(0.5 + value / limit / 2) if signed else figures.WEIGHTS(value))
            ink = figures.ink_on(value, limit if signed else None)
            number = f"{value:.2f}" if abs(value) < 10 else f"{value:.1f}"
            cells.append(f"<td style='{CELL}background:{colour};color:{ink};{focus}'>{number}</td>")
        name = html.escape(figures.visible(text[r]))
        rows.append(f"<tr><th style='{CELL}border:0;min-width:16px'>{name}</th>{''.join(cells)}</tr>")
    caption = f"<div style='font-weight:600;margin:2px 0'>{title} {tuple(values.shape)}</div>"
    return (
        f"<div>{caption}<table style='border-collapse:collapse'><tr><th></th>{header}</tr>{''.join(rows)}</table></div>"
    )


def _small(weights: Tensor, head: int, chosen: bool) -> str:
    """Return one head's weights as a small picture without digits."""
    n = len(weights)
    cells = "".join(
        f"<rect x='{c}' y='{r}' width='1' height='1' fill='{to_hex(figures.WEIGHTS(v))}'/>"
        for r, row in enumerate(weights.tolist())
        for c, v in enumerate(row)
    )
    edge = "3px solid #222" if chosen else "1px solid #bbb"
    label = f"<div style='text-align:center'>head {head}{' ◂' if chosen else ''}</div>"
    return f"<div><svg width='84' height='84' viewBox='0 0 {n} {n}' style='border:{edge}'>{cells}</svg>{label}</div>"


def frame(q: Tensor, k: Tensor, state: AttentionState, tokens: Sequence[str] | None = None) -> str:
    """Return the whole picture of a state as HTML; a pure function of its arguments.

    Up to the chosen stage the matrices are open; the cell in focus is written out as q·k, term by term.
    tokens: what the text is made of; its characters when left out.
    """
    found, text = stages(q, k, state.layer, state.head), list(state.text) if tokens is None else tokens
    allowed = causal_mask(len(text))
    root = f"√{q.shape[-1]}"
    tables = [_table(found.scores, text, state, True, None, "scores q·k")]
    if state.stage > 0:
        tables.append(_table(found.scaled, text, state, True, allowed, f"÷ {root}, masked"))
    if state.stage > 1:
        tables.append(_table(found.weights, text, state, False, allowed, "softmax: weights"))
    heads = "".join(_small(w, h, h == state.head) for h, w in enumerate(found.heads))
    row = "display:flex;gap:14px;flex-wrap:wrap;align-items:flex-end"
    return (
        "<div style='color:#222;background:#fff;padding:8px;font:13px sans-serif'>"
        f"<div style='{row}'>{''.join(tables)}</div>"
        f"<div style='margin:8px 0'>{_written_out(q, k, found, state, text)}</div>"
        f"<div style='{row}'><b>all heads of layer {state.layer}</b>{heads}</div></div>"
    )


def _written_out(q: Tensor, k: Tensor, found: Stages, state: AttentionState, text: Sequence[str]) -> str:
    """Return the way of the cell in focus from the products of q and k to its weight."""
    r, c = state.query, state.key
    asks, asked = html.escape(figures.visible(text[r])), html.escape(figures.visible(text[c]))
    a, b = q[state.layer, state.head, r].tolist(), k[state.layer, state.head, c].tolist()
    pairs = list(zip(a, b, strict=True))
    if len(pairs) > 16:  # a long product is shown by its largest terms
        pairs = sorted(pairs, key=lambda pair: -abs(pair[0] * pair[1]))[:SHOWN]
    terms = " + ".join(f"{x:.2f}·{y:.2f}" for x, y in pairs).replace("+ -", "− ").replace("·-", "·−")
    if len(pairs) < len(a):
        terms += f" + {len(a) - len(pairs)} smaller terms"
    score, scaled = found.scores[r, c].item(), found.scaled[r, c].item()
    way = f"query {r} <b>{asks}</b> · key {c} <b>{asked}</b> = {terms} = <b>{score:.2f}</b>"
    if c > r:
        return f"{way}<br>key {c} lies in the future of query {r}: masked, weight 0"
    total = found.scaled[r, : r + 1].exp().sum().item()
    way += f"<br>÷ √{len(a)} = {scaled:.2f}; e<sup>{scaled:.2f}</sup> = {math.exp(scaled):.2f}"
    return f"{way}; ÷ the row's sum {total:.2f} = <b>{found.weights[r, c].item():.2f}</b>"


class AttentionExplorer(Explorer):
    """Open one head of a model on your own text: scores, scaling and mask, softmax, one cell written out.

    attend: maps a text of 2 … 8 tokens to q, k (layers, heads, time, d_head) on any device; ValueError for a text
    that it cannot read is shown in the status line. layer, head: those shown first. cut: makes the tokens of a text,
    ``str.split`` its words, ``list`` its characters; unit: what the tokens are called.
    """

    State = AttentionState

    def __init__(
        self,
        attend: Attend,
        text: str,
        layer: int = 0,
        head: int = 0,
        alt: str = "",
        cut: Callable[[str], list[str]] = list,
        unit: str = "characters",
    ) -> None:
        self._attend = lru_cache(maxsize=32)(lambda own: torch.stack(tuple(attend(own))).detach().float().cpu())
        self._cut, self._unit = cut, unit
        (q, _), last = self._attend(text), len(cut(text)) - 1
        number = partial(control, ipywidgets.IntSlider, min=0)
        self.text = control(ipywidgets.Text, "text", text)
        self.stage = ipywidgets.ToggleButtons(
            options=[("scores", 0), ("scale + mask", 1), ("softmax", 2)], value=2, style={"button_width": "110px"}
        )
        self.layer = number("layer", layer, max=q.shape[0] - 1)
        self.head = number("head", head, max=q.shape[1] - 1)
        self.query, self.key = number("query row", last, max=last), number("key column", last - 1, max=last)
        rows = [[self.text, self.stage], [self.layer, self.head], [self.query, self.key]]
        super().__init__(rows, alt or f"Attention of head {head} in layer {layer} on the text {text!r}.")

    def state(self) -> AttentionState:
        """Return the controls' values; a cell outside a shorter text moves to its last one."""
        n = len(self._cut(self.text.value))
        if not 2 <= n <= LONGEST:
            raise ValueError(f"text: expected 2 to {LONGEST} {self._unit}, got {n}")
        self._attend(self.text.value)  # complains before anything is changed
        self.query.max = self.key.max = n - 1  # clips the values too
        return super().state()

    def frame(self, state: AttentionState) -> str:
        """Return the stages, the cell in focus and all heads as HTML."""
        q, k = self._attend(state.text)
        return frame(q, k, state, self._cut(state.text))

    def still(self) -> bytes:
        """Return the three stages of the first state as PNG."""
        q, k = self._attend(self._first.text)
        found = stages(q, k, self._first.layer, self._first.head)
        labels = list(map(figures.visible, self._cut(self._first.text)))
        allowed = causal_mask(len(labels))
        return figures.png(attention_stages(found.scores, found.scaled, found.weights, allowed, labels))
