"""Pushes and pops undo each other, lengths are surprises, and a VAE's bits come back: net, the ELBO is paid."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from course_lib.information.ans import LOWEST, Message, ans_pop, ans_push
from course_lib.information.coding import ideal_bits
from course_lib.vae.bits_back import (
    start_message,
)


def u64(*numbers):
    return np.array(numbers, np.uint64)


def words(n, seed=0):
    return np.random.default_rng(seed).integers(2**32, size=n, dtype=np.uint32)


@st.composite
def intervals(draw, most=31):
    precision = draw(st.integers(1, most))
    start = draw(st.integers(0, 2**precision - 1))
    return start, draw(st.integers(1, 2**precision - start)), precision


@given(st.integers(0, 2**200), intervals(most=70))
def test_pop_undoes_push_and_push_undoes_pop(state, interval):
    start, frequency, precision = interval
    pushed = ans_push(state, *interval)
    assert start <= pushed % 2**precision < start + frequency
    assert ans_pop(pushed, *interval) == state
    state += start - state % 2**precision + state % frequency  # one that ends in a slot of this interval
    state += 2**precision * (state < 0)
    assert ans_push(ans_pop(state, *interval), *interval) == state


def test_steps_by_hand():
    # 10 = 3 · 3 + 1: three whole turns of 8 slots, then slot 2 + 1
    assert ans_push(10, 2, 3, 3) == 3 * 8 + 2 + 1 == 27
    assert ans_pop(27, 2, 3, 3) == 3 * (27 // 8) + (27 % 8 - 2) == 10
    # fair bits are appended in binary: 1, then 1, 0, 1
    state = 1
    for bit in (1, 0, 1):
        state = ans_push(state, bit, 1, 1)
    assert state == 0b1101


@given(st.lists(st.sampled_from([(0, 0), (0, 1), (1, 0), (1, 1), (1, 2)]), max_size=60))
def test_the_length_grows_by_the_surprise_of_every_symbol(message):
    """Against chapter 01's ideal code length, for two alphabets that take turns."""
    tables = ([60_000, 5_536], [1, 5, 65_530])
    state = 2**40
    for table, symbol in message:
        state = ans_push(state, sum(tables[table][:symbol]), tables[table][symbol], 16)
    expected = ideal_bits([s for _, s in message], lambda past: tables[message[len(past)][0]])
    assert math.log2(state) - 40 == pytest.approx(expected, abs=1e-3)


@pytest.mark.parametrize("step", [ans_push, ans_pop])
def test_intervals_that_hold_no_slot_or_leave_the_range_are_named(step):
    with pytest.raises(ValueError, match="frequency: expected at least 1, got 0"):
        step(10, 2, 0, 3)
    with pytest.raises(ValueError, match=r"start, frequency: expected slots within 0 … 2\*\*3, got 6 … 9"):
        step(10, 6, 3, 3)
    with pytest.raises(ValueError, match="got -1 … 2"):
        step(10, -1, 3, 3)


def test_a_state_with_another_symbol_on_top_is_named():
    for state, slot in ((24 + 1, 1), (24 + 5, 5)):
        with pytest.raises(ValueError, match=f"state: expected a slot from 2 to 4, got {slot}"):
            ans_pop(state, 2, 3, 3)


class Reference:
    """The same lanes with Python's integers, one after the other; only the steps are the library's."""

    def __init__(self, message):
        self.heads, self.stack = message.heads.tolist(), message.words.tolist()

    def push(self, intervals, precision):
        for lane, (start, frequency) in enumerate(intervals):
            while ans_push(self.heads[lane], start, frequency, precision) >= 2**63:
                self.stack.append(self.heads[lane] % 2**32)
                self.heads[lane] //= 2**32
        for lane, (start, frequency) in enumerate(intervals):
            self.heads[lane] = ans_push(self.heads[lane], start, frequency, precision)


