"""attention.py against PyTorch, against values derived by hand, and against its own mathematics."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from course_lib.attention.dot_product import (
    fast_attention,
    scaled_dot_product_attention,
)
from course_lib.attention.masks import causal_mask, is_causal, padding_mask


def randn(*shape, seed=0):
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


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
