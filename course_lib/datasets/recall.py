"""Sequences that ask for what they told before: associative recall."""

import torch
from jaxtyping import Int
from torch import Tensor

RECALL_PAIRS, RECALL_SYMBOLS = 4, 16  # of ``associative_recall``: 16 keys, as many values, as many others


def associative_recall(
    batch: int, distance: int, generator: torch.Generator
) -> tuple[Int[Tensor, "batch time"], Int[Tensor, "batch asked"]]:
    """Return sequences to recall from and the values that they ask for.

    Four pairs of a key (0 … 15) and its value (16 … 31), distance random symbols (32 … 47), then the four keys in
    another order, each followed by its value: at the positions time − 8, time − 6, … a model has to name the value.
    """
    n, pairs = RECALL_SYMBOLS, RECALL_PAIRS
    keys = torch.rand(batch, n, generator=generator).argsort(-1)[:, :pairs]  # different ones
    values = torch.randint(n, (batch, pairs), generator=generator) + n
    filler = torch.randint(n, (batch, distance), generator=generator) + 2 * n
    order = torch.rand(batch, pairs, generator=generator).argsort(-1)
    told = torch.stack([keys, values], dim=-1).flatten(1)
    asked, answers = keys.gather(1, order), values.gather(1, order)
    return torch.cat([told, filler, torch.stack([asked, answers], dim=-1).flatten(1)], dim=1), answers
