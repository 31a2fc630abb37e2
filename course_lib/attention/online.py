"""Attention tile by tile: the online softmax (Milakov and Gimelshein 2018; Dao et al. 2022)."""

# ruff: noqa: E741 (m, l, o are the papers' letters)

import math
from collections.abc import Iterator
from typing import Any

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.autograd.function import once_differentiable

from course_lib.attention.dot_product import _check_inputs, _without_unseen


def online_softmax_update(
    m: Float[Tensor, "*batch query"],
    l: Float[Tensor, "*batch query"],
    o: Float[Tensor, "*batch query d_value"],
    scores: Float[Tensor, "*batch query tile"],
    values: Float[Tensor, "*batch tile d_value"],
) -> tuple[Float[Tensor, "*batch query"], Float[Tensor, "*batch query"], Float[Tensor, "*batch query d_value"]]:
    """Return m, l, o after one more tile of keys (Milakov and Gimelshein 2018, algorithm 3; Dao et al. 2022).

    m: largest score so far; l: sum of exp(score − m); o: sum of exp(score − m) · value, so that o / l is the
    attention over all keys seen. Start from m = −∞, l = 0, o = 0. A score of −∞ is a forbidden key.
    """
    new_m = torch.maximum(m, scores.amax(dim=-1))
    origin = new_m.masked_fill(new_m == -torch.inf, 0.0)  # nothing allowed so far: −∞ − 0 in place of −∞ − (−∞)
    shrink = (m - origin).exp()  # what was summed against the old maximum
    weights = (scores - origin[..., None]).exp()  # (…, query, tile)
    return new_m, l * shrink + weights.sum(dim=-1), o * shrink[..., None] + weights @ values


def _tiles(q: Tensor, k: Tensor, mask: Tensor | None, tile: int) -> Iterator[tuple[slice, Tensor]]:
    """Yield the keys of each tile as a slice and the scores of all queries with them, −∞ where forbidden."""
    q = q / math.sqrt(q.shape[-1])  # before the product, which may overflow float16
    for start in range(0, k.shape[-2], tile):
        part = slice(start, start + tile)
        scores = q @ k[..., part, :].transpose(-2, -1)  # (…, query, tile)
        yield part, scores if mask is None else scores.masked_fill(~mask[..., part], -torch.inf)


class _OnlineAttention(torch.autograd.Function):
    """Attention tile by tile; the backward pass computes every tile's weights a second time."""

    @staticmethod
    def forward(ctx: Any, q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None, tile: int) -> Tensor:
        m, l = q.new_full(q.shape[:-1], -torch.inf), q.new_zeros(q.shape[:-1])
        o = q.new_zeros(*q.shape[:-1], v.shape[-1])
        for part, scores in _tiles(q, k, mask, tile):
            m, l, o = online_softmax_update(m, l, o, scores, v[..., part, :])
        nowhere = l == 0  # a query that may attend to no key
        output = o / l.masked_fill(nowhere, 1.0)[..., None]
        log_total = (m + l.log()).masked_fill(nowhere, 0.0)  # any finite number: all its scores are −∞
        ctx.save_for_backward(q, k, v, mask, output, log_total)
        ctx.tile = tile
        return output

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        q, k, v, mask, output, log_total = ctx.saved_tensors
        dq, dk, dv = torch.zeros_like(q), torch.zeros_like(k), torch.zeros_like(v)
        mean = (grad * output).sum(dim=-1, keepdim=True)  # Σ_j p_j ∂L/∂p_j of each row, without the row
        for part, scores in _tiles(q, k, mask, ctx.tile):
            weights = (scores - log_total[..., None]).exp()  # again, (…, query, tile)
            dv[..., part, :] = weights.transpose(-2, -1) @ grad
            dscores = weights * (grad @ v[..., part, :].transpose(-2, -1) - mean) / math.sqrt(q.shape[-1])
            dq += dscores @ k[..., part, :]
            dk[..., part, :] = dscores.transpose(-2, -1) @ q
        return dq, dk, dv, None, None


def online_attention(
    q: Float[Tensor, "*#batch query d_head"],
    k: Float[Tensor, "*#batch key d_head"],
    v: Float[Tensor, "*#batch key d_value"],
    mask: Bool[Tensor, "..."] | None = None,
    tile: int = 128,
) -> Float[Tensor, "*_ query d_value"]:
    """Return the output of ``scaled_dot_product_attention`` alone, without ever holding all the weights.

    Exact, not approximate: keys are taken tile at a time (Dao et al. 2022, algorithm 1, with tiles of keys alone).
    For the backward pass q, k, v, the output and one number a query are kept; the weights are computed again.
    Same arguments and errors, zero for a query that may attend to no key, no effect of a key that no query may attend
    to; gradients once, not twice.
    tile: keys at a time; less than 1: ValueError.
    """
    _check_inputs(q, k, v, mask)
    if tile < 1:
        raise ValueError(f"tile: expected at least 1 key at a time, got {tile}")
    if mask is not None:
        k, v = _without_unseen(k, v, mask)
    batch = torch.broadcast_shapes(q.shape[:-2], k.shape[:-2], v.shape[:-2])
    q, k, v = (x.expand(*batch, *x.shape[-2:]) for x in (q, k, v))  # autograd sums over what was repeated
    if mask is not None:
        mask = mask.expand(*batch, q.shape[-2], k.shape[-2])
    return _OnlineAttention.apply(q, k, v, mask, tile)


def attention_bytes(n_heads: int, T: int, d_head: int, itemsize: int = 4) -> tuple[int, int]:
    """Return the bytes kept for the backward pass by explicit and by online attention, without a mask.

    Explicit: q, k, v and all weights. Online: q, k, v, the output and one number a query. itemsize: bytes of a number.
    """
    explicit = n_heads * (3 * T * d_head + T * T) * itemsize
    online = n_heads * (4 * T * d_head + T) * itemsize
    return explicit, online
