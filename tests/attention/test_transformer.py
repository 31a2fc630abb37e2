"""transformer.py: configurations, counts, PyTorch's own stack, causality, the cache, the window."""

import copy
import dataclasses
import json
import math
from functools import partial

import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.flop_counter import FlopCounterMode

from course_lib.attention.dot_product import fast_attention, scaled_dot_product_attention
from course_lib.attention.masks import causal_mask, is_causal
from course_lib.attention.transformer import (
    KVCache,
    Transformer,
    TransformerConfig,
    forward_flops,
    modern,
    parameter_count,
)

SIZES = {"vocab_size": 13, "context_length": 7, "n_layers": 3, "n_heads": 2, "d_model": 20}
KINDS = {"gpt2": TransformerConfig, "rotary": partial(TransformerConfig, positions="rotary"), "modern": modern}


def model_of(make=TransformerConfig, seed=0, spread=0.3, **choices):
    """A model in float64 whose weights are all far from zero."""
    torch.manual_seed(seed)
    model = Transformer(make(**SIZES | choices)).double()
    for parameter in model.parameters():
        nn.init.normal_(parameter, std=spread)
    return model


def tokens_of(*shape, seed=1):
    return torch.randint(13, shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"n_heads": 3}, "n_heads: expected a divisor of d_model = 20, got 3"),
        ({"n_layers": 0}, "n_layers: expected a whole number of at least 1, got 0"),
        ({"d_model": 20.0}, "d_model: expected a whole number of at least 1, got 20.0"),
        ({"n_layers": True}, "n_layers: expected a whole number of at least 1, got True"),
        ({"dropout": 1.0}, "dropout: expected a probability below 1, got 1.0"),
        ({"positions": "none"}, "positions: expected learned or rotary, got 'none'"),
        ({"positions": "rotary", "n_heads": 4}, "rotary positions need an even d_head, got 20 / 4"),
        ({"activation": "relu"}, "activation: expected gelu or relu2, got 'relu'"),
        ({"qk_norm": "no"}, "qk_norm: expected True or False, got 'no'"),
        ({"token_shift": 2}, "token_shift: expected True or False, got 2"),
    ],
)
def test_a_configuration_that_cannot_be_built_says_so(unchecked, wrong, message):
    for make in (TransformerConfig, modern):
        if "rotary" not in message or make is TransformerConfig:
            with pytest.raises(ValueError, match=message):
                make(**SIZES | wrong)


def test_a_modern_configuration_is_five_changes_each_of_which_can_be_undone():
    changed = {"positions": "rotary", "activation": "relu2", "qk_norm": True, "zero_init": True, "token_shift": True}
    plain, new = TransformerConfig(**SIZES), modern(**SIZES)
    assert dataclasses.asdict(new) == dataclasses.asdict(plain) | changed
    for name in changed:
        undone = modern(**SIZES, **{name: getattr(plain, name)})
        assert undone == dataclasses.replace(new, **{name: getattr(plain, name)}) != new
    assert (
        TransformerConfig(**json.loads(json.dumps(dataclasses.asdict(new)))) == new
    )  # as the shipped model's is stored
    with pytest.raises(TypeError, match="heads"):
        modern(**SIZES, heads=3)


@pytest.mark.parametrize("make", KINDS.values(), ids=KINDS)
def test_counts_on_paper_are_those_of_the_model(make):
    config = make(**SIZES)
    model = Transformer(config)
    assert parameter_count(config) == sum(p.numel() for p in model.parameters())
    for block in model.blocks:  # the counter does not know the CPU's fused kernel
        block.attend = lambda q, k, v, memory: scaled_dot_product_attention(q, k, v, causal_mask(5))[0]
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


def layer_norm(row, weight=None):
    """One row of numbers with mean 0 and variance 1, but for ε = 1e-5, times weight."""
    mean = sum(row) / len(row)
    variance = sum((x - mean) ** 2 for x in row) / len(row)
    weight = [1.0] * len(row) if weight is None else weight.tolist()
    return [w * (x - mean) / math.sqrt(variance + 1e-5) for x, w in zip(row, weight, strict=True)]


def times(matrix, row):
    return [sum(m * x for m, x in zip(weights, row, strict=True)) for weights in matrix.tolist()]


def turned(row, t):
    """Pair i of a head's query or key as a complex number, times e^{i t · 10000^(−2i/d)}."""
    found = []
    for i in range(0, len(row), 2):
        angle = t * 10_000.0 ** (-i / len(row))
        a, b = row[i : i + 2]
        found += [a * math.cos(angle) - b * math.sin(angle), a * math.sin(angle) + b * math.cos(angle)]
    return found


def shifted(rows, amount):
    """Every row plus amount times the one before it, nothing before the first."""
    before = [[0.0] * len(rows[0]), *rows[:-1]]
    return [
        [x + a * p for x, a, p in zip(row, amount, past, strict=True)] for row, past in zip(rows, before, strict=True)
    ]


