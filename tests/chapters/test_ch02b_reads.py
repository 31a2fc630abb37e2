"""What chapter 02b is held with: counts as a dictionary counts them, faults that are what their names say."""

import math
from collections import Counter

import pytest
import torch

from course_lib.attention.dot_product import scaled_dot_product_attention
from course_lib.attention.masks import causal_mask, is_causal
from course_lib.chapters.ch02b_attention_reads.faults import VARIANTS, no_mask, no_scale, wrong_axis
from course_lib.chapters.ch02b_attention_reads.heads import other_weights
from course_lib.chapters.ch02b_attention_reads.rivals import counting_bits


def by_dictionary(train, held_out, n_symbols, order, extra):
    runs = Counter(tuple(train[i : i + order]) for i in range(len(train) - order + 1))
    contexts = Counter()
    for run, count in runs.items():
        contexts[run[:-1]] += count
    everything, total = train + held_out, 0.0
    for i in range(len(train), len(everything)):
        run = tuple(everything[i - order + 1 : i + 1])
        total -= math.log2((runs[run] + extra) / (contexts[run[:-1]] + n_symbols * extra))
    return total / len(held_out)


@pytest.mark.parametrize(("order", "extra"), [(1, 1), (2, 1), (3, 0.5), (5, 0.01)])
def test_counts_are_those_of_a_dictionary(order, extra):
    tokens = torch.randint(4, (300,), generator=torch.Generator().manual_seed(order))
    expected = by_dictionary(tokens[:230].tolist(), tokens[230:].tolist(), 4, order, extra)
    assert counting_bits(tokens[:230], tokens[230:], 4, order, extra) == pytest.approx(expected, rel=1e-12)


def test_no_vocabulary_is_too_large():
    """A million symbols, five in a row: as one number they would take 100 bits."""
    tokens = torch.randint(4, (300,), generator=torch.Generator().manual_seed(0))
    large = tokens * 333_333
    expected = by_dictionary(large[:230].tolist(), large[230:].tolist(), 1_000_000, 5, 0.01)
    assert counting_bits(large[:230], large[230:], 1_000_000, 5, 0.01) == pytest.approx(expected, rel=1e-12)


def test_each_fault_is_the_one_that_it_is_called():
    generator = torch.Generator().manual_seed(1)
    q, k, v, x = torch.randn(4, 1, 2, 6, 8, dtype=torch.float64, generator=generator)
    mask = causal_mask(6)
    free, _ = scaled_dot_product_attention(q, k, v)
    torch.testing.assert_close(no_mask(q, k, v, mask), free)
    hard, _ = scaled_dot_product_attention(q * math.sqrt(8), k, v, mask)
    torch.testing.assert_close(no_scale(q, k, v, mask), hard)
    columns = (q @ k.mT / math.sqrt(8)).masked_fill(~mask, -torch.inf).softmax(-2)
    torch.testing.assert_close(wrong_axis(q, k, v, mask), columns @ v)
    for name, (mix, _) in VARIANTS.items():
        layer = lambda rows, mix=mix: mix(*[rows[None, None]] * 3, mask)[0, 0]
        assert is_causal(layer, x[0, 0]) == (name not in ("no mask", "wrong axis")), name


def test_other_weights_differ_and_give_the_same_output():
    generator = torch.Generator().manual_seed(2)
    v = torch.randn(7, 3, dtype=torch.float64, generator=generator)
    weights = torch.randn(7, dtype=torch.float64, generator=generator).softmax(0)
    other = other_weights(weights, v)
    assert other.min() > 0
    torch.testing.assert_close(other.sum(), weights.sum())
    torch.testing.assert_close(other @ v, weights @ v)
    assert (other - weights).abs().max() > 0.01
