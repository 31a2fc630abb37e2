"""Kneser–Ney against a slow writing of it, the bits that the course states, compressors."""

import math
from collections import Counter

import pytest
import torch

from course_lib.datasets.text import load_shakespeare
from course_lib.information.ngram import KneserNey, absolute_discount, compressor_bits, three_discounts

seeded = torch.Generator().manual_seed


def slow_discounts(counts, discounts):
    """D(1), D(2), D(3+) as Chen and Goodman write them; what cannot be estimated or is not positive takes the last one."""
    n = Counter(counts)
    if not n[1]:
        return (0.5, 0.5, 0.5)
    Y = n[1] / (n[1] + 2 * n[2])
    if discounts == 1:
        return (Y, Y, Y)
    found = []
    for r in (1, 2, 3):
        D = r - (r + 1) * Y * n[r + 1] / n[r] if n[r] else -1
        found.append(D if D > 0 else found[-1])
    return tuple(found)


def slow_kneser_ney(text, order, V, discounts):
    """p(w | h) by dictionaries, as Chen and Goodman write it: below the top an n-gram counts its different predecessors."""
    grams = lambda n: [tuple(text[i : i + n]) for i in range(len(text) - n + 1)]
    tables = {n: Counter(gram[1:] for gram in set(grams(n + 1))) for n in range(1, order)}
    tables[order] = Counter(grams(order))

    def p(w, h, n=order):
        if n == 0:
            return 1 / V
        table, h = tables[n], tuple(h[len(h) - n + 1 :])
        D = slow_discounts(table.values(), discounts)
        followers = {g[-1]: c for g, c in table.items() if g[:-1] == h}
        if not followers:
            return p(w, h, n - 1)
        off = {v: D[min(c, 3) - 1] for v, c in followers.items()}
        total = sum(followers.values())
        return (max(followers.get(w, 0) - off.get(w, 0), 0) + sum(off.values()) * p(w, h, n - 1)) / total

    return p


def some_text(length):
    if length == 400:  # enough of it for three discounts that differ
        return torch.randint(5, (400,), generator=seeded(5)).square() % 6
    if length == 60:
        return torch.randint(5, (60,), generator=seeded(2)).square() % 6
    return torch.tensor([4, 1, 0, 3, 5, 0, 3, 1, 4, 1])[:length]  # its first 2- and 3-grams are not seen again


@pytest.mark.parametrize("discounts", [1, 3])
@pytest.mark.parametrize("length", [400, 60, 10, 5])
@pytest.mark.parametrize("order", [1, 2, 3, 4])
def test_kneser_ney_is_what_a_slow_writing_of_it_gives(order, length, discounts):
    text = some_text(length)
    model = KneserNey(text, order, 7, discounts=discounts)
    slow = slow_kneser_ney(text.tolist(), order, 7, discounts)
    for context in ([0, 1, 4], [4, 4, 4], [6, 6, 6], [1, 0, 3], [6, 4, 1], [6, 6, 4]):  # 6 never came
        found = model.next_probabilities(torch.tensor(context))
        expected = [slow(w, context) for w in range(7)]
        torch.testing.assert_close(found, torch.tensor(expected, dtype=torch.float64), rtol=1e-12, atol=1e-15)
        assert found.sum().item() == pytest.approx(1, abs=1e-12)
    tokens = torch.tensor([1, 0, 4, 6, 1, 1])
    logs = [math.log(slow(tokens[i].item(), tokens[:i].tolist())) for i in range(order - 1, 6)]
    torch.testing.assert_close(
        model.log_probability(tokens), torch.tensor(logs, dtype=torch.float64), rtol=1e-12, atol=0
    )


def test_three_discounts_by_hand():
    counts = torch.tensor([1] * 8 + [2] * 4 + [3] * 2 + [4] + [9] * 5 + [0] * 7)
    assert three_discounts(counts) == pytest.approx((0.5, 2 - 3 * 0.5 * 2 / 4, 3 - 4 * 0.5 * 1 / 2))
    assert absolute_discount(counts) == 0.5
    assert three_discounts(torch.tensor([1, 1, 5])) == (1, 1, 1)  # neither a 2 nor a 3 to go by
    # 2 − 3/3 · 3/1 < 0 gives way to 1/3, and 3 − 4/3 · 0 stays
    assert three_discounts(torch.tensor([1, 2, 3, 3, 3])) == pytest.approx((1 / 3, 1 / 3, 3))


@pytest.mark.parametrize("discounts", [1, 3])
@pytest.mark.parametrize("order", [6, 7])
def test_probabilities_sum_to_1_behind_contexts_of_every_length(order, discounts):
    text = load_shakespeare()
    model = KneserNey(text.train[:30_000], order, 65, discounts=discounts)
    known = [set(level.contexts.tolist()) for level in model.levels]
    longest = set()
    for start in range(0, 3000, 30):
        context = text.validation[start : start + order - 1]
        number = (context * 65 ** torch.arange(order - 2, -1, -1)).sum().item()
        longest.add(max(n for n in range(order) if number % 65**n in known[n]))
        p = model.next_probabilities(context)
        assert p.sum().item() == pytest.approx(1, abs=1e-12)
        assert p.min() > 0
    assert set(range(2, order)) <= longest  # the highest orders are among those that were asked


