"""Tables of what follows k characters: counted as a message goes on, or counted once; and a text drawn from one."""

import math
from bisect import bisect

import torch
from jaxtyping import Float, Int
from torch import Tensor

SYMBOLS = 65  # of Shakespeare


def context_counts(past: Int[Tensor, "n"], k: int, symbols: int) -> Int[Tensor, "symbols"]:
    """Return 1 for each symbol, and 1 more whenever it came after the last k symbols of past, earlier in past.

    k = 0: every symbol of past counts. While past has no more than k symbols nothing was seen: all ones.
    """
    table = torch.ones(symbols, dtype=torch.long, device=past.device)
    if len(past) > k:
        windows = past.unfold(0, k + 1, 1)  # (n - k, k + 1): k symbols and the one after them
        same = (windows[:, :k] == past[len(past) - k :]).all(-1)
        table += torch.bincount(windows[same, k], minlength=symbols)
    return table


def runs_of(tokens: Int[Tensor, "n"], k: int) -> Int[Tensor, "runs"]:
    """Return every run of k + 1 characters as one number, its digits in base 65."""
    return (tokens.unfold(0, k + 1, 1) * SYMBOLS ** torch.arange(k, -1, -1)).sum(-1)


def times_seen(known: Int[Tensor, "n"], asked: Int[Tensor, "m"]) -> Float[Tensor, "m"]:
    """Return how often each number of asked occurs in known."""
    keys, counts = known.unique(return_counts=True)
    place = torch.searchsorted(keys, asked).clamp(max=len(keys) - 1)
    return torch.where(keys[place] == asked, counts[place], 0).double()


def context_bits(train: Int[Tensor, "n"], test: Int[Tensor, "m"], k: int, extra: float = 0.01) -> float:
    """Return the mean surprise in bits of test, all but its first k characters, by counts of train after k.

    Every count gets extra more; after a context that train does not have, all characters are equally likely.
    """
    known, asked = runs_of(train, k), runs_of(test, k)
    runs, contexts = times_seen(known, asked), times_seen(known // SYMBOLS, asked // SYMBOLS)
    return -((runs + extra) / (contexts + SYMBOLS * extra)).log2().mean().item()


def unseen_contexts(train: Int[Tensor, "n"], test: Int[Tensor, "m"], k: int) -> float:
    """Return the share of the contexts of k ≥ 1 characters in test that train does not have."""
    known, asked = runs_of(train[:-1], k - 1), runs_of(test[:-1], k - 1)
    return (times_seen(known, asked) == 0).double().mean().item()


def source_entropy(table: Float[Tensor, "symbols symbols"]) -> float:
    """Return the bits a character of a text whose every character is drawn from the row of the one before.

    Each row's entropy is weighted by how often its character comes in the long run.
    """
    share = torch.full((len(table),), 1 / len(table), dtype=table.dtype)
    for _ in range(500):
        share = share @ table  # until it no longer changes
    return (share @ torch.special.entr(table).sum(-1)).item() / math.log(2)


def draw_text(table: Float[Tensor, "symbols symbols"], length: int, seed: int) -> Int[Tensor, "length_and_1"]:
    """Return a text of which each character is drawn from the row of the one before; symbol 0 begins."""
    chance = torch.rand(length, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
    limits, drawn = table.cumsum(-1).tolist(), [0]
    for u in chance.tolist():
        drawn.append(min(bisect(limits[drawn[-1]], u), len(table) - 1))
    return torch.tensor(drawn)