def written_out_modern(model, tokens):
    """The logits of a modern model by Python's numbers alone, one position, head and feature after the other."""
    config, state = model.config, model.state_dict()
    H, d = config.n_heads, config.d_model // config.n_heads
    stream = [state["embedding.weight"][token].tolist() for token in tokens]
    for layer in range(config.n_layers):
        of = {name.removeprefix(f"blocks.{layer}."): x for name, x in state.items()}
        read = shifted([layer_norm(row, of["norm_1.weight"]) for row in stream], of["shifts.0.amount"].tolist())
        q, k, v = ([times(of[f"attention.{name}.weight"], row) for row in read] for name in ("query", "key", "value"))
        for t in range(len(tokens)):
            joined = []
            for part in (slice(h * d, h * d + d) for h in range(H)):
                asks = turned(layer_norm(q[t][part]), t)
                seen = range(max(0, t + 1 - config.context_length), t + 1)
                scores = [
                    sum(a * b for a, b in zip(asks, turned(layer_norm(k[s][part]), s), strict=True)) for s in seen
                ]
                weights = [math.exp(score / math.sqrt(d)) for score in scores]
                joined += [
                    sum(w * v[s][part][i] for w, s in zip(weights, seen, strict=True)) / sum(weights) for i in range(d)
                ]
            stream[t] = [x + y for x, y in zip(stream[t], times(of["attention.output.weight"], joined), strict=True)]
        read = shifted([layer_norm(row, of["norm_2.weight"]) for row in stream], of["shifts.1.amount"].tolist())
        for t, row in enumerate(read):
            hidden = [max(x, 0.0) ** 2 for x in times(of["feed_forward.up.weight"], row)]
            stream[t] = [x + y for x, y in zip(stream[t], times(of["feed_forward.down.weight"], hidden), strict=True)]
    return [times(state["embedding.weight"], layer_norm(row, state["norm.weight"])) for row in stream]


@pytest.mark.parametrize("seed", range(3))
def test_the_modern_model_is_what_a_loop_over_numbers_gives(seed):
    """Eleven positions with a context of seven: the window counts too."""
    model, tokens = model_of(modern, seed=seed), tokens_of(1, 11, seed=seed)
    expected = torch.tensor(written_out_modern(model, tokens[0].tolist()), dtype=torch.float64)
    torch.testing.assert_close(model(tokens)[0], expected, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("make", KINDS.values(), ids=KINDS)
def test_no_logit_depends_on_a_later_token(make):
    model, tokens = model_of(make), tokens_of(1, 7)
    for t in range(6):
        changed = tokens.clone()
        changed[:, t + 1 :] = (changed[:, t + 1 :] + 5) % 13
        gap = (model(changed) - model(tokens)).abs().amax(-1)[0]
        assert gap[: t + 1].max() == 0
        assert gap[t + 1 :].min() > 1e-6
    block = model.blocks[0]
    assert is_causal(lambda x: block(x[None])[0], torch.randn(6, 20, dtype=torch.float64))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("batch", [1, 3])
def test_a_cache_changes_nothing(kind, batch):
    model = model_of(KINDS[kind])
    tokens = tokens_of(batch, 7 if kind == "gpt2" else 25)  # rotary goes on past the context of 7
    whole = model(tokens)
    for first in (1, 4) if kind == "gpt2" else (1, 4, 7, 10):
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


@pytest.mark.parametrize("outside", [13, -1])
def test_a_token_outside_the_vocabulary_is_named(outside):
    model, tokens = model_of(), tokens_of(2, 5)
    tokens[1, 3] = outside
    with pytest.raises(ValueError, match=f"tokens: expected symbols from 0 to 12, got {outside}"):
        model(tokens)
    with pytest.raises(ValueError, match="tokens: expected the device of the model, cpu, got meta"):
        model(tokens_of(2, 5).to("meta"))


def test_queries_and_keys_have_one_type_under_the_autocast_of_a_gpu(monkeypatch):
    """There ``layer_norm`` gives float32 whatever comes in, on the CPU bfloat16: attention wants one type."""
    inner = F.layer_norm
    monkeypatch.setattr(F, "layer_norm", lambda x, *others: inner(x.float(), *others))
    model, tokens = Transformer(modern(**SIZES)), tokens_of(2, 7)
    with torch.autocast("cpu", torch.bfloat16):
        q, _, v = model.blocks[0].project(model.embedding(tokens), model.embed(tokens)[1])
        assert q.dtype == v.dtype == torch.bfloat16
        assert model(tokens).isfinite().all()


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
    model = Transformer(modern(**SIZES))
    tokens = tokens_of(2, 7)
    alone = F.linear(model.norm(model.embedding(tokens)), model.embedding.weight)
    torch.testing.assert_close(model(tokens), alone)


def test_dropout_is_for_training_alone():
    model, tokens = model_of(dropout=0.5), tokens_of(1, 7)
    assert not torch.equal(model(tokens), model(tokens))
    model.eval()
    assert torch.equal(model(tokens), model(tokens))


@pytest.mark.parametrize("make", KINDS.values(), ids=KINDS)
def test_queries_and_keys_are_those_that_attention_compares(make):
    model, tokens, seen = model_of(make), tokens_of(1, 7), []
    for block in model.blocks:
        inner = block.attend
        block.attend = lambda q, k, v, memory, inner=inner: (seen.append((q, k)), inner(q, k, v, memory))[1]
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
