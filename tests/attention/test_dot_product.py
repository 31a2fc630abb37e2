"""Attention against PyTorch, against values derived by hand, and against its own mathematics."""

import math

import jaxtyping
import pytest
import torch
from attention_cases import CLOSE, case, randn
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional as F

from course_lib.attention.dot_product import (
    dot_product_variance,
    fast_attention,
    scaled_dot_product_attention,
    softmax_jvp,
)
from course_lib.attention.masks import causal_mask, padding_mask
from course_lib.attention.multi_head import MultiHeadAttention, split_heads
from course_lib.attention.online import online_attention

SHAPES = [((), 3, 7, 5, 2), ((2,), 5, 3, 11, 7), ((2, 3), 4, 7, 6, 5), ((1, 1), 1, 2, 3, 1)]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("masked", [False, True])
def test_agrees_with_pytorch_in_values_and_gradients(shape, masked):
    *qkv, mask = case(*shape, seed=1)
    mask = mask if masked else None
    grads = []
    for function in (
        lambda q, k, v: scaled_dot_product_attention(q, k, v, mask)[0],
        lambda q, k, v: fast_attention(q, k, v, mask),
        lambda q, k, v: F.scaled_dot_product_attention(q, k, v, attn_mask=mask),
    ):
        inputs = [x.clone().requires_grad_() for x in qkv]
        out = function(*inputs)
        grads.append([out.detach(), *torch.autograd.grad((out * randn(*out.shape, seed=9)).sum(), inputs)])
    for ours, fast, theirs in zip(*grads, strict=True):
        torch.testing.assert_close(ours, theirs, **CLOSE)
        torch.testing.assert_close(fast, theirs, **CLOSE)


def test_two_keys_by_hand():
    q, k = torch.tensor([[2.0]], dtype=torch.float64), torch.tensor([[0.5], [0.0]], dtype=torch.float64)
    out, weights = scaled_dot_product_attention(q, k, torch.tensor([[1.0], [3.0]], dtype=torch.float64))
    e = math.e
    torch.testing.assert_close(weights, torch.tensor([[e / (1 + e), 1 / (1 + e)]], dtype=torch.float64), **CLOSE)
    torch.testing.assert_close(out, torch.tensor([[(e + 3) / (1 + e)]], dtype=torch.float64), **CLOSE)


@pytest.mark.parametrize("attend", [lambda *a: scaled_dot_product_attention(*a)[0], fast_attention])
def test_a_query_that_may_look_nowhere_gets_zero_and_passes_no_gradient(attend):
    q, k, v, mask = case((2,), 4, 3, 5, 6, seed=3)
    mask[2] = False
    inputs = [x.requires_grad_() for x in (q, k, v)]
    out = attend(*inputs, mask)
    assert torch.equal(out[:, 2], torch.zeros(2, 6, dtype=torch.float64))
    assert not out[:, [0, 1, 3]].eq(0).any()
    grads = torch.autograd.grad(out[:, 2].sum(), inputs)
    assert all(not g.any() for g in grads)
    grads = torch.autograd.grad(attend(*inputs, mask).sum(), inputs)
    assert all(g.isfinite().all() for g in grads)
    assert not grads[0][:, 2].any()


@settings(max_examples=40, deadline=None)
@given(
    T=st.integers(1, 6), S=st.integers(1, 6), d=st.integers(1, 9), seed=st.integers(0, 10**6), scale=st.floats(0.1, 30)
)
def test_rows_sum_to_one_and_forbidden_keys_have_weight_zero(T, S, d, seed, scale):
    q, k, v, mask = case((), T, S, d, 3, seed)
    _, weights = scaled_dot_product_attention(q * scale, k, v, mask)
    torch.testing.assert_close(weights.sum(-1), torch.ones(T, dtype=torch.float64), **CLOSE)
    assert not weights[~mask].any()
    assert (weights >= 0).all()


