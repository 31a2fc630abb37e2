"""sampling.py, ngram.py, metrics.py: what is drawn, what it has to beat, and how both are measured."""

import itertools
import math
from collections import Counter, defaultdict

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from course_lib.data import load_language_model, load_shakespeare
from course_lib.metrics import cross_entropy, cross_entropy_by_position, known_words
from course_lib.ngram import KneserNey, absolute_discount, compressor_bits
from course_lib.sampling import entropy, generate, next_distribution, top_k_filter, top_p_filter
from course_lib.transformer import MODERN, Transformer, TransformerConfig

seeded = torch.Generator().manual_seed


def model_of(**choices):
    torch.manual_seed(0)
    model = Transformer(TransformerConfig(11, context_length=6, n_layers=2, n_heads=2, d_model=12, **choices)).double()
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.5)
    return model


@pytest.mark.parametrize("choices", [{}, {"positions": "rotary"}, MODERN], ids=["learned", "rotary", "modern"])
@pytest.mark.parametrize("batch", [1, 3])
def test_cached_generation_is_uncached_generation_past_the_context_too(choices, batch):
    model, prompt = model_of(**choices), torch.arange(2)[None].repeat(batch, 1)
    with_cache, without = (generate(model, prompt, 30, seeded(1), top_p=0.9, cached=c) for c in (True, False))
    assert with_cache.shape == (batch, 32)
    assert torch.equal(with_cache, without)
    assert torch.equal(with_cache[:, :2], prompt)
    assert len(set(with_cache[:, 2:].flatten().tolist())) > 3  # a model that is stuck would prove nothing


def test_generation_uses_its_generator_alone_and_leaves_the_mode():
    model, prompt = model_of(dropout=0.5), torch.zeros(1, 1, dtype=torch.long)
    before = torch.get_rng_state()
    one, two, other = (generate(model, prompt, 20, seeded(s)) for s in (1, 1, 2))
    assert torch.equal(one, two)
    assert not torch.equal(one, other)
    assert torch.equal(before, torch.get_rng_state())
    assert model.training
    assert torch.equal(generate(model, prompt, 0, seeded(1)), prompt)


@pytest.mark.parametrize(
    ("knobs", "message"),
    [
        ({"n": -1}, "n: expected at least 0, got -1"),
        ({"temperature": -0.5}, "temperature: expected a finite number of at least 0, got -0.5"),
        ({"temperature": math.nan}, "temperature: .* got nan"),
        ({"top_k": 0}, "k: expected at least 1, got 0"),
        ({"top_p": 0.0}, "p: expected a probability above 0 and at most 1, got 0.0"),
        ({"top_p": 1.5}, "p: .* got 1.5"),
    ],
)
def test_knobs_out_of_range_are_named_before_any_work(knobs, message):
    model, prompt = model_of(), torch.zeros(1, 1, dtype=torch.long)
    with pytest.raises(ValueError, match=message):
        generate(model, prompt, **{"n": 3, "generator": seeded(0)} | knobs)
    with pytest.raises(ValueError, match="tokens: expected at least one position to continue, got 0"):
        generate(model, prompt[:, :0], 3, seeded(0))


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.integers(-3, 3), min_size=1, max_size=8),
    st.integers(1, 9),
    st.floats(0.01, 1.0),
)
def test_filters_keep_what_brute_force_keeps(values, k, p):
    logits = torch.tensor(values, dtype=torch.float64)  # with ties
    order = sorted(range(len(values)), key=lambda i: (-values[i], i))
    assert top_k_filter(logits, k).isfinite().nonzero().flatten().tolist() == sorted(order[:k])
    q, total, nucleus = logits.softmax(-1).tolist(), 0.0, []
    for i in order:
        if nucleus and total >= p - 1e-12 and p < 1:
            break
        nucleus.append(i)
        total += q[i]
    kept = top_p_filter(logits, p).isfinite().nonzero().flatten().tolist()
    # a sum that meets p up to rounding may stop one symbol earlier or later
    assert kept == sorted(nucleus) or abs(sum(q[i] for i in nucleus) - p) < 1e-9 or abs(total - p) < 1e-9
    assert torch.equal(top_p_filter(logits, 1.0), logits)


def test_temperature_goes_from_the_largest_to_all_alike():
    logits = torch.tensor([0.5, 2.0, -1.0, 1.2], dtype=torch.float64)
    assert next_distribution(logits, 0).tolist() == [0, 1, 0, 0]
    entropies = [entropy(next_distribution(logits, t)).item() for t in (0.1, 0.5, 1, 2, 100)]
    assert entropies == sorted(entropies)
    assert entropies[-1] == pytest.approx(math.log(4), abs=1e-3)
    one = torch.distributions.Categorical(logits=logits).entropy()
    torch.testing.assert_close(entropy(logits.softmax(-1)), one)
    assert entropy(torch.tensor([1.0, 0.0])).item() == 0


def test_draws_follow_the_distribution():
    model, n = model_of(), 20_000
    first = torch.full((n, 1), 3)
    drawn = generate(model, first, 1, seeded(5), temperature=1.5, top_k=6)[:, 1]
    with torch.no_grad():
        p = next_distribution(model(first[:1])[0, -1], 1.5, 6)
    shares = torch.bincount(drawn, minlength=11) / n
    assert ((shares - p).abs() <= 5 * (p * (1 - p) / n).sqrt() + 1e-12).all()


# --- n-grams and compressors -----------------------------------------------------------------------------------


