"""Attention, its masks, multi-head attention (Vaswani et al. 2017, section 3.2) and the online softmax.

Pure functions first, one module above them; last, the same function tile by tile. The explicit functions return
``(output, weights)``; ``fast_attention`` and ``online_attention`` are the same function without the weights.
Masks are boolean, True = may attend.
"""

# ruff: noqa: E741 (m, l, o are the papers' letters)

import math
from collections.abc import Callable, Iterator
from typing import Any

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional as F


def _check_inputs(q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None) -> None:
    """Raise an error that names the argument, what came and what was expected."""
    for name, x in (("q", q), ("k", k), ("v", v)):
        if x.ndim < 2:
            raise ValueError(f"{name}: expected at least 2 axes (…, positions, features), got shape {tuple(x.shape)}")
        if not x.is_floating_point():
            raise TypeError(f"{name}: expected a floating-point tensor, got {x.dtype}")
        if x.dtype != q.dtype:
            raise TypeError(f"{name}: expected the dtype of q, {q.dtype}, got {x.dtype}")
        if x.device != q.device:
            raise ValueError(f"{name}: expected the device of q, {q.device}, got {x.device}")
    if q.shape[-1] == 0:
        raise ValueError("q: expected at least one feature, got d_head = 0")
    if k.shape[-1] != q.shape[-1]:
        raise ValueError(f"k: expected the d_head of q, {q.shape[-1]}, got {k.shape[-1]}")
    if v.shape[-2] != k.shape[-2]:
        raise ValueError(f"v: expected as many positions as k, {k.shape[-2]}, got {v.shape[-2]}")
    try:
        batch = torch.broadcast_shapes(q.shape[:-2], k.shape[:-2], v.shape[:-2])
    except RuntimeError:
        shapes = ", ".join(f"{name} {tuple(x.shape[:-2])}" for name, x in (("q", q), ("k", k), ("v", v)))
        raise ValueError(f"q, k, v: expected leading axes that broadcast, got {shapes}") from None
    if mask is None:
        return
    if mask.dtype != torch.bool:
        raise TypeError(f"mask: expected a boolean tensor, True = may attend, got {mask.dtype}")
    if mask.device != q.device:
        raise ValueError(f"mask: expected the device of q, {q.device}, got {mask.device}")
    shape = (*batch, q.shape[-2], k.shape[-2])
    fits = len(mask.shape) <= len(shape) and all(
        m in (1, s) for m, s in zip(reversed(mask.shape), reversed(shape), strict=False)
    )
    if not fits:
        raise ValueError(
            f"mask: expected a shape that broadcasts to (…, query, key) = {shape}, got {tuple(mask.shape)}"
        )


def scaled_dot_product_attention(
    q: Float[Tensor, "*#batch query d_head"],
    k: Float[Tensor, "*#batch key d_head"],
    v: Float[Tensor, "*#batch key d_value"],
    mask: Bool[Tensor, "..."] | None = None,
) -> tuple[Float[Tensor, "*_ query d_value"], Float[Tensor, "*_ query key"]]:
    """Return softmax(q kᵀ / √d_head) v and the weights (Vaswani et al. 2017, equation 1).

    mask: boolean, broadcasts to (…, query, key), True = may attend. A query that may attend to no key
    gets the output 0, weights 0 and passes no gradient back.
    Raises ValueError or TypeError that names the argument whose shape, dtype or device does not fit.
    """
    _check_inputs(q, k, v, mask)
    scores = q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1])  # (…, query, key)
    if mask is not None:
        scores = scores.masked_fill(~mask, torch.finfo(scores.dtype).min)
    weights = scores.softmax(dim=-1)  # each query's weights sum to 1
    if mask is not None:
        weights = weights.masked_fill(~mask, 0.0)  # changes only rows that may look nowhere
    return weights @ v, weights


# Up to so many positions storing the weights is faster on a CPU than PyTorch's fused kernel (benchmarks/timings.py).
_DENSE_UP_TO = {torch.bfloat16: 512}