@settings(max_examples=25, deadline=None)
@given(T=st.integers(2, 7), seed=st.integers(0, 10**6))
def test_permutation_equivariance(T, seed):
    q, k, v, _ = case((), T, T, 5, 3, seed)
    order = torch.randperm(T, generator=torch.Generator().manual_seed(seed))
    out, _ = scaled_dot_product_attention(q, k, v)
    shuffled, _ = scaled_dot_product_attention(q[order], k[order], v[order])
    torch.testing.assert_close(shuffled, out[order], **CLOSE)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**6), shift=st.floats(-300, 300), T=st.integers(1, 5))
def test_a_shift_of_all_scores_of_a_query_changes_nothing(seed, shift, T):
    """Adding c·q/|q|² to every key adds c/√d to every score of that query."""
    q, k, v, _ = case((), 1, T, 5, 3, seed)
    moved = k + shift * q / q.square().sum()
    torch.testing.assert_close(
        scaled_dot_product_attention(q, moved, v)[1], scaled_dot_product_attention(q, k, v)[1], rtol=1e-9, atol=1e-12
    )


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**6), factor=st.floats(1.5, 8))
def test_a_larger_scale_makes_the_softmax_harder(seed, factor):
    q, k, v, _ = case((), 3, 5, 4, 3, seed)
    soft, hard = (scaled_dot_product_attention(q * f, k, v)[1] for f in (1.0, factor))
    entropy = lambda w: -(w * w.clamp_min(1e-300).log()).sum(-1)
    assert (entropy(hard) < entropy(soft)).all()


def test_softmax_jvp_is_autograds():
    s, u = randn(2, 3, 7, seed=1), randn(2, 3, 7, seed=2)
    _, expected = torch.autograd.functional.jvp(lambda s: s.softmax(-1), s, u)
    torch.testing.assert_close(softmax_jvp(s.softmax(-1), u), expected, **CLOSE)
    _, backward = torch.autograd.functional.vjp(lambda s: s.softmax(-1), s, u)
    torch.testing.assert_close(softmax_jvp(s.softmax(-1), u), backward, **CLOSE)


@pytest.mark.parametrize("moments", [(0.0, 1.0, 0.0, 1.0), (0.5, 2.0, -1.0, 3.0), (2.0, 0.25, 1.5, 0.5)])
def test_dot_product_variance_by_monte_carlo(moments):
    mean_q, var_q, mean_k, var_k = moments
    n, d = 40_000, 7
    q, k = randn(2, n, d, seed=5)
    dots = ((q * math.sqrt(var_q) + mean_q) * (k * math.sqrt(var_k) + mean_k)).sum(-1)
    squares = (dots - dots.mean()).square()
    error = squares.std().item() / math.sqrt(n)
    expected = dot_product_variance(d, *moments)
    assert abs(squares.mean().item() - expected) < 5 * error
    assert error < 0.02 * expected  # the estimate is sharp enough to see a missing term


def test_padded_keys_have_no_effect():
    layer = MultiHeadAttention(12, 3).double()
    x, context = randn(2, 5, 12), randn(2, 7, 12, seed=1)
    mask = padding_mask(torch.tensor([4, 6]), 7)
    before = layer(x, context, mask)
    context[0, 4:], context[1, 6:] = 99.0, -99.0
    torch.testing.assert_close(layer(x, context, mask), before, **CLOSE)


ATTENTIONS = {
    "explicit": lambda *a: scaled_dot_product_attention(*a)[0],
    "fast": fast_attention,
    "online": lambda *a: online_attention(*a, tile=3),
}


@pytest.mark.parametrize("attend", ATTENTIONS.values(), ids=ATTENTIONS)
@pytest.mark.parametrize("junk", [torch.nan, torch.inf, -torch.inf])
@pytest.mark.parametrize("mask", ["keys", "queries and keys", "batch"])
def test_a_key_that_nobody_sees_may_hold_anything(attend, junk, mask):
    q, k, v, _ = case((2, 3), 4, 7, 5, 6, seed=8)
    seen = {
        "keys": torch.arange(7) < 5,
        "queries and keys": (torch.arange(7) < 5)
        & (torch.rand(4, 7, generator=torch.Generator().manual_seed(0)) < 0.8),
        "batch": padding_mask(torch.tensor([5, 7]), 7),
    }[mask]
    unseen = ~torch.atleast_2d(seen).expand(2, 3, 4, 7).any(-2)
    results = []
    for value in (0.0, junk):
        inputs = [q.clone(), k.masked_fill(unseen[..., None], value), v.masked_fill(unseen[..., None], value)]
        inputs = [x.requires_grad_() for x in inputs]
        out = attend(*inputs, seen)
        results.append([out.detach(), *torch.autograd.grad(out.sum(), inputs)])
    assert unseen.any()
    for clean, with_junk in zip(*results, strict=True):
        assert torch.equal(clean, with_junk)


