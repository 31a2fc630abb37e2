"""What a language model has to beat: Kneser–Ney n-grams and compressors that were given the training text."""

import bz2
import lzma
import math

import torch
from jaxtyping import Float, Int
from torch import Tensor


def absolute_discount(counts: Int[Tensor, "n"]) -> float:
    """Return D = n₁ / (n₁ + 2 n₂) for n₁ counts that are 1 and n₂ that are 2 (Ney, Essen and Kneser 1994).

    Counts of 0 play no part. No count of 1: ValueError, for nothing would be left to unseen symbols.
    """
    ones, twos = int((counts == 1).sum()), int((counts == 2).sum())
    if ones == 0:
        raise ValueError("counts: expected at least one count of 1, got none")
    return ones / (ones + 2 * twos)


def three_discounts(counts: Int[Tensor, "n"]) -> tuple[float, float, float]:
    """Return what to take off a count of 1, of 2, and of 3 or more (Chen and Goodman 1999, section 3).

    With Y = n₁ / (n₁ + 2 n₂): 1 − 2Y n₂/n₁, which is Y itself; 2 − 3Y n₃/n₂; 3 − 4Y n₄/n₃. One that cannot be
    estimated, or is not positive, gives way to the one before it. No count of 1: ValueError, as absolute_discount.
    """
    first = absolute_discount(counts)
    n = [int((counts == r).sum()) for r in range(5)]
    second = 2 - 3 * first * n[3] / n[2] if n[2] else 0.0
    second = second if second > 0 else first
    third = 3 - 4 * first * n[4] / n[3] if n[3] else 0.0
    return first, second, third if third > 0 else second


