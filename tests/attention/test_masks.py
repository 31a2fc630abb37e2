"""Masks by hand, and a test of causality that finds every leak."""

import pytest
import torch
from attention_cases import randn
from hypothesis import given, settings
from hypothesis import strategies as st

from course_lib.attention.dot_product import (
    fast_attention,
    scaled_dot_product_attention,
)
from course_lib.attention.masks import causal_mask, is_causal, padding_mask


@settings(max_examples=25, deadline=None)
@given(T=st.integers(2, 7), seed=st.integers(0, 10**6))
def test_causality_by_perturbation(T, seed):
    x, mask = randn(T, 4, seed=seed), causal_mask(T)
    assert is_causal(lambda x: scaled_dot_product_attention(x, x, x, mask)[0], x)
    assert is_causal(lambda x: fast_attention(x, x, x, mask), x)
    assert not is_causal(lambda x: fast_attention(x, x, x), x)


def test_is_causal_finds_a_leak_between_two_positions_alone():
    x = randn(5, 3)
    pairs = causal_mask(5) | (torch.arange(5)[:, None] // 2 == torch.arange(5) // 2)
    assert not is_causal(lambda x: fast_attention(x, x, x, pairs), x)
    assert not is_causal(lambda x: x + 1e-4 * x.roll(-1, 0), x)
    assert is_causal(lambda x: x.cumsum(0), x)


@pytest.mark.parametrize("T", [2, 3, 6])
@pytest.mark.parametrize("value", [-2.0, 0.0, 0.5, 1.0])
def test_is_causal_finds_a_leak_whatever_the_input(T, value):
    """Also where every number is the same, and a fixed rule such as 3 − 2x would change nothing."""
    x = torch.full((T, 3), value, dtype=torch.float64)
    backwards = lambda x: x.flip(0).cumsum(0).flip(0)
    assert not is_causal(backwards, x)
    assert not is_causal(lambda x: x + 1e-4 * backwards(x), x)
    assert is_causal(lambda x: x.cumsum(0), x)


@pytest.mark.parametrize(("feature_in", "feature_out"), [(0, 2), (2, 0), (1, 1)])
@pytest.mark.parametrize(("row", "later"), [(0, 4), (3, 4), (1, 3)])
def test_is_causal_finds_a_leak_from_one_number_into_one_number(row, later, feature_in, feature_out):
    def leak(x):
        y = x.cumsum(0)
        y[row, feature_out] += 0.1 * x[later, feature_in]
        return y

    assert not is_causal(leak, randn(5, 3))


def test_is_causal_draws_from_no_generator_but_its_own():
    before = torch.get_rng_state()
    assert is_causal(lambda x: x, randn(4, 2))
    assert torch.equal(torch.get_rng_state(), before)


def test_causal_mask_square_and_with_a_cache():
    assert causal_mask(3).tolist() == [[True, False, False], [True, True, False], [True, True, True]]
    assert causal_mask(2, 4).tolist() == [[True, True, True, False], [True] * 4]
    assert causal_mask(1, 5).all()
    with pytest.raises(ValueError, match=r"n_queries: expected between 0 and n_keys = 3, got 4"):
        causal_mask(4, 3)


def test_padding_mask_counts_lengths():
    mask = padding_mask(torch.tensor([2, 0, 3]), 3)
    assert mask.shape == (3, 1, 1, 3)
    assert mask[:, 0, 0].tolist() == [[True, True, False], [False] * 3, [True] * 3]
    with pytest.raises(ValueError, match=r"lengths: expected values from 0 to n_keys = 3, got 4"):
        padding_mask(torch.tensor([1, 4]), 3)
