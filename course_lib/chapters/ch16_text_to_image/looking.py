"""What the places of a picture look at: one head of cross-attention written out, and the symbols' own attention."""

import math

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from course_lib.attention.captioned import CaptionedTransformer


def look_at_words(
    places: Float[Tensor, "batch places channels"],
    words: Float[Tensor, "batch words d_text"],
    there: Bool[Tensor, "batch words"],
    w_q: Float[Tensor, "channels d"],
    w_k: Float[Tensor, "d_text d"],
    w_v: Float[Tensor, "d_text e"],
) -> tuple[Float[Tensor, "batch places e"], Float[Tensor, "batch places words"]]:
    """Return what each place finds among the words, and how much it looks at each (Rombach et al. 2022, section 3.3).

    there: True for the words of the caption, False where it is filled up; every caption has one at least.
    """
    q, k, v = places @ w_q, words @ w_k, words @ w_v
    scores = q @ k.transpose(1, 2) / math.sqrt(q.shape[-1])  # (batch, places, words)
    weights = scores.masked_fill(~there[:, None], -torch.inf).softmax(dim=-1)
    return weights @ v, weights


@torch.no_grad()
def looks_of_symbols(
    model: CaptionedTransformer, captions: Int[Tensor, "batch length"], symbols: Int[Tensor, "batch places"]
) -> Float[Tensor, "batch words places"]:
    """Return how much each place, when its symbol is drawn, looks at each word: the mean over layers and heads."""
    read = torch.cat([model.read(captions), symbols[:, :-1]], dim=1)
    queries, keys = model.queries_and_keys(read)  # (layers, batch, heads, time, d)
    scores = queries @ keys.transpose(-1, -2) / math.sqrt(queries.shape[-1])
    before = torch.ones(scores.shape[-2:], dtype=torch.bool, device=scores.device).tril()
    weights = scores.masked_fill(~before, -torch.inf).softmax(-1).mean((0, 2))  # (batch, time, time)
    return weights[:, model.length - 1 :, : model.length].transpose(1, 2)


def share_of_map(one: Float[Tensor, "height wide"]) -> Float[Tensor, "height wide"]:
    """Return a map of weights as shares of its largest one."""
    return one / one.max().clamp(min=1e-9)
