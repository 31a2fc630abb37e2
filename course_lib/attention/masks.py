"""Masks of attention, boolean, True = may attend, and a test of causality by perturbation."""

from collections.abc import Callable

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor


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


def is_causal(attend: Callable[[Tensor], Tensor], x: Float[Tensor, "time d_in"]) -> bool:
    """Return whether row t of ``attend(x)`` depends on x[: t + 1] alone, for every t, found by perturbation.

    attend maps (time, d_in) to (time, d_out). All rows after t are changed at once, each number by its own large
    random one, always the same ones; a layer that leaks fails for at least one t, unless the change happens to cancel.
    """
    before = attend(x)
    generator = torch.Generator().manual_seed(0)  # lives on the CPU, so that the numbers are the same on every device
    change = 10 * torch.randn(x.shape, generator=generator, dtype=x.dtype).to(x.device)
    for t in range(x.shape[0] - 1):
        changed = x.clone()
        changed[t + 1 :] += change[t + 1 :]
        if not torch.allclose(attend(changed)[: t + 1], before[: t + 1], rtol=1e-9, atol=1e-9):
            return False
    return True
