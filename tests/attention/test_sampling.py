"""sampling.py: the knobs against brute force, generation with a cache, and what the draws follow."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from made import model_of, seeded

from course_lib.attention.sampling import entropy, generate, next_distribution, top_k_filter, top_p_filter
from course_lib.attention.transformer import modern


@pytest.mark.parametrize(
    "choices", [{}, {"positions": "rotary"}, {"make": modern}], ids=["learned", "rotary", "modern"]
)
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


@pytest.mark.parametrize(("p", "kept"), [(0.25, 1), (0.5, 1), (0.5 + 1e-12, 2), (0.75, 2), (0.75 + 1e-12, 3), (1.0, 3)])
def test_a_nucleus_that_meets_p_exactly_is_large_enough(p, kept):
    """The probabilities are ½, ¼, ¼ to the last bit, and so are their sums."""
    logits = torch.tensor([0.0, math.log(2), 0.0], dtype=torch.float64)
    assert logits.softmax(-1).tolist() == [0.25, 0.5, 0.25]
    assert top_p_filter(logits, p).isfinite().sum() == kept


def test_a_nucleus_of_one_keeps_all_whatever_the_rounding_of_the_sum():
    logits = torch.randn(200, 7, dtype=torch.float64, generator=seeded(1))
    total = logits.softmax(-1).cumsum(-1)[:, -1]
    assert (total < 1).any()
    assert (total > 1).any()
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


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
@pytest.mark.parametrize("temperature", [1e-20, 1e-39, 1e-46, 5e-324])
def test_the_smallest_temperatures_give_the_largest_logit_and_no_nan(dtype, temperature):
    for logits in ([0.5, 2.0, -1.0, 1.2], [-30.0, -10.0, -20.0, -10.5], [100.0, 3e4, 0.0, -3e4]):
        p = next_distribution(torch.tensor(logits, dtype=dtype), temperature)
        assert p.tolist() == [0, 1, 0, 0]
    tied = torch.tensor([3.0, -1.0, 3.0], dtype=dtype)
    assert next_distribution(tied, temperature).tolist() == [0.5, 0, 0.5]
    assert next_distribution(tied, temperature, top_k=1).tolist() == [1, 0, 0]


@pytest.mark.parametrize("choices", [{}, {"positions": "rotary"}], ids=["learned", "rotary"])
def test_generation_is_a_loop_that_reads_the_whole_window(choices):
    """Written out: past a context of 6 a model with learned positions is handed the last 6 tokens, neither other nor fewer."""
    model, tokens = model_of(**choices), torch.tensor([[3, 1], [0, 7]])
    drawn, generator = generate(model, tokens, 15, seeded(2), temperature=1.3), seeded(2)
    for _ in range(15):
        seen = tokens if choices else torch.stack([row[max(0, len(row) - 6) :] for row in tokens])
        with torch.no_grad():
            p = (model(seen)[:, -1].float() / 1.3).softmax(-1)
        tokens = torch.cat([tokens, torch.multinomial(p, 1, generator=generator)], dim=1)
    assert torch.equal(drawn, tokens)


def test_draws_follow_the_distribution():
    model, n = model_of(), 20_000
    first = torch.full((n, 1), 3)
    drawn = generate(model, first, 1, seeded(5), temperature=1.5, top_k=6)[:, 1]
    with torch.no_grad():
        p = next_distribution(model(first[:1])[0, -1], 1.5, 6)
    shares = torch.bincount(drawn, minlength=11) / n
    assert ((shares - p).abs() <= 5 * (p * (1 - p) / n).sqrt() + 1e-12).all()
