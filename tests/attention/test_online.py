"""The online softmax against the softmax, online attention against the explicit one, bytes against what autograd keeps."""

# ruff: noqa: E741 (m, l, o are the papers' letters)

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from course_lib.attention.dot_product import scaled_dot_product_attention
from course_lib.attention.masks import causal_mask
from course_lib.attention.online import attention_bytes, online_attention, online_softmax_update

CLOSE = {"rtol": 1e-10, "atol": 1e-12}
f64 = torch.float64


def randn(*shape, seed=0):
    return torch.randn(*shape, dtype=f64, generator=torch.Generator().manual_seed(seed))


def start(*shape, d):
    return torch.full(shape, -torch.inf, dtype=f64), torch.zeros(shape, dtype=f64), torch.zeros(*shape, d, dtype=f64)


def test_one_update_by_hand():
    """A score 0 with value 1, then a score ln 2 with value 4: (1·1 + 2·4) / 3."""
    state = torch.zeros(1, dtype=f64), torch.ones(1, dtype=f64), torch.ones(1, 1, dtype=f64)
    m, l, o = online_softmax_update(
        *state, torch.tensor([[math.log(2)]], dtype=f64), torch.full((1, 1), 4.0, dtype=f64)
    )
    assert (m.item(), l.item(), o.item()) == pytest.approx((math.log(2), 1.5, 4.5))


@settings(max_examples=40, deadline=None)
@given(S=st.integers(1, 12), tile=st.integers(1, 13), scale=st.floats(0.1, 900), seed=st.integers(0, 10**6))
def test_any_cut_into_tiles_gives_the_softmax(S, tile, scale, seed):
    """Scores of several hundred too, whose exponentials no float64 holds."""
    scores, values = scale * randn(2, 3, S, seed=seed), randn(2, S, 4, seed=seed + 1)
    m, l, o = start(2, 3, d=4)
    for a in range(0, S, tile):
        m, l, o = online_softmax_update(m, l, o, scores[..., a : a + tile], values[:, a : a + tile])
    torch.testing.assert_close(o / l[..., None], scores.softmax(-1) @ values, rtol=1e-9, atol=1e-11)
    torch.testing.assert_close(m + l.log(), scores.logsumexp(-1), **CLOSE)


def test_the_order_of_tiles_does_not_matter_and_forbidden_tiles_change_nothing():
    scores, values = randn(3, 5), randn(5, 2, seed=1)
    one = online_softmax_update(*start(3, d=2), scores, values)
    nothing = torch.full((3, 4), -torch.inf, dtype=f64), randn(4, 2, seed=2)
    for state in (
        online_softmax_update(*online_softmax_update(*start(3, d=2), *nothing), scores, values),
        online_softmax_update(*one, *nothing),
        online_softmax_update(
            *online_softmax_update(*start(3, d=2), scores[:, 3:], values[3:]), scores[:, :3], values[:3]
        ),
    ):
        for a, b in zip(state, one, strict=True):
            torch.testing.assert_close(a, b, **CLOSE)


def some_mask(kind, shape):
    mask = torch.rand(shape, generator=torch.Generator().manual_seed(4)) < 0.5
    if kind == "some rows nowhere":
        mask[..., 1, :] = False
        mask[..., 0, -1] = True
    else:
        mask[..., 0] = True
    return mask


BATCHES = [((), ()), ((2,), (2,)), ((2, 3), (2, 3)), ((2, 1), (3,)), ((1, 1), (1, 1))]