@pytest.mark.parametrize("attend", ATTENTIONS.values(), ids=ATTENTIONS)
def test_float16_holds_scores_whose_products_it_does_not(attend):
    """36 · 36 · 64 = 82,944 is above its largest number, 65,504; the scores, an eighth of that, are not."""
    sign = torch.tensor([[1.0], [-1.0]])
    q = (36 * sign).expand(2, 64).half()
    v = torch.tensor([[1.0], [3.0]]).half()
    for mask in (None, causal_mask(2)):
        out = attend(q, q, v, mask)
        assert out.flatten().tolist() == [1, 3]


def test_attention_alone_cannot_leave_the_values_hull():
    q, k, v, mask = case((2,), 4, 6, 5, 3, seed=8)
    out, _ = scaled_dot_product_attention(q, k, v, mask)
    assert (out <= v.amax(-2, keepdim=True) + 1e-12).all()
    assert (out >= v.amin(-2, keepdim=True) - 1e-12).all()


q, k, v = torch.ones(2, 3, 5), torch.ones(2, 7, 5), torch.ones(2, 7, 4)


WRONG_INPUTS = [
    ((q, torch.ones(2, 7, 6), v, None), ValueError, r"k: expected the d_head of q, 5, got 6"),
    ((q, k, torch.ones(2, 8, 4), None), ValueError, r"v: expected as many positions as k, 7, got 8"),
    ((q, k.double(), v, None), TypeError, r"k: expected the dtype of q, torch.float32, got torch.float64"),
    ((q.long(), k, v, None), TypeError, r"q: expected a floating-point tensor, got torch.int64"),
    ((torch.ones(5), k, v, None), ValueError, r"q: expected at least 2 axes .* got shape \(5,\)"),
    ((q, torch.ones(3, 7, 5), torch.ones(3, 7, 4), None), ValueError, r"q, k, v: .* q \(2,\), k \(3,\), v \(3,\)"),
    ((q, k, v, torch.ones(3, 7)), TypeError, r"mask: expected a boolean tensor, .* got torch.float32"),
    ((q, k, v, torch.ones(7, 3) > 0), ValueError, r"mask: .* \(2, 3, 7\), got \(7, 3\)"),
    ((q, k, v, torch.ones(4, 2, 3, 7) > 0), ValueError, r"mask: .* \(2, 3, 7\), got \(4, 2, 3, 7\)"),
    ((q[..., :0], k[..., :0], v, None), ValueError, r"q: expected at least one feature, got d_head = 0"),
    ((q, k.to("meta"), v, None), ValueError, r"k: expected the device of q, cpu, got meta"),
]


@pytest.mark.parametrize("attend", [scaled_dot_product_attention, fast_attention])
@pytest.mark.parametrize(("arguments", "error", "message"), WRONG_INPUTS)
def test_wrong_inputs_are_named(unchecked, attend, arguments, error, message):
    with pytest.raises(error, match=message):
        attend(*arguments)


def test_shapes_in_signatures_are_checked_in_the_tests():
    with pytest.raises(jaxtyping.TypeCheckError):
        split_heads(torch.ones(3, 4), 2)


def test_float32_rounds_but_does_not_drift():
    *qkv, mask = case((2, 3), 33, 65, 16, 8, seed=2)
    exact, _ = scaled_dot_product_attention(*qkv, mask)
    single = [x.float() for x in qkv]
    for out in (scaled_dot_product_attention(*single, mask)[0], fast_attention(*single, mask)):
        torch.testing.assert_close(out.double(), exact, rtol=1e-4, atol=2e-6)
