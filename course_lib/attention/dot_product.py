"""Scaled dot-product attention (Vaswani et al. 2017, section 3.2.1): written out, fast, and with a cache.

``scaled_dot_product_attention`` returns ``(output, weights)``; ``fast_attention`` and ``online.online_attention`` are
the same function without the weights. Masks are boolean, True = may attend.
"""

import math

import torch
from jaxtyping import Bool, Float
from torch import Tensor
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


def _without_unseen(k: Tensor, v: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    """Return k and v with zeros at the keys that no query may attend to.

    Their weights are zero, but 0 · nan is nan: what padding happens to hold must not reach the output.
    """
    unseen = ~torch.atleast_2d(mask).any(dim=-2)[..., None]  # (…, key, 1)
    return k.masked_fill(unseen, 0.0), v.masked_fill(unseen, 0.0)


def scaled_dot_product_attention(
    q: Float[Tensor, "*#batch query d_head"],
    k: Float[Tensor, "*#batch key d_head"],
    v: Float[Tensor, "*#batch key d_value"],
    mask: Bool[Tensor, "..."] | None = None,
) -> tuple[Float[Tensor, "*_ query d_value"], Float[Tensor, "*_ query key"]]:
    """Return softmax(q kᵀ / √d_head) v and the weights (Vaswani et al. 2017, equation 1).

    mask: boolean, broadcasts to (…, query, key), True = may attend. A query that may attend to no key
    gets the output 0, weights 0 and passes no gradient back. A key that no query may attend to has no effect, whatever
    it holds, nan included.
    Raises ValueError or TypeError that names the argument whose shape, dtype or device does not fit.
    """
    _check_inputs(q, k, v, mask)
    if mask is not None:
        k, v = _without_unseen(k, v, mask)
    scores = (q / math.sqrt(q.shape[-1])) @ k.transpose(-2, -1)  # (…, query, key); q kᵀ itself may overflow float16
    if mask is not None:
        scores = scores.masked_fill(~mask, torch.finfo(scores.dtype).min)
    weights = scores.softmax(dim=-1)  # each query's weights sum to 1
    if mask is not None:
        weights = weights.masked_fill(~mask, 0.0)  # changes only rows that may look nowhere
    return weights @ v, weights


# Up to so many positions storing the weights is faster on a CPU than PyTorch's fused kernel
# (benchmarks/attention/timings.py).
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

    Same arguments, same errors, and the same zeros for a query that may attend to no key and for a key that no query
    may attend to, which PyTorch leaves to the kernel that it happens to pick. causal: in place of a mask, as many
    queries as keys, each attending to itself and what came before; PyTorch's fused kernels then skip the future instead
    of masking it.
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
    mask = torch.atleast_2d(mask)  # PyTorch's kernels take none with fewer axes
    k, v = _without_unseen(k, v, mask)
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
