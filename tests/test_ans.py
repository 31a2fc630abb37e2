"""Pushes and pops undo each other, lengths are surprises, and a VAE's bits come back: net, the ELBO is paid."""

import math
from statistics import NormalDist

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from course_lib.ans import (
    BINS,
    CENTRES,
    LOWEST,
    Message,
    ans_pop,
    ans_push,
    compress,
    decompress,
    find_bin,
    gaussian_cdf,
    start_message,
    zero_slots,
)
from course_lib.coding import ideal_bits
from course_lib.data import binarise, load_digits
from course_lib.vae import fully_connected_vae


def u64(*numbers):
    return np.array(numbers, np.uint64)


def words(n, seed=0):
    return np.random.default_rng(seed).integers(2**32, size=n, dtype=np.uint32)


@st.composite
def intervals(draw, most=31):
    precision = draw(st.integers(1, most))
    start = draw(st.integers(0, 2**precision - 1))
    return start, draw(st.integers(1, 2**precision - start)), precision


# --- one step ----------------------------------------------------------------------------------------------------


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


# --- lanes -------------------------------------------------------------------------------------------------------


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


# --- symbols -----------------------------------------------------------------------------------------------------


def test_pixels_have_the_slots_of_their_probability_and_never_none():
    assert zero_slots(np.array([0.0, 40.0, -40.0, 800.0, -800.0, math.log(3)])).tolist() == [
        *(32_768, 1, 65_535, 1, 65_535, 16_384)
    ]
    logits = np.linspace(-12, 12, 999).reshape(3, 333)
    p = 1 / (1 + np.exp(logits))
    assert np.abs(zero_slots(logits) - 65_536 * p).max() <= 1


POSTERIORS = [
    (0.0, 1.0),
    (0.3, 0.05),
    (-2.7, 1e-4),
    (4.5, 0.3),
    (-60.0, 0.1),
    (0.01, 30.0),
    (1e3, 1e-30),
    (0.0, 1e-300),
]


@pytest.mark.parametrize(("mu", "std"), POSTERIORS)
def test_bins_share_all_slots_by_their_mass_and_none_is_empty(mu, std):
    bins = np.arange(BINS + 1)
    cdf = gaussian_cdf(bins, np.full(BINS + 1, mu), np.full(BINS + 1, std)).astype(np.int64)
    assert (cdf[0], cdf[-1]) == (0, 2**24)
    assert np.diff(cdf).min() >= 1
    prior, q = NormalDist(), NormalDist(mu, std)
    below = np.array([0, *(q.cdf(prior.inv_cdf(i / BINS)) for i in range(1, BINS)), 1])
    assert np.abs(np.diff(cdf) - 1 - np.diff(below) * (2**24 - BINS)).max() < 1.01


def test_z_is_the_median_of_its_bin_under_the_prior():
    shares = [NormalDist().cdf(z) * BINS for z in CENTRES.tolist()]
    assert shares == pytest.approx([i + 0.5 for i in range(BINS)], abs=1e-9)


@pytest.mark.parametrize(("mu", "std"), POSTERIORS)
def test_bisection_finds_the_bin_that_the_whole_table_says(mu, std):
    table = gaussian_cdf(np.arange(BINS + 1), np.full(BINS + 1, mu), np.full(BINS + 1, std))
    slots = np.concatenate([table[:-1], table[1:] - np.uint64(1), words(500) >> np.uint32(8)]).astype(np.uint64)
    found = find_bin(slots, np.full(len(slots), mu), np.full(len(slots), std))
    assert np.array_equal(found, np.searchsorted(table, slots, side="right") - 1)


# --- bits back ---------------------------------------------------------------------------------------------------


def random_vae(seed=0, latent=8, scale=1.0):
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = fully_connected_vae(latent, hidden=32, layers=1)
    for parameter in model.parameters():
        parameter.data *= scale
    return model


def random_images(n, seed=0):
    return torch.rand(n, 784, generator=torch.Generator().manual_seed(seed)).round()


@pytest.mark.parametrize(("n", "lanes", "scale"), [(7, 3, 1.0), (6, 2, 20.0), (1, 4, 0.1), (2, 1, 20.0)])
def test_images_and_seed_words_come_back(n, lanes, scale):
    """Whole groups, a last one that is smaller, fewer images than lanes; a scale of 20 gives logits beyond ±40."""
    model, images, random_words = random_vae(scale=scale), random_images(n), words(lanes * 9)
    message = compress(model, images, random_words, lanes)
    heads, stack = message.heads.tolist(), message.words.tolist()
    for _ in range(2):
        found, rest = decompress(model, message, n)
        assert torch.equal(found, images)
        assert np.array_equal(rest, random_words)
        assert (message.heads.tolist(), message.words.tolist()) == (heads, stack)


def test_extreme_logits_come_back_whatever_the_pixels():
    model = random_vae()
    model.decoder[-1].weight.data.zero_()
    model.decoder[-1].bias.data = 40 * (-1.0) ** torch.arange(784)
    images = torch.cat([random_images(5), (model.decoder[-1].bias > 0).float()[None]])
    message = compress(model, images, words(54), lanes=6)
    assert torch.equal(decompress(model, message, 6)[0], images)
    wrong = (images != images[-1]).sum().item()  # 16 bits for each of these, next to nothing for the others
    assert message.bits - start_message(words(54), 6).bits == pytest.approx(16 * wrong, rel=0.02)