@given(st.lists(st.tuples(st.integers(1, 31), st.lists(st.tuples(*[st.integers(0)] * 2), min_size=1, max_size=3))))
def test_lanes_are_the_one_integer_step_with_words_moved_away(program):
    """Any number of lanes a step, any precision; popped again, everything is as it was."""
    message = start_message(words(5), 3)
    reference, done = Reference(message), []
    for precision, numbers in program:
        pairs = [(a % 2**precision, 1 + b % (2**precision - a % 2**precision)) for a, b in numbers]
        arrays = [u64(*column) for column in zip(*pairs, strict=True)]
        message.push(*arrays, precision)
        reference.push(pairs, precision)
        assert message.heads.tolist() == reference.heads
        assert message.words.tolist() == reference.stack
        slots = message.peek(len(pairs), precision)
        assert all(s <= slot < s + f for slot, (s, f) in zip(slots.tolist(), pairs, strict=True))
        done.append((*arrays, precision))
    for step in reversed(done):
        message.pop(*step)
    assert message.heads.tolist() == start_message(words(5), 3).heads.tolist()
    assert message.words.tolist() == words(5)[3:].tolist()


@given(st.lists(st.integers(1, 31), max_size=30), st.integers(0, 99))
def test_what_is_popped_from_random_bits_is_pushed_back(precisions, seed):
    """The other order, that bits back needs: first a draw, then its place is filled again."""
    message, done = start_message(words(100, seed), 3), []
    rng = np.random.default_rng(seed)
    for precision in precisions:
        slots = message.peek(3, precision)
        start = (slots * rng.random(3)).astype(np.uint64)
        frequency = slots - start + np.uint64(1)
        message.pop(start, frequency, precision)
        assert (message.heads >= LOWEST).all()
        done.append((start, frequency, precision))
    for step in reversed(done):
        message.push(*step)
    assert message.heads.tolist() == start_message(words(100, seed), 3).heads.tolist()
    assert message.words.tolist() == words(100, seed)[3:].tolist()


def test_lanes_cost_the_entropy():
    """A million symbols of three kinds, in their own proportions: at most one part in 100,000 is lost to rounding."""
    table, lanes = u64(6_000, 59_000, 536), 1024
    symbols = np.random.default_rng(0).permutation(np.repeat([0, 1, 2], table.astype(int) * 25))
    starts = np.cumsum(table) - table
    message = start_message(words(lanes), lanes)
    before = message.bits
    for column in symbols.reshape(-1, lanes):
        message.push(starts[column], table[column], 16)
    p = table / 65_536
    entropy = -(p * np.log2(p)).sum()
    assert (message.bits - before) / symbols.size == pytest.approx(entropy, rel=1e-5)
    assert len(message.words) * 32 == pytest.approx(symbols.size * entropy, abs=32 * lanes)  # the heads hold the others


def test_messages_that_cannot_be_are_named():
    for heads in (u64(LOWEST - 1), u64(LOWEST, 2**63), u64()):
        with pytest.raises(ValueError, match=r"heads: expected at least one, each from 2\*\*31 to 2\*\*63 − 1, got"):
            Message(heads, words(0))
    message = Message(u64(LOWEST, 2**62), words(1))
    with pytest.raises(ValueError, match="frequency: expected at least 1, got 0"):
        message.push(u64(0, 1), u64(5, 0), 4)
    with pytest.raises(ValueError, match=r"expected slots within 0 … 2\*\*4, got 3 … 18"):
        message.push(u64(3, 9), u64(5, 9), 4)
    message = Message(u64(LOWEST, 2**62 + 3), words(1))
    for start, frequency in ((1, 3), (0, 3)):  # the slots are 0 and 3: one below, one just above
        with pytest.raises(ValueError, match="start, frequency: expected the intervals in which the slots lie"):
            message.pop(u64(start, start), u64(frequency, frequency), 4)
    assert message.heads.tolist() == [LOWEST, 2**62 + 3]
    with pytest.raises(ValueError, match="message: expected at least 2 words on the stack, got 1; it needs more seed"):
        Message(u64(LOWEST, LOWEST), words(1)).pop(u64(0, 0), u64(1, 1), 4)
