"""Recall without training: one look-up by content, written down by hand."""

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional as F


def look_up(tokens: Int[Tensor, "time"], n_symbols: int, score: float) -> Float[Tensor, "time n_symbols"]:
    """Return what each position finds when it asks for the symbol that followed its own symbol earlier.

    Position t compares its symbol with the one before each position s ≤ t: score where they are equal, else 0. The
    softmax of these scores weighs the symbols at s, as vectors of zeros and a one.
    """
    symbols = F.one_hot(tokens, n_symbols).double()  # (T, V): what is asked for, and what is found
    before = F.pad(symbols[:-1], (0, 0, 1, 0))  # (T, V): the symbol before each position; none before the first
    scores = score * symbols @ before.T  # (T, T)
    future = torch.ones(scores.shape, dtype=torch.bool).triu(1)
    return scores.masked_fill(future, -torch.inf).softmax(-1) @ symbols