def slow_kneser_ney(text, order, V):
    """p(w | h) by dictionaries, as Chen and Goodman write it."""
    tables = {order: Counter(tuple(text[i : i + order]) for i in range(len(text) - order + 1))}
    for n in range(order - 1, 0, -1):
        tables[n] = Counter(gram[1:] for gram in tables[n + 1])

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


@pytest.mark.parametrize("order", [1, 2, 3, 4])
def test_kneser_ney_is_what_a_slow_writing_of_it_gives(order):
    text = torch.randint(5, (60,), generator=seeded(2)).square() % 6
    model, slow = KneserNey(text, order, 7), slow_kneser_ney(text.tolist(), order, 7)
    for context in ([0, 1, 4], [4, 4, 4], [6, 6, 6], [1, 0, 3]):  # 6 never came
        found = model.next_probabilities(torch.tensor(context))
        expected = [slow(w, context) for w in range(7)]
        torch.testing.assert_close(found, torch.tensor(expected, dtype=torch.float64), rtol=1e-12, atol=1e-15)
        assert found.sum().item() == pytest.approx(1, abs=1e-12)
    tokens = torch.tensor([1, 0, 4, 6, 1, 1])
    logs = [math.log(slow(tokens[i].item(), tokens[:i].tolist())) for i in range(order - 1, 6)]
    torch.testing.assert_close(
        model.log_probability(tokens), torch.tensor(logs, dtype=torch.float64), rtol=1e-12, atol=0
    )


def test_kneser_ney_counts_contexts_not_occurrences():
    """'San Francisco', twenty times: after a new word 'Francisco' must not be likely."""
    text = [0, 1] * 20 + [2, 3, 4, 3, 5, 3, 2, 6, 4, 2]
    model = KneserNey(torch.tensor(text), 2, 8)
    after_new = model.next_probabilities(torch.tensor([7]))
    assert after_new[3] > 1.5 * after_new[1]  # 3 came behind three words, 1 behind one
    contexts = defaultdict(set)
    for a, b in itertools.pairwise(text):
        contexts[b].add(a)
    assert (len(contexts[1]), len(contexts[3])) == (1, 3)


def test_bits_on_shakespeare_are_those_that_the_course_states():
    text = load_shakespeare()
    for order, bits in ((1, 4.829), (2, 3.584), (3, 2.950), (4, 2.494), (5, 2.278), (6, 2.248)):
        joined = torch.cat([text.train[len(text.train) - order + 1 :], text.validation])
        found = -KneserNey(text.train, order, 65).log_probability(joined).mean().item() / math.log(2)
        assert found == pytest.approx(bits, abs=0.001)
    train, held_out = (text.decode(part).encode() for part in (text.train, text.validation))
    assert compressor_bits("bz2", train, held_out) == pytest.approx(2.398, abs=0.005)
    assert compressor_bits("lzma", train[:50_000], train[:50_000]) < 0.1  # it remembers


def test_what_cannot_be_counted_is_refused():
    tokens = torch.arange(5)
    with pytest.raises(ValueError, match="order: expected 1 to 10, got 11"):
        KneserNey(tokens, 11, 65)
    with pytest.raises(ValueError, match="tokens: expected at least order = 6, got 5"):
        KneserNey(tokens, 6, 65)
    with pytest.raises(ValueError, match="tokens: expected at least order − 1 = 2, got 1"):
        KneserNey(tokens, 3, 65).next_probabilities(tokens[:1])
    with pytest.raises(ValueError, match="counts: expected at least one count of 1, got none"):
        absolute_discount(torch.tensor([2, 3]))
    with pytest.raises(ValueError, match="name: expected bz2 or lzma, got 'zip'"):
        compressor_bits("zip", b"a", b"b")
    with pytest.raises(ValueError, match="held_out: expected at least one byte, got none"):
        compressor_bits("bz2", b"a", b"")


# --- measures --------------------------------------------------------------------------------------------------


def test_cross_entropy_is_the_mean_over_windows_without_overlap():
    model, tokens = model_of(positions="rotary"), torch.randint(11, (27,), generator=seeded(4))
    by_hand = torch.zeros(6, dtype=torch.float64)
    for start in (0, 6, 12, 18):  # a fifth window would lack its last target
        with torch.no_grad():
            log_p = model(tokens[None, start : start + 6])[0].float().log_softmax(-1)
        by_hand -= log_p[torch.arange(6), tokens[start + 1 : start + 7]].double() / 4
    torch.testing.assert_close(cross_entropy_by_position(model, tokens), by_hand, rtol=1e-6, atol=1e-6)
    assert cross_entropy(model, tokens) == pytest.approx(by_hand.mean().item(), rel=1e-6)
    assert cross_entropy_by_position(model, tokens, at_once=6).tolist() == pytest.approx(by_hand.tolist(), rel=1e-5)
    with pytest.raises(ValueError, match="tokens: expected more than context = 6, got 6"):
        cross_entropy(model, tokens[:6])


def test_the_stored_model_is_the_recorded_one():
    text, model = load_shakespeare(), load_language_model()
    assert not model.training
    assert cross_entropy(model, text.validation[:30_001]) < 1.6


def test_known_words_counts_whole_words():
    assert known_words("The king's men, KING! qu", {"the", "king's", "king"}) == 0.75  # ‘qu’ may be cut off
    with pytest.raises(ValueError, match="text: expected at least two words, got 'king'"):
        known_words("king", {"king"})
