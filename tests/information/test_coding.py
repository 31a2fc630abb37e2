"""The arithmetic coder gives back what went in, in as many bits as the model is surprised."""

import itertools
import math
import zlib
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from course_lib.information.coding import QUARTER, WHOLE, decode, encode, ideal_bits, narrow

tables = st.lists(st.integers(0, 2**16), min_size=1, max_size=9).filter(any)


@st.composite
def messages(draw, table=tables, longest=60):
    """Symbols and as many tables, each of which thinks its symbol possible; alphabets may differ in size."""
    used = draw(st.lists(table, max_size=longest))
    return [draw(st.sampled_from([s for s, f in enumerate(t) if f])) for t in used], used


def by_position(used):
    return lambda past: used[len(past)]


@given(messages())
def test_any_message_under_any_tables_comes_back(message):
    symbols, used = message
    bits = encode(symbols, by_position(used))
    assert set(bits) <= {0, 1}
    assert decode(bits, len(symbols), by_position(used)) == symbols


@given(messages())
def test_the_length_is_the_ideal_one_and_at_most_two_bits(message):
    symbols, used = message
    rounding = len(symbols) * max((sum(t) for t in used), default=0) / 2**29
    excess = len(encode(symbols, by_position(used))) - ideal_bits(symbols, by_position(used))
    assert -rounding - 1e-9 <= excess <= 2 + rounding + 1e-9


@given(messages(st.sampled_from([[1, QUARTER - 1], [QUARTER - 1, 1], [QUARTER], [0, QUARTER // 2, 1, 5], [1, 2, 1]])))
def test_the_largest_totals_and_symbols_that_are_nearly_certain_come_back(message):
    symbols, used = message
    assert decode(encode(symbols, by_position(used)), len(symbols), by_position(used)) == symbols


eighths = st.sampled_from([[1, 3, 4], [7, 1], [2, 5, 0, 1], [8], [0, 3, 5]])


@given(messages(eighths, longest=8))
def test_the_bits_name_a_part_of_the_interval_that_fractions_find(message):
    """Against the definition, without any renormalisation; eight cuts into eighths are exact in 32 bits too."""
    symbols, used = message
    low, width = Fraction(0), Fraction(1)
    for s, t in zip(symbols, used, strict=True):
        low += width * Fraction(sum(t[:s]), 8)
        width *= Fraction(t[s], 8)
    bits = encode(symbols, by_position(used))
    number = Fraction(int("0" + "".join(map(str, bits)), 2), 2 ** len(bits))
    assert low <= number
    assert number + Fraction(1, 2 ** len(bits)) <= low + width  # whatever bits may follow


def test_a_model_that_learns_while_it_codes():
    text = list(b"abracadabra, said the magician, abracadabra" * 20)

    def adaptive(past):
        table = [1] * 256
        for symbol in past:
            table[symbol] += 32
        return table

    bits = encode(text, adaptive)
    assert bytes(decode(bits, len(text), adaptive)) == bytes(text)
    assert len(bits) < len(text) * 4.5


def test_one_symbol_by_hand():
    # 1/4 of the interval at its low end is 00…: two bits to name it, and the coder's two to close
    assert encode([0], lambda past: [1, 3]) == [0, 0, 0, 1]
    # 0 … 1/2, then 1/4 … 1/2: the bits 01, closed by 01
    assert encode([0, 1], lambda past: [1, 1]) == [0, 1, 0, 1]


def test_narrow_by_hand_and_its_parts_touch():
    assert narrow(0, 99, [1, 2, 1], 1) == (25, 74)
    for low, high, table in ((0, WHOLE - 1, [3, 5, 7]), (QUARTER - 1, 2 * QUARTER, [1, 0, 10**9 // 2, 11])):
        parts = [narrow(low, high, table, s) for s in range(len(table))]
        assert parts[0][0] == low
        assert parts[-1][1] == high
        assert all(a[1] + 1 == b[0] for a, b in itertools.pairwise(parts))
        assert [b < a for a, b in parts] == [f == 0 for f in table]


def test_random_bytes_do_not_get_shorter_and_repeats_do():
    import random

    noise = random.Random(0).choices(range(256), k=2000)
    assert len(encode(noise, lambda past: [1] * 256)) >= 16_000
    repeats = [0] * 2000
    assert len(encode(repeats, lambda past: [999, 1])) == math.ceil(2000 * math.log2(1000 / 999) + 2) - 1
    assert len(zlib.compress(bytes(noise))) >= 2000  # the same law for everybody's compressor


def test_no_symbols_are_no_bits():
    assert encode([], lambda past: [1]) == []
    assert decode([], 0, lambda past: [1]) == []
    assert ideal_bits([], lambda past: [1]) == 0.0


def test_what_the_model_excludes_has_no_code():
    model = lambda past: [3, 0, 1]
    assert ideal_bits([0, 1], model) == math.inf
    with pytest.raises(ValueError, match=r"symbols: expected such as the model .* above 0, got 1 at position 1"):
        encode([0, 1], model)
    with pytest.raises(ValueError, match="got 3 at position 0"):
        encode([3], model)
    with pytest.raises(ValueError, match="got -1 at position 0"):
        encode([-1], model)
    for outside in (3, -1):  # −1 would be the last symbol
        with pytest.raises(ValueError, match=f"symbols: expected 0 to 2, got {outside} at position 1"):
            ideal_bits([0, outside], model)


@pytest.mark.parametrize("table", [[], [0, 0], [2, -1], [QUARTER, 1]])
def test_tables_that_cannot_cut_an_interval_are_named(table):
    with pytest.raises(ValueError, match=r"model: expected frequencies of at least 0 with a sum from 1 to 2\*\*30"):
        encode([0], lambda past: table)
    with pytest.raises(ValueError, match="model: expected frequencies"):
        decode([0, 1], 1, lambda past: table)
    with pytest.raises(ValueError, match="n: expected a number of symbols, got -1"):
        decode([], -1, lambda past: [1])


@settings(max_examples=50)
@given(messages(longest=20), st.lists(st.integers(0, 1), max_size=80))
def test_foreign_bits_decode_to_something_without_an_error(message, bits):
    symbols, used = message
    found = decode(bits, len(symbols), by_position(used))
    assert all(t[s] > 0 for s, t in zip(found, used, strict=True))