def test_the_networks_see_the_same_inputs_in_the_same_shapes(monkeypatch):
    model, calls = random_vae(), []
    for name in ("encode", "decode"):
        method = getattr(model, name)
        monkeypatch.setattr(model, name, lambda x, name=name, method=method: (calls.append((name, x)), method(x))[1])
    message = compress(model, random_images(7), words(27), lanes=3)
    there, back = list(calls), calls.clear()
    decompress(model, message, 7)
    back = calls[::-1]
    assert [(name, tuple(x.shape)) for name, x in there] == [
        (name, (n, size)) for n in (3, 3, 1) for name, size in (("encode", 784), ("decode", 8))
    ]
    assert all(
        a == b and torch.equal(x, y) and x.stride() == y.stride() for (a, x), (b, y) in zip(there, back, strict=True)
    )


def test_a_model_in_float64_codes_as_well():
    model = random_vae().double()
    message = compress(model, random_images(4), words(18), lanes=2)
    assert torch.equal(decompress(model, message, 4)[0], random_images(4))


@pytest.fixture(scope="module")
def trained():
    """A VAE after 300 quick steps on 2,000 digits, and 300 others."""
    generator = torch.Generator().manual_seed(0)
    digits = load_digits()
    train = binarise(digits.train[:2000], generator).flatten(1)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = fully_connected_vae(16, hidden=128, layers=1)
    optimizer = torch.optim.Adam(model.parameters(), 3e-3)
    for _ in range(300):
        x = train[torch.randint(len(train), (100,), generator=generator)]
        loss = -model.elbo(x, torch.randn(100, 16, generator=generator))[0].mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return model, binarise(digits.validation[:300], generator).flatten(1)


def test_the_net_length_is_the_negative_elbo(trained):
    model, images = trained
    with torch.no_grad():
        eps = torch.randn(300, 16, generator=torch.Generator().manual_seed(1))
        elbo, recon, _ = (part.mean().item() / math.log(2) for part in model.elbo(images, eps))
    random_words = words(64 * 17)
    message = compress(model, images, random_words, lanes=64)
    net = (message.bits - start_message(random_words, 64).bits) / 300
    assert net == pytest.approx(-elbo, rel=0.02)
    assert net < 0.7 * (-recon + 16 * 12)  # what it would be without the bits that come back
    assert torch.equal(decompress(model, message, 300)[0], images)


def test_damaged_and_foreign_messages_are_refused(trained, unchecked):
    model, images = trained
    images = images[:40]
    message = compress(model, images, words(16 * 17), lanes=16)
    refused = "message: expected"
    with pytest.raises(ValueError, match=refused):
        decompress(random_vae(1, latent=16), message, 40)
    with pytest.raises(ValueError, match=refused):
        decompress(model, message, 41)
    with pytest.raises(ValueError, match=refused):
        decompress(model, message, 39)
    with pytest.raises(ValueError, match="message: expected at least"):
        decompress(model, Message(message.heads, message.words[-20:]), 40)
    for place in (*range(0, len(message.words), 29), -1):
        damaged = message.words.copy()
        damaged[place] ^= 1 << 9
        with pytest.raises(ValueError, match=refused):
            decompress(model, Message(message.heads, damaged), 40)
    heads = message.heads.copy()
    heads[3] ^= np.uint64(1 << 40)
    with pytest.raises(ValueError, match=refused):
        decompress(model, Message(heads, message.words), 40)


def broken(part, value):
    model = random_vae()
    getattr(model, part)[-1].bias.data.fill_(value)
    return model


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"images": torch.full((2, 784), 0.5)}, r"images: expected pixels that are 0 or 1, got 0\.5"),
        ({"images": torch.full((2, 784), math.nan)}, "images: expected pixels that are 0 or 1, got nan"),
        ({"images": torch.zeros(0, 784)}, r"images: expected a batch \(n, 784\) of at least one, got \(0, 784\)"),
        ({"images": torch.zeros(2, 783)}, r"images: expected a batch .* got \(2, 783\)"),
        ({"lanes": 0}, "lanes, seed_words: expected at least 1 lane and a word for each, got 0 and 18"),
        ({"lanes": 19}, "expected at least 1 lane and a word for each, got 19 and 18"),
        (
            {"seed_words": words(2)},
            r"message: expected at least \d words on the stack, got 0; it needs more seed_words",
        ),
        ({"model": broken("encoder", math.nan)}, "model: expected finite mu and logvar from its encoder"),
        ({"model": broken("encoder", 2000.0)}, "model: expected finite mu and logvar from its encoder"),
        ({"model": broken("decoder", math.inf)}, "model: expected finite logits from its decoder"),
    ],
)
def test_what_cannot_be_coded_is_named(arguments, message):
    usual = {"model": random_vae(), "images": random_images(2), "seed_words": words(18), "lanes": 2}
    with pytest.raises(ValueError, match=message):
        compress(**usual | arguments)


def test_a_number_of_images_is_asked_for():
    with pytest.raises(ValueError, match="n: expected at least 1 image, got 0"):
        decompress(random_vae(), start_message(words(2), 2), 0)
