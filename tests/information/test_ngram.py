"""Kneser–Ney against a slow writing of it, the bits that the course states, compressors."""

import math
from collections import Counter

import pytest
import torch

from course_lib.datasets.text import load_shakespeare
from course_lib.information.ngram import KneserNey, absolute_discount, compressor_bits

seeded = torch.Generator().manual_seed


def slow_kneser_ney(text, order, V):
    """p(w | h) by dictionaries, as Chen and Goodman write it: below the top an n-gram counts its different predecessors."""
    grams = lambda n: [tuple(text[i : i + n]) for i in range(len(text) - n + 1)]
    tables = {n: Counter(gram[1:] for gram in set(grams(n + 1))) for n in range(1, order)}
    tables[order] = Counter(grams(order))

    def p(w, h, n=order):
        if n == 0:
            return 1 / V
        table, h = tables[n], tuple(h[len(h) - n + 1 :])
        ones, twos = (sum(c == r for c in table.values()) for r in (1, 2))
        D = ones / (ones + 2 * twos) if ones else 0.5
        followers = {g[-1]: c for g, c in table.items() if g[:-1] == h}
        if not followers:
            return p(w, h, n - 1)
        total = sum(followers.values())
        return (max(followers.get(w, 0) - D, 0) + D * len(followers) * p(w, h, n - 1)) / total

    return p


def some_text(length):
    if length == 60:
        return torch.randint(5, (60,), generator=seeded(2)).square() % 6
    return torch.tensor([4, 1, 0, 3, 5, 0, 3, 1, 4, 1])[:length]  # its first 2- and 3-grams are not seen again


@pytest.mark.parametrize("length", [60, 10, 5])
@pytest.mark.parametrize("order", [1, 2, 3, 4])
def test_kneser_ney_is_what_a_slow_writing_of_it_gives(order, length):
    text = some_text(length)
    model, slow = KneserNey(text, order, 7), slow_kneser_ney(text.tolist(), order, 7)
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


def test_the_first_symbols_of_the_text_count_below_the_top_too():
    """0, 1, 2 in triples: 1 came behind 0 and 2 behind 1, though no triple ends in 0, 1."""
    model = KneserNey(torch.tensor([0, 1, 2]), 3, 4)
    assert model.levels[0].grams.tolist() == [1, 2]
    assert model.levels[1].grams.tolist() == [1 * 4 + 2]  # 0, 1 has no predecessor at all
    model.levels[0].discount = 0.0
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
