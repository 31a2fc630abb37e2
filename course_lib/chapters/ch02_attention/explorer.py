"""The explorer of chapter 02: one head of a model, opened on a text of the reader's, in words or in characters."""

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import torch
from matplotlib.figure import Figure
from torch import Tensor

from course_lib.attention.dot_product import scaled_dot_product_attention
from course_lib.attention.masks import causal_mask
from course_lib.chapters.ch02_attention.figures import attention_stages
from course_lib.classroom import figures
from course_lib.classroom.live import LiveExplorer

Attend = Callable[[str], Iterable[Tensor]]  # text → q, k of shape (layers, heads, time, d_head)


LONGEST = 8  # tokens: more than 8 × 8 digits cannot be read


CUTS: dict[str, Callable[[str], list[str]]] = {"words": str.split, "characters": list}


class AttentionExplorer(LiveExplorer):
    """Open one head of a model on your own text: scores, scaling and mask, softmax, one cell written out.

    attend: maps a text of 2 … 8 tokens to q, k (layers, heads, time, d_head) on any device. The kernel asks it for the
    reader's texts; its ValueError for a text that it cannot read is shown. layer, head: those shown first. unit: what
    the tokens are, 'words' or 'characters'. texts: more texts that can be opened without a kernel. words: tokens of
    which any text can, for a model whose q and k at a place come from the token there alone; ValueError if they do not.
    """

    module = "attention_stages.js"

    def __init__(
        self,
        attend: Attend,
        text: str,
        layer: int = 0,
        head: int = 0,
        alt: str = "",
        unit: str = "characters",
        texts: Iterable[str] = (),
        words: Iterable[str] = (),
    ) -> None:
        self._attend = attend
        q, k = attend(text)
        known = {text: pair(q, k)} | {each: pair(*attend(each)) for each in texts}
        alone = {word: pair(*attend(word)) for word in words}
        shape = [q.shape[0], q.shape[1], q.shape[3]]  # layers, heads, d_head
        data = {"unit": unit, "shape": shape, "texts": known, "words": alone, "refused": {}}
        if alone:
            _check_alone(data, text)
        last = len(CUTS[unit](text)) - 1
        state = {"text": text, "layer": layer, "head": head, "query": last, "key": last - 1, "stage": 0}
        super().__init__(data, state, alt or f"Attention of head {head} in layer {layer} on the text {text!r}.")
        self.data = {**self.data, "kernel": True}  # of which a stored page knows nothing

    def answer(self, state: dict[str, Any]) -> None:
        """Ask the model for a text that the page cannot open; keep the last one that was asked for, or what it says."""
        text, (first, _) = state["text"], self.first
        try:
            compute(self.data, state)
        except UnknownTextError:
            try:
                own = {"texts": {**first["texts"], text: pair(*self._attend(text))}}
            except ValueError as error:
                own = {"refused": {text: str(error)}}
            self.data = {**self.data, **own}
        except ValueError:  # too short or too long, as the page says
            return

    @staticmethod
    def compute(data: dict[str, Any], state: dict[str, Any]) -> dict[str, Any]:
        """Return what ``compute`` of this file does."""
        return compute(data, state)

    @staticmethod
    def figure(data: dict[str, Any], state: dict[str, Any]) -> Figure:
        """Return the three stages side by side, whichever is open: a still cannot be opened."""
        found = compute(data, state)
        labels = list(map(figures.visible, found["tokens"]))
        scores, scaled, weights = (torch.tensor(found[name]) for name in ("scores", "scaled", "weights"))
        return attention_stages(scores, scaled, weights, causal_mask(len(labels)), labels)


class UnknownTextError(ValueError):
    """A text of which the data hold no q and k."""


def compute(data: dict[str, Any], state: dict[str, Any]) -> dict[str, Any]:
    """Return the stages of one head on the state's text, (time, time) each, and the way of the cell in focus.

    ``scores`` q·k; ``scaled`` divided by √d_head; ``weights`` their softmax under the causal mask; ``heads`` the
    weights of all heads of the layer. ``pairs`` are the factors of the products that the cell's score adds up,
    ``power`` is e to its scaled score, ``total`` the sum of these over the keys that its query may see. A cell outside
    a shorter text moves to its last row or column. ValueError for a text of another length, UnknownTextError.
    """
    tokens, q, k = _read(data, state["text"])
    row, column = (min(state[name], len(tokens) - 1) for name in ("query", "key"))
    layer, head = state["layer"], state["head"]
    scores = q[layer] @ k[layer].mT  # (heads, time, time)
    scaled = scores / math.sqrt(q.shape[-1])
    _, weights = scaled_dot_product_attention(q[layer], k[layer], k[layer], causal_mask(len(tokens)))
    return {
        "tokens": tokens,
        "query": row,
        "key": column,
        "scores": scores[head].tolist(),
        "scaled": scaled[head].tolist(),
        "weights": weights[head].tolist(),
        "heads": weights.tolist(),
        "pairs": torch.stack([q[layer, head, row], k[layer, head, column]], 1).tolist(),
        "power": scaled[head, row, column].exp().item(),
        "total": scaled[head, row, : row + 1].exp().sum().item(),
    }


def _read(data: dict[str, Any], text: str) -> tuple[list[str], Tensor, Tensor]:
    """Return a text's tokens and its q, k (layers, heads, time, d_head), whole or put together from its tokens'."""
    tokens, unit = CUTS[data["unit"]](text), data["unit"]
    if not 2 <= len(tokens) <= LONGEST:
        raise ValueError(f"text: expected 2 to {LONGEST} {unit}, got {len(tokens)}")
    if text in data["texts"]:
        found = data["texts"][text]
        return tokens, unpacked(found["q"], data["shape"]), unpacked(found["k"], data["shape"])
    if any(token not in data["words"] for token in tokens):
        raise UnknownTextError(data["refused"].get(text, f"text: no q and k of {text!r} here"))
    return tokens, _together(data, tokens, "q"), _together(data, tokens, "k")


def _together(data: dict[str, Any], tokens: Sequence[str], name: str) -> Tensor:
    """Return q or k of tokens that stand alone, (layers, heads, time, d_head)."""
    return torch.cat([unpacked(data["words"][token][name], data["shape"]) for token in tokens], dim=2)


def pair(q: Tensor, k: Tensor) -> dict[str, str]:
    """Return q and k as the data hold them."""
    return {"q": packed(q), "k": packed(k)}


def packed(numbers: Tensor) -> str:
    """Return a tensor's numbers as one text, to six digits: a notebook gives each item of a list a line of its own."""
    return " ".join(f"{number:.6g}" for number in numbers.detach().cpu().double().flatten().tolist())


def unpacked(text: str, shape: Sequence[int]) -> Tensor:
    """Return the numbers of a text as (layers, heads, time, d_head), in float64; shape: layers, heads, d_head."""
    layers, heads, d_head = shape
    return torch.tensor([float(number) for number in text.split()], dtype=torch.float64).view(layers, heads, -1, d_head)


def _check_alone(data: dict[str, Any], text: str) -> None:
    """Raise a ValueError where a text's q and k are not those of its tokens alone."""
    tokens = CUTS[data["unit"]](text)
    for name in "qk":
        inside = unpacked(data["texts"][text][name], data["shape"])
        if not torch.allclose(inside, _together(data, tokens, name), rtol=1e-4, atol=1e-4):
            raise ValueError(f"words: expected {name} that come from a token alone, got others in {text!r}")
