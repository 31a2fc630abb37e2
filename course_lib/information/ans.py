"""Asymmetric numeral systems: a stack of symbols in one integer (Duda 2009)."""

import numpy as np
from jaxtyping import UInt32, UInt64

WORD = 32  # bits that go to the stack at a time


LOWEST = 1 << 31  # heads are LOWEST … LOWEST · 2^WORD − 1, so that a step never leaves 64 bits


Heads = UInt64[np.ndarray, "lanes"]


def ans_push(state: int, start: int, frequency: int, precision: int) -> int:
    """Return the state with a symbol of this interval on top (Duda 2013, the range variant, rANS).

    Its low precision bits lie in the interval. ValueError for an interval that is empty or not within 0 … 2^precision.
    """
    _check_interval(start, frequency, start + frequency, precision)
    return (state // frequency << precision) + start + state % frequency


def ans_pop(state: int, start: int, frequency: int, precision: int) -> int:
    """Return the state from which ``ans_push`` made this one; state % 2^precision says in whose interval it lies.

    ValueError where that is not this interval, or as for ``ans_push``.
    """
    _check_interval(start, frequency, start + frequency, precision)
    slot = state % (1 << precision)
    if not start <= slot < start + frequency:
        raise ValueError(f"state: expected a slot from {start} to {start + frequency - 1}, got {slot}")
    return (state >> precision) * frequency + slot - start


def _check_interval(start: int, frequency: int, end: int, precision: int) -> None:
    """Raise a ValueError for an empty interval and for one that reaches beyond the slots."""
    if frequency < 1:
        raise ValueError(f"frequency: expected at least 1, got {frequency}")
    if start < 0 or end > 1 << precision:
        raise ValueError(f"start, frequency: expected slots within 0 … 2**{precision}, got {start} … {end}")


class Message:
    """Many integers that share a stack: lane i keeps its leading bits in heads[i], the others lie in words.

    Every step is ``ans_push`` or ``ans_pop`` in the first len(start) lanes at once. A head that would grow too large
    passes its low word to the stack first, one that has become too small takes it back (Giesen 2014, *Interleaved
    entropy coders*), so that push and pop undo each other exactly, in either order.
    """

    def __init__(self, heads: Heads, words: UInt32[np.ndarray, "size"]) -> None:
        if not len(heads) or heads.min() < LOWEST or heads.max() >= LOWEST << WORD:
            says = f"got {len(heads)}" + (f" from {heads.min()} to {heads.max()}" if len(heads) else "")
            raise ValueError(f"heads: expected at least one, each from 2**31 to 2**63 − 1, {says}")
        self.heads, self._stack, self._size = heads.copy(), words.copy(), len(words)

    @property
    def words(self) -> UInt32[np.ndarray, "size"]:
        """What lies on the stack, the top last."""
        return self._stack[: self._size]

    @property
    def bits(self) -> float:
        """How long it is: 32 bits a word, and the logarithm of each head."""
        return WORD * self._size + float(np.log2(self.heads).sum())

    def push(self, start: Heads, frequency: Heads, precision: int) -> None:
        """Put a symbol on each of the first len(start) lanes; precision: at most 31. ValueError as for ``ans_push``."""
        _check_interval(int(start.min()), int(frequency.min()), int((start + frequency).max()), precision)
        heads = self.heads[: len(start)]
        full = heads >= frequency << (63 - precision)
        self._put(heads[full].astype(np.uint32))  # the low 32 bits
        quotient, remainder = np.divmod(np.where(full, heads >> WORD, heads), frequency)
        self.heads[: len(start)] = (quotient << precision) + start + remainder

    def peek(self, lanes: int, precision: int) -> Heads:
        """Return the slot, 0 … 2^precision − 1, of each of the first lanes: what is popped next lies there."""
        return self.heads[:lanes] & ((1 << precision) - 1)

    def pop(self, start: Heads, frequency: Heads, precision: int) -> None:
        """Undo ``push``. ValueError for intervals in which ``peek`` does not lie, and where words are missing."""
        offset = self.peek(len(start), precision) - start
        if (offset >= frequency).any():  # below start, too: unsigned numbers wrap round
            raise ValueError("start, frequency: expected the intervals in which the slots lie, got others")
        heads = (self.heads[: len(start)] >> precision) * frequency + offset
        low = heads < LOWEST
        heads[low] = (heads[low] << WORD) | self._take(int(low.sum()))
        self.heads[: len(start)] = heads

    def _put(self, words: UInt32[np.ndarray, "new"]) -> None:
        if self._size + len(words) > len(self._stack):
            self._stack = np.concatenate([self.words, np.empty(self._size + len(words) + 1024, np.uint32)])
        self._stack[self._size : self._size + len(words)] = words
        self._size += len(words)

    def _take(self, count: int) -> UInt32[np.ndarray, "taken"]:
        if count > self._size:
            raise ValueError(
                f"message: expected at least {count} words on the stack, got {self._size}; "
                "it needs more seed_words, or is no message of this model"
            )
        self._size -= count
        return self._stack[self._size : self._size + count]
