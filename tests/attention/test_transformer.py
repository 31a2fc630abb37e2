"""transformer.py: configurations, counts, PyTorch's own stack, causality, the cache, the window."""

import copy

import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.flop_counter import FlopCounterMode

from course_lib.attention.dot_product import fast_attention, scaled_dot_product_attention
from course_lib.attention.masks import causal_mask, is_causal
from course_lib.attention.transformer import (
    MODERN,
    KVCache,
    Transformer,
    TransformerConfig,
    forward_flops,
    parameter_count,
)

SIZES = {"vocab_size": 13, "context_length": 7, "n_layers": 3, "n_heads": 2, "d_model": 20}
KINDS = {"gpt2": {}, "rotary": {"positions": "rotary"}, "modern": MODERN}


def model_of(seed=0, spread=0.3, **choices):
    """A model in float64 whose weights are all far from zero."""
    torch.manual_seed(seed)
    model = Transformer(TransformerConfig(**SIZES | choices)).double()
    for parameter in model.parameters():
        nn.init.normal_(parameter, std=spread)
    return model


def tokens_of(*shape, seed=1):
    return torch.randint(13, shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"n_heads": 3}, "n_heads: expected a divisor of d_model = 20, got 3"),
        ({"n_layers": 0}, "n_layers: expected at least 1, got 0"),
        ({"dropout": 1.0}, "dropout: expected a probability below 1, got 1.0"),
        ({"positions": "none"}, "positions: expected learned or rotary, got 'none'"),
        ({"positions": "rotary", "n_heads": 4}, "rotary positions need an even d_head, got 20 / 4"),
        ({"activation": "relu"}, "activation: expected gelu or relu2, got 'relu'"),
    ],
)
def test_a_configuration_that_cannot_be_built_says_so(wrong, message):
    with pytest.raises(ValueError, match=message):
        TransformerConfig(**SIZES | wrong)


@pytest.mark.parametrize("choices", KINDS.values(), ids=KINDS)
def test_counts_on_paper_are_those_of_the_model(choices):
    config = TransformerConfig(**SIZES | choices)
    model = Transformer(config)
    assert parameter_count(config) == sum(p.numel() for p in model.parameters())
    for block in model.blocks:  # the counter does not know the CPU's fused kernel
        block.attend = lambda q, k, v, cache, layer: scaled_dot_product_attention(q, k, v, causal_mask(5))[0]
    with FlopCounterMode(display=False) as counter:
        model(tokens_of(1, 5))
    assert counter.get_total_flops() == forward_flops(config, 5)


