"""An arithmetic coder: symbols to bits and back, in as many bits as a model is surprised.

A model is a function from the symbols so far to a table of integer frequencies, one a symbol of the alphabet; the
encoder and the decoder call it with the same past and so see the same tables. The coder keeps the current interval
of code words as two 32-bit integers and passes on the leading bits as soon as they are certain, after Witten, Neal
and Cleary 1987, *Arithmetic coding for data compression*. All arithmetic is on integers, hence exact.
"""

import math
from bisect import bisect_right
from collections.abc import Callable, Sequence
from itertools import accumulate

BITS = 32


WHOLE, HALF, QUARTER = 1 << BITS, 1 << (BITS - 1), 1 << (BITS - 2)


Model = Callable[[Sequence[int]], Sequence[int]]


def narrow(low: int, high: int, frequencies: Sequence[int], symbol: int) -> tuple[int, int]:
    """Return the part of the integers low … high, both included, that belongs to symbol.

    The interval is cut in proportion to the frequencies, symbol 0 lowest; the parts touch and do not overlap.
    """
    width, total = high - low + 1, sum(frequencies)
    before = sum(frequencies[:symbol])
    after = before + frequencies[symbol]
    return low + width * before // total, low + width * after // total - 1


def _check_table(frequencies: Sequence[int]) -> None:
    """Raise a ValueError for a table that 32-bit intervals cannot be cut by."""
    total = sum(frequencies)
    if not 0 < total <= QUARTER or min(frequencies) < 0:
        raise ValueError(
            f"model: expected frequencies of at least 0 with a sum from 1 to 2**{BITS - 2}, "
            f"got a minimum of {min(frequencies, default=0)} and a sum of {total}"
        )


def _certain(low: int, high: int) -> int | None:
    """Return what can be taken off both ends alike: 0 or HALF for a bit that is certain, QUARTER for one that
    straddles the middle, None where the interval is wide enough."""
    if high < HALF:
        return 0
    if low >= HALF:
        return HALF
    if low >= QUARTER and high < HALF + QUARTER:
        return QUARTER
    return None


def encode(symbols: Sequence[int], model: Model) -> list[int]:
    """Return the bits, each 0 or 1, from which ``decode`` rebuilds the symbols under the same model.

    Their number is at most 2 more than ``ideal_bits``, plus n · total / 2**29 for the rounding of n symbols.
    ValueError for a symbol outside the table or of frequency 0, and for a table that is not usable.
    """
    low, high, straddling = 0, WHOLE - 1, 0
    bits: list[int] = []
    past: list[int] = []
    for symbol in symbols:
        frequencies = model(past)
        _check_table(frequencies)
        if not 0 <= symbol < len(frequencies) or not frequencies[symbol]:
            says = f"got {symbol} at position {len(past)}"
            raise ValueError(f"symbols: expected such as the model gives a frequency above 0, {says}")
        low, high = narrow(low, high, frequencies, symbol)
        past.append(symbol)
        while (offset := _certain(low, high)) is not None:
            if offset == QUARTER:
                straddling += 1  # the next certain bit decides this one: it is its opposite
            else:
                bit = int(offset == HALF)
                bits += [bit, *[1 - bit] * straddling]
                straddling = 0
            low, high = 2 * (low - offset), 2 * (high - offset) + 1
    if not past:
        return []
    last = int(low >= QUARTER)  # a quarter that lies within low … high, named by two bits
    return [*bits, last, *[1 - last] * (straddling + 1)]


def decode(bits: Sequence[int], n: int, model: Model) -> list[int]:
    """Return the n symbols that ``encode`` turned into these bits under the same model.

    ValueError for a negative n and for a table that is not usable. Bits of another model give other symbols.
    """
    if n < 0:
        raise ValueError(f"n: expected a number of symbols, got {n}")
    stream = iter(bits)
    low, high, code = 0, WHOLE - 1, 0
    for _ in range(BITS):
        code = 2 * code + next(stream, 0)  # past the end come zeros
    symbols: list[int] = []
    for _ in range(n):
        frequencies = model(symbols)
        _check_table(frequencies)
        symbol = _find(low, high, frequencies, code)
        symbols.append(symbol)
        low, high = narrow(low, high, frequencies, symbol)
        while (offset := _certain(low, high)) is not None:
            low, high = 2 * (low - offset), 2 * (high - offset) + 1
            code = 2 * (code - offset) + next(stream, 0)
    return symbols


def _find(low: int, high: int, frequencies: Sequence[int], code: int) -> int:
    """Return the symbol in whose part of low … high the number code lies."""
    place = ((code - low + 1) * sum(frequencies) - 1) // (high - low + 1)
    return bisect_right(list(accumulate(frequencies)), place)


def ideal_bits(symbols: Sequence[int], model: Model) -> float:
    """Return Σ −log2 of the probability that the model gives to each symbol: the length of an ideal code, in bits.

    Infinite where the model gives a symbol the frequency 0. ValueError for a symbol outside the table.
    """
    total = 0.0
    past: list[int] = []
    for symbol in symbols:
        frequencies = model(past)
        if not 0 <= symbol < len(frequencies):
            raise ValueError(f"symbols: expected 0 to {len(frequencies) - 1}, got {symbol} at position {len(past)}")
        total += math.log2(sum(frequencies) / frequencies[symbol]) if frequencies[symbol] else math.inf
        past.append(symbol)
    return total