def _dense_causal(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    """Causal attention with the weights stored: three large operations, for sequences where these are small."""
    *batch, T, d = q.shape
    future = q.new_full((T, T), -torch.inf).triu(1)
    q, k, v = (x.reshape(-1, T, x.shape[-1]) for x in (q, k, v))  # (B·H, T, d)
    scores = torch.baddbmm(future.expand(len(q), T, T), q, k.transpose(1, 2), alpha=1 / math.sqrt(d))
    return (scores.softmax(dim=-1) @ v).view(*batch, T, v.shape[-1])


def fast_attention(
    q: Float[Tensor, "*#batch query d_head"],
    k: Float[Tensor, "*#batch key d_head"],
    v: Float[Tensor, "*#batch key d_value"],
    mask: Bool[Tensor, "..."] | None = None,
    causal: bool = False,
) -> Float[Tensor, "*_ query d_value"]:
    """Return the output of ``scaled_dot_product_attention`` alone, by whatever is fastest on this device.

    Same arguments, same errors, and the same zero for a query that may attend to no key, which PyTorch leaves to
    the kernel that it happens to pick. causal: in place of a mask, as many queries as keys, each attending to
    itself and what came before; PyTorch's fused kernels then skip the future instead of masking it.
    """
    _check_inputs(q, k, v, mask)
    if causal:
        if mask is not None or q.shape[-2] != k.shape[-2]:
            got = f"{q.shape[-2]} and {k.shape[-2]}" + (" with a mask" if mask is not None else "")
            raise ValueError(f"causal: expected as many queries as keys and no mask, got {got}")
        same_batch = q.shape[:-2] == k.shape[:-2] == v.shape[:-2]
        if q.device.type == "cpu" and same_batch and q.shape[-2] <= _DENSE_UP_TO.get(q.dtype, 0):
            return _dense_causal(q, k, v)
        return F.scaled_dot_product_attention(q, k, v, is_causal=True)
    if mask is None:
        return F.scaled_dot_product_attention(q, k, v)
    nowhere = ~mask.any(dim=-1, keepdim=True)
    output = F.scaled_dot_product_attention(q, k, v, attn_mask=mask | nowhere)
    return output.masked_fill(nowhere, 0.0)


def cached_attention(
    q: Float[Tensor, "*batch 1 d_head"],
    k: Float[Tensor, "*batch 1 d_head"],
    v: Float[Tensor, "*batch 1 d_value"],
    keys: Float[Tensor, "*batch seen d_head"],
    values: Float[Tensor, "*batch seen d_value"],
) -> tuple[
    Float[Tensor, "*batch 1 d_value"], Float[Tensor, "*batch grown d_head"], Float[Tensor, "*batch grown d_value"]
]:
    """Return the newest position's output, and keys and values with its own k and v behind them.

    What causal attention over all positions gives in its last row, from what earlier steps have kept.
    ``transformer.KVCache`` does the same in memory that is set aside once.
    """
    keys, values = torch.cat([keys, k], dim=-2), torch.cat([values, v], dim=-2)
    output, _ = scaled_dot_product_attention(q, keys, values)  # no mask: nothing here lies in its future
    return output, keys, values


def causal_mask(
    n_queries: int, n_keys: int | None = None, device: torch.device | str | None = None
) -> Bool[Tensor, "query key"]:
    """Return the mask under which a query attends to itself and to what came before it.

    With more keys than queries, the queries are the last positions of the sequence, as in generation with
    a cache (``is_causal=True`` of PyTorch aligns them with the first instead). More queries than keys: ValueError.
    """
    n_keys = n_queries if n_keys is None else n_keys
    if n_queries < 0 or n_keys < n_queries:
        raise ValueError(f"n_queries: expected between 0 and n_keys = {n_keys}, got {n_queries}")
    allowed = torch.ones(n_queries, n_keys, dtype=torch.bool, device=device)
    return allowed.tril(diagonal=n_keys - n_queries)


def padding_mask(lengths: Int[Tensor, "batch"], n_keys: int) -> Bool[Tensor, "batch 1 1 key"]:
    """Return the mask of keys that are no padding: key s of sequence b if s < lengths[b].

    The two axes of one are for heads and queries. A length outside 0 … n_keys: ValueError.
    """
    outside = (lengths < 0) | (lengths > n_keys)
    if outside.any():
        raise ValueError(f"lengths: expected values from 0 to n_keys = {n_keys}, got {lengths[outside][0].item()}")
    positions = torch.arange(n_keys, device=lengths.device)
    return (positions < lengths[:, None])[:, None, None, :]


def softmax_jvp(
    weights: Float[Tensor, "*batch key"], direction: Float[Tensor, "*batch key"]
) -> Float[Tensor, "*batch key"]:
    """Return (diag(p) − p pᵀ) u for p = weights and u = direction, without building the matrix.

    The softmax's Jacobian at scores whose softmax is p is diag(p) − p pᵀ; it is symmetric, so this is
    also the backward pass of the softmax.
    """
    return weights * (direction - (weights * direction).sum(dim=-1, keepdim=True))


def dot_product_variance(d: int, mean_q: float, var_q: float, mean_k: float, var_k: float) -> float:
    """Return Var(q·k) for q, k in R^d with independent entries of these means and variances.

    Var(ab) = var_a var_b + mean_a² var_b + mean_b² var_a for independent a and b, and d such terms add up.
    """
    return d * (var_q * var_k + mean_q**2 * var_k + mean_k**2 * var_q)


def is_causal(attend: Callable[[Tensor], Tensor], x: Float[Tensor, "time d_in"]) -> bool:
    """Return whether row t of ``attend(x)`` depends on x[: t + 1] alone, for every t, found by perturbation.

    attend maps (time, d_in) to (time, d_out). All rows after t are changed at once, by far more than
    rounding; a layer that leaks fails for at least one t, unless the change happens to cancel.
    """
    before = attend(x)
    for t in range(x.shape[0] - 1):
        changed = x.clone()
        changed[t + 1 :] = 3 - 2 * x[t + 1 :]
        if not torch.allclose(attend(changed)[: t + 1], before[: t + 1], rtol=1e-9, atol=1e-9):
            return False
    return True


def split_heads(x: Float[Tensor, "batch time d_model"], n_heads: int) -> Float[Tensor, "batch heads time d_head"]:
    """Cut the last axis into n_heads pieces of equal length and move the heads in front of the time."""
    if n_heads < 1 or x.shape[-1] % n_heads:
        raise ValueError(f"n_heads: expected a divisor of d_model = {x.shape[-1]}, got {n_heads}")
    B, T, C = x.shape
    return x.reshape(B, T, n_heads, C // n_heads).transpose(1, 2)  # (B, H, T, d)


def join_heads(x: Float[Tensor, "batch heads time d_head"]) -> Float[Tensor, "batch time d_model"]:
    """Undo ``split_heads``: the heads' outputs side by side, head 0 first."""
    B, H, T, d = x.shape
    return x.transpose(1, 2).reshape(B, T, H * d)


class MultiHeadAttention(nn.Module):
    """Multi-head attention (Vaswani et al. 2017, section 3.2.2) with grouped queries (Ainslie et al. 2023).

    d_model: width C of what comes in and goes out; n_heads: heads, d_head = d_model / n_heads;
    n_kv_heads: heads of keys and values, each serving n_heads / n_kv_heads query heads in a row
    (n_heads of them when left out); bias: whether the four projections have one.
    ValueError where the heads do not divide.
    """

    def __init__(self, d_model: int, n_heads: int, n_kv_heads: int | None = None, bias: bool = False) -> None:
        super().__init__()
        n_kv_heads = n_heads if n_kv_heads is None else n_kv_heads
        if n_heads < 1 or d_model % n_heads:
            raise ValueError(f"n_heads: expected a divisor of d_model = {d_model}, got {n_heads}")
        if n_kv_heads < 1 or n_heads % n_kv_heads:
            raise ValueError(f"n_kv_heads: expected a divisor of n_heads = {n_heads}, got {n_kv_heads}")
        self.n_heads, self.n_kv_heads = n_heads, n_kv_heads
        d_kv = d_model // n_heads * n_kv_heads
        self.query = nn.Linear(d_model, d_model, bias=bias)
        self.key = nn.Linear(d_model, d_kv, bias=bias)
        self.value = nn.Linear(d_model, d_kv, bias=bias)
        self.output = nn.Linear(d_model, d_model, bias=bias)

    def project(
        self, x: Float[Tensor, "batch query d_model"], context: Float[Tensor, "batch key d_model"] | None = None
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Return q, k, v of shape (batch, n_heads, positions, d_head); a shared key head is repeated."""
        context = x if context is None else context
        for name, given in (("x", x), ("context", context)):
            if given.ndim != 3 or given.shape[-1] != self.query.in_features:
                expected = f"(batch, positions, d_model = {self.query.in_features})"
                raise ValueError(f"{name}: expected {expected}, got {tuple(given.shape)}")
        if context is x and self.query.bias is None and x.shape[1] > 1:  # one product instead of three is faster
            together = F.linear(x, torch.cat([self.query.weight, self.key.weight, self.value.weight]))
            parts = together.split([self.query.out_features, self.key.out_features, self.value.out_features], dim=-1)
        else:
            parts = self.query(x), self.key(context), self.value(context)
        q, k, v = (split_heads(p, h) for p, h in zip(parts, (self.n_heads, *[self.n_kv_heads] * 2), strict=True))
        shared = self.n_heads // self.n_kv_heads
        if shared > 1:
            k, v = (t.repeat_interleave(shared, dim=1) for t in (k, v))
        return q, k, v

    def forward(
        self,
        x: Float[Tensor, "batch query d_model"],
        context: Float[Tensor, "batch key d_model"] | None = None,
        mask: Bool[Tensor, "..."] | None = None,
    ) -> Float[Tensor, "batch query d_model"]:
        """Attend from x to context (to x itself when left out); mask broadcasts to (batch, heads, query, key)."""
        return self.output(join_heads(fast_attention(*self.project(x, context), mask)))

    def attend(
        self,
        x: Float[Tensor, "batch query d_model"],
        context: Float[Tensor, "batch key d_model"] | None = None,
        mask: Bool[Tensor, "..."] | None = None,
    ) -> tuple[Float[Tensor, "batch query d_model"], Float[Tensor, "batch heads query key"]]:
        """Return what ``forward`` returns, and the weights of every head beside it."""
        output, weights = scaled_dot_product_attention(*self.project(x, context), mask)
        return self.output(join_heads(output)), weights


# --- online softmax --------------------------------------------------------------------------------------------


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
    for start in range(0, k.shape[-2], tile):
        part = slice(start, start + tile)
        scores = q @ k[..., part, :].transpose(-2, -1) / math.sqrt(q.shape[-1])  # (…, query, tile)
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
    Same arguments, errors and zero for a query that may attend to no key; gradients once, not twice.
    tile: keys at a time; less than 1: ValueError.
    """
    _check_inputs(q, k, v, mask)
    if tile < 1:
        raise ValueError(f"tile: expected at least 1 key at a time, got {tile}")
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