def test_outputs_and_gradients_are_those_of_pytorchs_own_stack():
    model, tokens = model_of(), tokens_of(2, 7)
    layer = nn.TransformerEncoderLayer(
        20, 2, 80, 0.0, activation="gelu", batch_first=True, norm_first=True, bias=False, dtype=torch.float64
    )
    stack = nn.TransformerEncoder(layer, 3, norm=copy.deepcopy(model.norm), enable_nested_tensor=False)
    pairs = []
    for ours, theirs in zip(model.blocks, stack.layers, strict=True):
        a = ours.attention
        pairs += [
            (theirs.self_attn.in_proj_weight, (a.query.weight, a.key.weight, a.value.weight)),
            (theirs.self_attn.out_proj.weight, (a.output.weight,)),
            (theirs.linear1.weight, (ours.feed_forward.up.weight,)),
            (theirs.linear2.weight, (ours.feed_forward.down.weight,)),
            (theirs.norm1.weight, (ours.norm_1.weight,)),
            (theirs.norm2.weight, (ours.norm_2.weight,)),
        ]
    with torch.no_grad():
        for theirs, ours in pairs:
            theirs.copy_(torch.cat(ours))
    table, places = (p.detach().clone().requires_grad_() for p in (model.embedding.weight, model.positions.table))
    expected = stack(table[tokens] + places, mask=~causal_mask(7)) @ table.T
    logits = model(tokens)
    torch.testing.assert_close(logits, expected, rtol=1e-10, atol=1e-10)
    weights = torch.randn(logits.shape, dtype=torch.float64)
    (logits * weights).sum().backward()
    (expected * weights).sum().backward()
    torch.testing.assert_close(model.embedding.weight.grad, table.grad, rtol=1e-8, atol=1e-8)  # tied: both uses
    torch.testing.assert_close(model.positions.table.grad, places.grad, rtol=1e-8, atol=1e-8)
    for theirs, ours in pairs:
        torch.testing.assert_close(torch.cat([p.grad for p in ours]), theirs.grad, rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize("choices", KINDS.values(), ids=KINDS)
def test_no_logit_depends_on_a_later_token(choices):
    model, tokens = model_of(**choices), tokens_of(1, 7)
    for t in range(6):
        changed = tokens.clone()
        changed[:, t + 1 :] = (changed[:, t + 1 :] + 5) % 13
        gap = (model(changed) - model(tokens)).abs().amax(-1)[0]
        assert gap[: t + 1].max() == 0
        assert gap[t + 1 :].min() > 1e-6
    block = model.blocks[0]
    assert is_causal(lambda x: block(x[None])[0], torch.randn(6, 20, dtype=torch.float64))


@pytest.mark.parametrize("choices", KINDS.values(), ids=KINDS)
@pytest.mark.parametrize("batch", [1, 3])
def test_a_cache_changes_nothing(choices, batch):
    model = model_of(**choices)
    tokens = tokens_of(batch, 25 if choices else 7)  # rotary goes on past the context of 7
    whole = model(tokens)
    for first in (1, 4, 7, 10) if choices else (1, 4):
        cache = KVCache(model.config, batch, dtype=torch.float64)
        pieces = [model(tokens[:, :first], cache)]
        pieces += [model(tokens[:, t : t + 1], cache) for t in range(first, tokens.shape[1])]
        torch.testing.assert_close(torch.cat(pieces, dim=1), whole, rtol=1e-9, atol=1e-9)
        assert cache.length == tokens.shape[1]


def test_what_does_not_fit_is_refused():
    model, tokens = model_of(), tokens_of(1, 8)
    with pytest.raises(ValueError, match="learned positions end at context_length = 7, got 8"):
        model(tokens)
    with pytest.raises(ValueError, match="tokens: expected at least one position, got 0"):
        model(tokens[:, :0])
    cache = KVCache(model.config, 1, dtype=torch.float64)
    model(tokens[:, :3], cache)
    with pytest.raises(ValueError, match="a cache that holds 3 positions expected one new token, got 2"):
        model(tokens[:, 3:5], cache)
    for t in range(3, 7):
        model(tokens[:, t : t + 1], cache)
    with pytest.raises(ValueError, match="got 8"):
        model(tokens[:, 7:], cache)


def test_one_rotary_layer_sees_exactly_its_window():
    model, tokens = model_of(n_layers=1, positions="rotary"), tokens_of(1, 20)
    changed = tokens.clone()
    changed[0, 4] = (changed[0, 4] + 1) % 13
    moved = (model(changed) - model(tokens)).abs().amax(-1)[0] > 1e-9
    assert moved.nonzero().flatten().tolist() == list(range(4, 11))  # 7 positions, itself the first


def test_rotary_logits_do_not_depend_on_where_the_text_begins():
    model, tokens = model_of(positions="rotary", qk_norm=True), tokens_of(1, 5)
    x, phases = model.embed(tokens)
    _, later = model.embed(tokens, seen=1000)
    for block in model.blocks:
        torch.testing.assert_close(block(x, later), block(x, phases), rtol=1e-7, atol=1e-7)


def test_with_a_zero_start_the_model_begins_as_its_embedding():
    torch.manual_seed(0)
    model = Transformer(TransformerConfig(**SIZES | MODERN))
    tokens = tokens_of(2, 7)
    alone = F.linear(model.norm(model.embedding(tokens)), model.embedding.weight)
    torch.testing.assert_close(model(tokens), alone)
    assert any(p is model.embedding.weight for p in model.parameters())


def test_dropout_is_for_training_alone():
    model, tokens = model_of(dropout=0.5), tokens_of(1, 7)
    assert not torch.equal(model(tokens), model(tokens))
    model.eval()
    assert torch.equal(model(tokens), model(tokens))


@pytest.mark.parametrize("choices", KINDS.values(), ids=KINDS)
def test_queries_and_keys_are_those_that_attention_compares(choices):
    model, tokens, seen = model_of(**choices), tokens_of(1, 7), []
    for block in model.blocks:
        inner = block.attend
        block.attend = lambda q, k, v, c, n, inner=inner: (seen.append((q, k)), inner(q, k, v, c, n))[1]
    model(tokens)
    q, k = (torch.stack(side) for side in zip(*seen, strict=True))
    for block in model.blocks:
        del block.attend
    for mine, theirs in zip(model.queries_and_keys(tokens), (q, k), strict=True):
        torch.testing.assert_close(mine, theirs)


@pytest.mark.parametrize(
    ("dtype", "tolerance"), [(torch.bfloat16, 0.03), (torch.float32, 1e-5), (torch.float64, 1e-10)]
)
def test_the_causal_path_is_attention_under_a_causal_mask(dtype, tolerance):
    generator = torch.Generator().manual_seed(3)
    *exact, weights = [torch.randn(2, 3, 6, 5, dtype=torch.float64, generator=generator) for _ in range(4)]
    results = []
    for run in (
        lambda *a: fast_attention(*a, causal=True),
        lambda *a: scaled_dot_product_attention(*a, causal_mask(6))[0],
    ):
        kind = dtype if not results else torch.float64
        inputs = [x.to(kind, copy=True).requires_grad_() for x in exact]
        output = run(*inputs)
        results.append([output, *torch.autograd.grad((output * weights.to(kind)).sum(), inputs)])
    for fast, slow in zip(*results, strict=True):
        torch.testing.assert_close(fast.double(), slow, rtol=tolerance, atol=3 * tolerance)


def test_the_causal_path_takes_no_mask_and_no_other_lengths():
    q, k = torch.zeros(1, 3, 4), torch.zeros(1, 5, 4)
    with pytest.raises(ValueError, match="causal: expected as many queries as keys and no mask, got 3 and 5"):
        fast_attention(q, k, k, causal=True)
    with pytest.raises(ValueError, match="with a mask"):
        fast_attention(q, q, q, causal_mask(3), causal=True)