@pytest.mark.parametrize(("q_batch", "k_batch"), BATCHES)
@pytest.mark.parametrize("kind", ["none", "random", "some rows nowhere", "broadcast", "causal"])
@pytest.mark.parametrize("tile", [1, 3, 128])
def test_agrees_with_the_explicit_one_in_values_and_gradients(q_batch, k_batch, kind, tile):
    T, S, d, dv = 5, 7, 6, 4
    qkv = randn(*q_batch, T, d, seed=1), randn(*k_batch, S, d, seed=2), randn(*k_batch, S, dv, seed=3)
    batch = torch.broadcast_shapes(q_batch, k_batch)
    masks = {
        "none": None,
        "random": some_mask("random", (T, S)),
        "some rows nowhere": some_mask("some rows nowhere", (*batch, T, S)),
        "broadcast": torch.arange(S)[None] % 3 < 2,
        "causal": causal_mask(T, S),
    }
    mask = masks[kind]
    results = []
    for function in (lambda *a: online_attention(*a, tile=tile), lambda *a: scaled_dot_product_attention(*a)[0]):
        inputs = [x.clone().requires_grad_() for x in qkv]
        out = function(*inputs, mask)
        results.append([out.detach(), *torch.autograd.grad((out * randn(*out.shape, seed=9)).sum(), inputs)])
    for ours, theirs in zip(*results, strict=True):
        torch.testing.assert_close(ours, theirs, **CLOSE)
    if kind == "some rows nowhere":
        assert not results[0][0][..., 1, :].any()


@pytest.mark.parametrize("masked", [False, True])
def test_gradcheck(masked):
    qkv = [randn(2, 4, 3, seed=s).requires_grad_() for s in (1, 2)] + [randn(2, 4, 2, seed=3).requires_grad_()]
    mask = torch.tensor([[1, 0, 1, 0], [0, 0, 0, 0], [1, 1, 1, 1], [0, 0, 0, 1]], dtype=torch.bool) if masked else None
    assert torch.autograd.gradcheck(lambda q, k, v: online_attention(q, k, v, mask, tile=3), qkv)


def test_large_scores_do_not_overflow_and_float32_does_not_drift():
    q, k, v = randn(3, 200, 16) * 30, randn(3, 200, 16, seed=1) * 30, randn(3, 200, 16, seed=2)
    torch.testing.assert_close(online_attention(q, k, v), scaled_dot_product_attention(q, k, v)[0], **CLOSE)
    q, k = q / 30, k / 30
    single = online_attention(*(x.float() for x in (q, k, v)), tile=32)
    torch.testing.assert_close(single.double(), scaled_dot_product_attention(q, k, v)[0], rtol=1e-4, atol=2e-6)


def test_without_keys_there_is_nothing():
    out = online_attention(randn(3, 4), randn(0, 4), randn(0, 2))
    assert torch.equal(out, torch.zeros(3, 2, dtype=f64))


def test_gradients_of_gradients_are_refused_not_wrong():
    q = randn(3, 4).requires_grad_()
    (grad,) = torch.autograd.grad(online_attention(q, q, q).square().sum(), q, create_graph=True)
    with pytest.raises(RuntimeError, match="once_differentiable"):
        grad.sum().backward()


def kept(function, *inputs):
    """Bytes of the different storages that autograd keeps."""
    storages = {}

    def pack(t):
        storages[t.untyped_storage().data_ptr()] = t.untyped_storage().nbytes()
        return t

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda t: t):
        out = function(*inputs)
    assert out.requires_grad
    return sum(storages.values())


@pytest.mark.parametrize(
    ("H", "T", "d", "dtype"), [(1, 300, 16, torch.float32), (3, 130, 8, f64), (2, 64, 32, torch.float32)]
)
def test_bytes_are_what_autograd_keeps(H, T, d, dtype):
    inputs = [torch.randn(H, T, d, dtype=dtype, requires_grad=True) for _ in range(3)]
    explicit, online = attention_bytes(H, T, d, dtype.itemsize)
    assert kept(lambda *a: scaled_dot_product_attention(*a)[0], *inputs) == explicit
    assert kept(lambda *a: online_attention(*a, tile=32), *inputs) == online


def test_wrong_inputs_are_named(unchecked):
    x = torch.ones(3, 4)
    with pytest.raises(ValueError, match="tile: expected at least 1 key at a time, got 0"):
        online_attention(x, x, x, tile=0)
    with pytest.raises(ValueError, match="k: expected the d_head of q, 4, got 5"):
        online_attention(x, torch.ones(3, 5), x)
    with pytest.raises(TypeError, match="mask: expected a boolean"):
        online_attention(x, x, x, torch.ones(3, 3))
