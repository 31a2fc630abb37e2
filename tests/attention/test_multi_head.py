"""Heads split and joined by hand, multi-head attention against PyTorch's, and layers that are called as modules."""

import pytest
import torch
from attention_cases import CLOSE, case, randn
from torch import nn
from torch.nn import functional as F

from course_lib.attention.masks import causal_mask
from course_lib.attention.multi_head import MultiHeadAttention, join_heads, split_heads


def test_heads_split_and_join():
    x = torch.arange(24.0).reshape(1, 2, 12)
    heads = split_heads(x, 3)
    assert heads.shape == (1, 3, 2, 4)
    assert heads[0, 1].tolist() == [[4, 5, 6, 7], [16, 17, 18, 19]]
    assert torch.equal(join_heads(heads), x)
    with pytest.raises(ValueError, match="n_heads: expected a divisor of d_model = 12, got 5"):
        split_heads(x, 5)


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("cross", [False, True])
def test_multi_head_attention_agrees_with_pytorchs(masked, cross):
    C, H, B, T, S = 12, 3, 2, 5, 7
    theirs = nn.MultiheadAttention(C, H, batch_first=True, dtype=torch.float64)
    ours = MultiHeadAttention(C, H, bias=True).double()
    for name, linear in zip(("query", "key", "value"), theirs.in_proj_weight.chunk(3), strict=True):
        getattr(ours, name).weight.data = linear.detach().clone()
    nn.init.normal_(theirs.in_proj_bias, generator=torch.Generator().manual_seed(1))
    for name, bias in zip(("query", "key", "value"), theirs.in_proj_bias.chunk(3), strict=True):
        getattr(ours, name).bias.data = bias.detach().clone()
    ours.output.load_state_dict(theirs.out_proj.state_dict())
    x, context = randn(B, T, C, seed=1), randn(B, S, C, seed=2) if cross else None
    keys = context if cross else x
    mask = case((), T, keys.shape[1], 2, 2, seed=4)[3] if masked else None
    outputs = []
    for module in (ours, theirs):
        inputs = x.clone().requires_grad_()
        if module is ours:
            out, weights = ours.attend(inputs, context, mask)
            torch.testing.assert_close(ours(inputs, context, mask), out, **CLOSE)
        else:
            asked = inputs if context is None else context
            forbidden = None if mask is None else ~mask
            out, weights = theirs(inputs, asked, asked, attn_mask=forbidden, average_attn_weights=False)
        (grad,) = torch.autograd.grad((out * randn(*out.shape, seed=3)).sum(), inputs)
        outputs.append((out.detach(), weights.detach(), grad))
    for a, b in zip(*outputs, strict=True):
        torch.testing.assert_close(a, b, **CLOSE)


@pytest.mark.parametrize("n_kv_heads", [1, 2, 6])
def test_grouped_queries_are_heads_with_shared_keys(n_kv_heads):
    C, H = 12, 6
    grouped = MultiHeadAttention(C, H, n_kv_heads).double()
    full = MultiHeadAttention(C, H).double()
    shared, d = H // n_kv_heads, C // H
    for name in ("key", "value"):
        weight = getattr(grouped, name).weight.data.view(n_kv_heads, d, C)
        getattr(full, name).weight.data = weight.repeat_interleave(shared, 0).reshape(C, C)
    full.query.weight.data, full.output.weight.data = grouped.query.weight.data, grouped.output.weight.data
    x = randn(2, 5, C)
    torch.testing.assert_close(grouped(x, mask=causal_mask(5)), full(x, mask=causal_mask(5)), **CLOSE)
    assert grouped.key.weight.shape == (d * n_kv_heads, C)


def test_grouped_queries_agree_with_pytorchs_flag():
    layer, x = MultiHeadAttention(12, 6, 2).double(), randn(2, 5, 12)
    q = split_heads(layer.query(x), 6)
    k, v = (split_heads(linear(x), 2) for linear in (layer.key, layer.value))
    theirs = layer.output(join_heads(F.scaled_dot_product_attention(q, k, v, enable_gqa=True)))
    torch.testing.assert_close(layer(x), theirs, **CLOSE)


@pytest.mark.parametrize("name", ["query", "key", "value"])
@pytest.mark.parametrize(
    "register",
    [
        "register_forward_pre_hook",
        "register_forward_hook",
        "register_full_backward_pre_hook",
        "register_full_backward_hook",
    ],
)
def test_a_hook_on_any_of_the_three_layers_fires(name, register):
    layer, calls = MultiHeadAttention(12, 3), []
    x = torch.randn(2, 5, 12, generator=torch.Generator().manual_seed(0)).requires_grad_()
    before = layer(x)
    handle = getattr(getattr(layer, name), register)(lambda module, *others: calls.append(module))
    after = layer(x)
    after.sum().backward()
    assert calls == [getattr(layer, name)]
    torch.testing.assert_close(after, before)
    handle.remove()
    layer(x).sum().backward()
    assert len(calls) == 1


def test_a_hook_on_every_module_fires():
    layer, calls = MultiHeadAttention(12, 3), []
    handle = nn.modules.module.register_module_forward_hook(lambda module, *others: calls.append(module))
    try:
        layer(torch.zeros(2, 5, 12))
    finally:
        handle.remove()
    assert {layer.query, layer.key, layer.value, layer.output} <= set(calls)


class LowRank(nn.Module):
    """A layer and a correction of rank 2 (Hu et al. 2021, LoRA)."""

    def __init__(self, layer):
        super().__init__()
        self.layer = layer
        self.down = nn.Parameter(randn(2, 12, seed=1))
        self.up = nn.Parameter(randn(layer.out_features, 2, seed=2))

    def forward(self, x):
        return self.layer(x) + x @ self.down.T @ self.up.T


@pytest.mark.parametrize("name", ["query", "key", "value"])
def test_a_layer_in_the_place_of_another_is_what_counts(name):
    layer, x = MultiHeadAttention(12, 3).double(), randn(2, 5, 12)
    merged = MultiHeadAttention(12, 3).double()
    merged.load_state_dict(layer.state_dict())
    setattr(layer, name, LowRank(getattr(layer, name)))
    wrapped = getattr(layer, name)
    getattr(merged, name).weight.data += wrapped.up.data @ wrapped.down.data
    torch.testing.assert_close(layer(x), merged(x), **CLOSE)
    layer(x).sum().backward()
    assert wrapped.up.grad.abs().min() > 0
    setattr(layer, name, MultiHeadAttention(12, 3).double().query)
    getattr(layer, name).forward = lambda x: torch.zeros_like(x)  # replaced in the object alone
    assert not layer.project(x)[("query", "key", "value").index(name)].any()


def test_wrong_modules_are_named(unchecked):
    with pytest.raises(ValueError, match="n_heads: expected a divisor of d_model = 10, got 3"):
        MultiHeadAttention(10, 3)
    with pytest.raises(ValueError, match="n_kv_heads: expected a divisor of n_heads = 4, got 3"):
        MultiHeadAttention(12, 4, 3)
    layer = MultiHeadAttention(12, 4)
    with pytest.raises(ValueError, match=r"x: expected \(batch, positions, d_model = 12\), got \(2, 5, 11\)"):
        layer(torch.ones(2, 5, 11))
    with pytest.raises(ValueError, match=r"context: expected .* got \(5, 12\)"):
        layer(torch.ones(2, 5, 12), torch.ones(5, 12))