def test_the_first_symbols_of_the_text_count_below_the_top_too():
    """0, 1, 2 in triples: 1 came behind 0 and 2 behind 1, though no triple ends in 0, 1."""
    model = KneserNey(torch.tensor([0, 1, 2]), 3, 4)
    assert model.levels[0].grams.tolist() == [1, 2]
    assert model.levels[1].grams.tolist() == [1 * 4 + 2]  # 0, 1 has no predecessor at all
    model.levels[0].left, model.levels[0].saved = model.levels[0].counts, torch.zeros(1, dtype=torch.float64)
    assert model.next_probabilities(torch.tensor([3, 0])).tolist() == [0, 0.5, 0.5, 0]


def test_kneser_ney_counts_contexts_not_occurrences():
    """'San Francisco', twenty times: after a new word 'Francisco' must not be likely."""
    text = [0, 1] * 20 + [2, 3, 4, 3, 5, 3, 2, 6, 4, 2]
    model = KneserNey(torch.tensor(text), 2, 8)
    after_new = model.next_probabilities(torch.tensor([7]))
    assert after_new[3] > 1.5 * after_new[1]  # 3 came behind three words, 1 behind one
    assert dict(zip(model.levels[0].grams.tolist(), model.levels[0].counts.tolist(), strict=True))[1] == 1
    assert model.levels[1].counts.max() == 20  # above, occurrences count


def test_bits_on_shakespeare_are_those_that_the_course_states():
    text = load_shakespeare()
    for order, bits in ((1, 4.829), (2, 3.584), (3, 2.950), (4, 2.494), (5, 2.278), (6, 2.248)):
        joined = torch.cat([text.train[len(text.train) - order + 1 :], text.validation])
        found = -KneserNey(text.train, order, 65).log_probability(joined).mean().item() / math.log(2)
        assert found == pytest.approx(bits, abs=0.001)
    for order, bits in ((5, 2.252), (6, 2.197), (7, 2.188), (8, 2.192)):
        joined = torch.cat([text.train[len(text.train) - order + 1 :], text.validation])
        found = -KneserNey(text.train, order, 65, discounts=3).log_probability(joined).mean().item() / math.log(2)
        assert found == pytest.approx(bits, abs=0.001)
    train, held_out = (text.decode(part).encode() for part in (text.train, text.validation))
    assert compressor_bits("bz2", train, held_out) == pytest.approx(2.398, abs=0.005)
    assert compressor_bits("lzma", train[:50_000], train[:50_000]) < 0.1  # it remembers


@pytest.mark.parametrize("outside", [5, -1, 70])
def test_a_token_outside_the_vocabulary_is_named_and_not_looked_up_as_another(outside):
    tokens, bad = torch.arange(5), torch.tensor([0, 1, outside, 2])
    says = f"tokens: expected symbols from 0 to 4, got {outside}"
    with pytest.raises(ValueError, match=says):
        KneserNey(bad, 2, 5)
    model = KneserNey(tokens, 3, 5)
    with pytest.raises(ValueError, match=says):
        model.log_probability(bad)
    with pytest.raises(ValueError, match=says):
        model.next_probabilities(bad)
    assert model.next_probabilities(torch.tensor([outside, 1, 2])).sum() == pytest.approx(1)  # it plays no part


def test_what_cannot_be_counted_is_refused():
    tokens = torch.arange(5)
    with pytest.raises(ValueError, match="order: expected 1 to 10, got 11"):
        KneserNey(tokens, 11, 65)
    with pytest.raises(ValueError, match="discounts: expected 1 or 3, got 2"):
        KneserNey(tokens, 3, 65, discounts=2)
    with pytest.raises(ValueError, match="counts: expected at least one count of 1, got none"):
        three_discounts(torch.tensor([2, 3]))
    with pytest.raises(ValueError, match="tokens: expected at least order = 6, got 5"):
        KneserNey(tokens, 6, 65)
    model = KneserNey(tokens, 3, 65)
    with pytest.raises(ValueError, match="tokens: expected at least order − 1 = 2, got 1"):
        model.next_probabilities(tokens[:1])
    with pytest.raises(ValueError, match="tokens: expected at least order = 3, got 2"):
        model.log_probability(tokens[:2])
    with pytest.raises(ValueError, match="counts: expected at least one count of 1, got none"):
        absolute_discount(torch.tensor([2, 3]))
    with pytest.raises(ValueError, match="name: expected bz2 or lzma, got 'zip'"):
        compressor_bits("zip", b"a", b"b")
    with pytest.raises(ValueError, match="held_out: expected at least one byte, got none"):
        compressor_bits("bz2", b"a", b"")