class _Level:
    """The n-grams of one order: counts less their discount, and for every context the total and what was taken off."""

    def __init__(self, grams: Tensor, counts: Tensor, vocab_size: int, discounts: int) -> None:
        self.grams, self.counts = grams, counts.double()  # grams in ascending order, as numbers in base vocab_size
        # where nothing was seen just once the estimate would be 0, and symbols never seen impossible
        estimate = three_discounts if discounts == 3 else absolute_discount
        discount = torch.tensor(estimate(counts) if (counts == 1).any() else 0.5, dtype=torch.float64).expand(discounts)
        kind = counts.clamp(max=discounts) - 1  # which discount: with three, 0 for a count of 1, 2 for 3 or more
        self.left = (self.counts - discount[kind]).clamp(min=0)
        self.contexts, place = (grams // vocab_size).unique_consecutive(return_inverse=True)
        self.totals = torch.zeros(len(self.contexts), dtype=torch.float64).index_add_(0, place, self.counts)
        followers = torch.bincount(place * discounts + kind, minlength=len(self.contexts) * discounts)
        self.saved = (followers.view(-1, discounts) * discount).sum(-1)  # all that was taken off behind this context


def _look_up(keys: Tensor, values: Tensor, wanted: Tensor) -> Tensor:
    """Return values[i] where keys[i] == wanted, 0 where there is none; keys in ascending order."""
    place = torch.searchsorted(keys, wanted).clamp(max=len(keys) - 1)
    return torch.where(keys[place] == wanted, values[place], 0.0)


class KneserNey:
    """Interpolated Kneser–Ney (Kneser and Ney 1995; Chen and Goodman 1999, section 2.7), with discounts for each order.

    The highest order counts occurrences. Every lower one counts in how many different contexts an n-gram was seen,
    and takes over the probability that was discounted above it; below the single symbols stands 1 / vocab_size.
    order: symbols of the longest n-gram, the predicted one included; vocab_size ** order has to fit 63 bits.
    discounts: 1, the same for every count; or 3, for counts of 1, 2 and more (modified Kneser–Ney, section 3).
    Counted and looked up in float64 on the processor, wherever the tokens lie: what comes back is there, too.
    ValueError for such an order, for other discounts, for fewer tokens than the order, and for a token that is no
    symbol, 0 … vocab_size − 1.
    """

    def __init__(self, tokens: Int[Tensor, "n"], order: int, vocab_size: int, discounts: int = 1) -> None:
        if order < 1 or order * math.log2(vocab_size) >= 63:
            raise ValueError(f"order: expected 1 to {int(63 / math.log2(vocab_size))}, got {order}")
        if discounts not in (1, 3):
            raise ValueError(f"discounts: expected 1 or 3, got {discounts}")
        self.order, self.vocab_size = order, vocab_size
        tokens = self._checked(tokens, order, "order")
        self._powers = vocab_size ** torch.arange(order - 1, -1, -1)
        distinct, counts = self._grams(tokens).unique(return_counts=True)
        self.levels = [_Level(distinct, counts, vocab_size, discounts)]
        for n in range(order - 1, 0, -1):  # each distinct (n + 1)-gram is one context of the n-gram at its end
            grams, counts = (distinct % vocab_size**n).unique(return_counts=True)
            self.levels.insert(0, _Level(grams, counts, vocab_size, discounts))
            first = (tokens[:n] * self._powers[-n:]).sum(0, keepdim=True)  # the one that nothing stands before
            distinct = torch.cat([grams, first]).unique()

    def _checked(self, tokens: Tensor, least: int, called: str) -> Tensor:
        """Return tokens on the processor; ValueError for fewer than least, and for one that is no symbol."""
        tokens = tokens.cpu()
        if len(tokens) < least:
            raise ValueError(f"tokens: expected at least {called} = {least}, got {len(tokens)}")
        outside = tokens[(tokens < 0) | (tokens >= self.vocab_size)]
        if len(outside):  # it would be looked up as another n-gram
            raise ValueError(f"tokens: expected symbols from 0 to {self.vocab_size - 1}, got {outside[0].item()}")
        return tokens

    def _grams(self, tokens: Tensor) -> Tensor:
        """Return all sequences of ``order`` tokens, each as one number in base vocab_size."""
        return (tokens.unfold(0, self.order, 1) * self._powers).sum(-1)

    def _probability(self, contexts: Tensor, symbols: Tensor) -> Tensor:
        """Return p(symbol | context); contexts are numbers of order − 1 digits in base vocab_size."""
        p = torch.full(torch.broadcast_shapes(contexts.shape, symbols.shape), 1 / self.vocab_size, dtype=torch.float64)
        for n, level in enumerate(self.levels, start=1):
            context = contexts % self.vocab_size ** (n - 1)
            total = _look_up(level.contexts, level.totals, context)
            saved = _look_up(level.contexts, level.saved, context)
            left = _look_up(level.grams, level.left, context * self.vocab_size + symbols)
            seen = total > 0
            here = (left + saved * p) / total.where(seen, 1.0)
            p = torch.where(seen, here, p)  # an unseen context leaves it to the shorter one
        return p

    def log_probability(self, tokens: Int[Tensor, "n"]) -> Float[Tensor, "rest"]:
        """Return log p, in nats, of every token but the first order − 1 given the order − 1 before it.

        ValueError for fewer than order tokens, and for one that is no symbol.
        """
        grams = self._grams(self._checked(tokens, self.order, "order"))
        return self._probability(grams // self.vocab_size, grams % self.vocab_size).log()

    def next_probabilities(self, tokens: Int[Tensor, "time"]) -> Float[Tensor, "vocab"]:
        """Return the distribution of the token after these, of which the last order − 1 count.

        ValueError for fewer than those, and where one of them is no symbol.
        """
        last = self._checked(tokens[max(0, len(tokens) - self.order + 1) :], self.order - 1, "order − 1")
        context = (last * self._powers[1:]).sum()
        return self._probability(context, torch.arange(self.vocab_size))


COMPRESSORS = {
    "bz2": lambda text: len(bz2.compress(text, 9)),
    "lzma": lambda text: len(lzma.compress(text, preset=9 | lzma.PRESET_EXTREME)),
}


def compressor_bits(name: str, train: bytes, held_out: bytes) -> float:
    """Return the bits that a byte of held_out costs a compressor which has read train.

    The size of both together minus the size of train alone. name: bz2 or lzma. bz2 packs blocks of 900,000 bytes, each
    by itself: of a longer train hand over the end alone, as much as fits into one block with held_out.
    """
    if name not in COMPRESSORS:
        raise ValueError(f"name: expected {' or '.join(COMPRESSORS)}, got {name!r}")
    if not held_out:
        raise ValueError("held_out: expected at least one byte, got none")
    size = COMPRESSORS[name]
    return 8 * (size(train + held_out) - size(train)) / len(held_out)
