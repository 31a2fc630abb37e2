"""References that live with a lesson, each against a truth that was not made with it: PyTorch's own, a loop, a count."""

import math
from collections import Counter
from fractions import Fraction
from itertools import pairwise

import pytest
import torch
from made import seeded
from torch import nn
from torch.distributions import MultivariateNormal, Normal, kl_divergence
from torch.nn import functional as F
from torch.utils.flop_counter import FlopCounterMode

from course_lib.attention.dot_product import cached_attention, scaled_dot_product_attention
from course_lib.attention.masks import causal_mask
from course_lib.attention.transformer import Transformer, TransformerConfig
from course_lib.chapters.ch00b_notation.conventions import bits_per_character, logvar_from, may_attend
from course_lib.chapters.ch01b_codes.contexts import context_counts
from course_lib.chapters.ch02b_attention_reads.heads import weight_by_distance
from course_lib.chapters.ch04b_long_range.lookup import look_up
from course_lib.chapters.ch06b_linear_vae.solved import best_linear_encoder
from course_lib.chapters.ch07_vae_training.draws import effective_draws
from course_lib.chapters.ch07_vae_training.loss import batch_loss
from course_lib.chapters.ch08_vae_in_use.chain import log_acceptance
from course_lib.chapters.ch09b_divergences.reverse_kl import reverse_kl_loss
from course_lib.chapters.ch13_how_much_data.times import training_seconds
from course_lib.chapters.ch14b_many_devices.costs import training_days
from course_lib.chapters.ch14b_many_devices.parts import whole_gradient

f64 = torch.float64
GAUSSIANS = {  # meaning of a number → PyTorch's Gaussian that is given it
    "std": lambda value: Normal(0.0, value),
    "log_std": lambda value: Normal(0.0, value.exp()),
    "logvar": lambda value: Normal(0.0, value.exp().sqrt()),
    "variance": lambda value: MultivariateNormal(torch.zeros(1, dtype=f64), value[None, None]),
    "precision": lambda value: MultivariateNormal(torch.zeros(1, dtype=f64), precision_matrix=value[None, None]),
}


@pytest.mark.parametrize("meaning", GAUSSIANS)
@pytest.mark.parametrize("value", [0.3, 1.7])
def test_a_log_variance_is_that_of_torchs_gaussian(meaning, value):
    value = torch.tensor(value, dtype=f64)
    variance = GAUSSIANS[meaning](value).variance.squeeze()
    torch.testing.assert_close(logvar_from(value, meaning), variance.log(), rtol=1e-12, atol=1e-12)


def test_bits_per_character_are_all_surprises_in_bits_over_the_characters():
    logits, tokens = torch.randn(11, 6, dtype=f64, generator=seeded()), torch.arange(11) % 6
    surprises = [-math.log2(row.softmax(0)[token]) for row, token in zip(logits, tokens, strict=True)]
    found = bits_per_character(F.cross_entropy(logits, tokens), 11, 37)
    assert found.item() == pytest.approx(sum(surprises) / 37, rel=1e-12)


def test_a_mask_allows_where_torchs_attention_has_weight():
    x, one = torch.randn(5, 4, dtype=f64, generator=seeded()), torch.eye(5, dtype=f64)
    allowed = torch.rand(5, 5, generator=seeded(1)) < 0.5
    allowed |= torch.eye(5, dtype=torch.bool)
    additive = torch.zeros(5, 5, dtype=f64).masked_fill(~allowed, -torch.inf)
    module = nn.MultiheadAttention(4, 2, dtype=f64)
    for mask, writes, weights in (
        (allowed, "allowed", F.scaled_dot_product_attention(x, x, one, attn_mask=allowed)),
        (additive, "additive", F.scaled_dot_product_attention(x, x, one, attn_mask=additive)),
        (~allowed, "masked", module(x, x, x, attn_mask=~allowed)[1]),
    ):
        assert torch.equal(may_attend(mask, writes), weights > 0)


@pytest.mark.parametrize("k", [0, 1, 3])
@pytest.mark.parametrize("length", [0, 2, 60])
def test_counts_after_a_context_are_those_of_strings(k, length):
    past = torch.randint(3, (length,), generator=seeded())
    letters = "".join("abc"[symbol] for symbol in past)
    context = letters[len(letters) - k :]
    seen = Counter(letters[i] for i in range(k, len(letters)) if letters[i - k : i] == context)
    assert context_counts(past, k, 4).tolist() == [1 + seen[letter] for letter in "abcd"]


def test_weights_by_distance_are_sums_over_pairs():
    weights = torch.rand(2, 7, 7, dtype=f64, generator=seeded()).tril()
    for head, found in zip(weights.tolist(), weight_by_distance(weights, 3).tolist(), strict=True):
        pairs = [[head[query][query - back] for query in range(2, 7)] for back in range(3)]
        assert found == pytest.approx([sum(each) / 5 for each in pairs], rel=1e-12)


def test_a_look_up_is_a_loop_over_numbers_and_finds_what_followed():
    tokens, score = [2, 0, 3, 2, 1, 2], 1.5
    found = look_up(torch.tensor(tokens), 5, score)
    for t, asked in enumerate(tokens):
        fits = [math.exp(score * (s > 0 and tokens[s - 1] == asked)) for s in range(t + 1)]
        row = [sum(e for e, symbol in zip(fits, tokens, strict=False) if symbol == v) / sum(fits) for v in range(5)]
        assert found[t].tolist() == pytest.approx(row, rel=1e-12)
    certain = look_up(torch.tensor(tokens), 5, 200.0)[-1]
    followed = [after for before, after in pairwise(tokens) if before == tokens[-1]]
    assert {v for v in range(5) if certain[v] > 1e-9} == set(followed) == {0, 1}


def test_attention_with_a_cache_is_pytorchs_causal_attention_row_by_row():
    q, k, v = torch.randn(3, 2, 6, 4, dtype=f64, generator=seeded())
    whole = F.scaled_dot_product_attention(q, k, v, is_causal=True)
    keys, values = k[:, :0], v[:, :0]
    for t in range(6):
        now = slice(t, t + 1)
        output, keys, values = cached_attention(q[:, now], k[:, now], v[:, now], keys, values)
        torch.testing.assert_close(output, whole[:, now], rtol=1e-10, atol=1e-12)
        assert torch.equal(keys, k[:, : t + 1])
        assert torch.equal(values, v[:, : t + 1])


def test_the_best_linear_encoder_is_nearest_to_the_gaussian_that_pytorch_conditions():
    W, s2 = torch.randn(5, 3, dtype=f64, generator=seeded()), 0.3
    x = torch.randn(5, dtype=f64, generator=seeded(1))
    V, D = best_linear_encoder(W, s2)
    of_x = W @ W.T + s2 * torch.eye(5, dtype=f64)  # the joint Gaussian of z and x, conditioned on x
    mean = W.T @ torch.linalg.solve(of_x, x)
    posterior = MultivariateNormal(mean, torch.eye(3, dtype=f64) - W.T @ torch.linalg.solve(of_x, W))
    torch.testing.assert_close(V @ x, mean, rtol=1e-10, atol=1e-10)

    def gap(log_d):
        return kl_divergence(MultivariateNormal(V @ x, log_d.exp().diag()), posterior)

    log_d = D.log().requires_grad_()
    (slope,) = torch.autograd.grad(gap(log_d), log_d)
    assert slope.abs().max() < 1e-9  # no other diagonal is nearer: the KL is convex in ln D
    assert gap(log_d + 0.1) > gap(log_d) < gap(log_d - 0.1)


def test_the_loss_of_a_batch_is_torchs_sums_over_the_batch():
    generator = seeded()
    x = (torch.rand(4, 7, dtype=f64, generator=generator) < 0.5).double()
    logits = torch.randn(4, 7, dtype=f64, generator=generator)
    mu, logvar = torch.randn(2, 4, 3, dtype=f64, generator=generator)
    loss, recon, kl = batch_loss(x, logits, mu, logvar, 0.7)
    squeezed = F.binary_cross_entropy_with_logits(logits, x, reduction="sum") / 4
    nats = kl_divergence(Normal(mu, (logvar / 2).exp()), Normal(0.0, 1.0)).sum() / 4
    for ours, theirs in ((recon, -squeezed), (kl, nats), (loss, squeezed + 0.7 * nats)):
        torch.testing.assert_close(ours, theirs, rtol=1e-12, atol=1e-12)


def test_effective_draws_are_fractions():
    weights = [[1, 2, 3], [4, 1, 1]]  # two images
    found = effective_draws(torch.tensor(weights, dtype=f64).log().T - 900)
    exact = [Fraction(sum(row) ** 2, sum(w * w for w in row)) for row in weights]
    assert found.tolist() == pytest.approx([float(share) for share in exact], rel=1e-12)


def test_accepted_so_four_states_are_in_balance_with_the_target_and_no_more_is_refused_than_need_be():
    target, proposed = torch.rand(2, 4, dtype=f64, generator=seeded()) + 0.1  # proposals do not look at the present
    now, new = torch.cartesian_prod(torch.arange(4), torch.arange(4)).T
    parts = (target[new].log(), proposed[new].log(), target[now].log(), proposed[now].log())
    taken = log_acceptance(*parts).exp().view(4, 4)
    flow = target[:, None] * proposed * taken
    torch.testing.assert_close(flow, flow.T, rtol=1e-12, atol=0)
    assert taken.max() <= 1
    assert torch.maximum(taken, taken.T).min() == 1  # one of the two ways is always taken
    stays = torch.diag(1 - (proposed / proposed.sum() * taken).sum(1))
    chain = proposed / proposed.sum() * taken + stays
    torch.testing.assert_close(target @ chain, target, rtol=1e-12, atol=0)


def test_the_best_value_of_the_reverse_loss_is_minus_torchs_kl_and_stands_still():
    p, q = torch.tensor([[2, 3, 5], [6, 1, 3]], dtype=f64) / 10
    places = torch.arange(3)
    real, fake = (places.repeat_interleave((10 * share).round().long()) for share in (p, q))  # ten draws of each
    best = (p / q).log().requires_grad_()
    loss = reverse_kl_loss(best[real], best[fake])
    torch.testing.assert_close(-loss, F.kl_div(p.log(), q, reduction="sum"), rtol=1e-12, atol=0)  # KL(q‖p)
    assert torch.autograd.grad(loss, best)[0].abs().max() < 1e-12
    for off in 0.2 * torch.eye(3, dtype=f64):
        assert reverse_kl_loss((best + off)[real], (best + off)[fake]) > loss


def test_a_trainings_operations_are_those_that_pytorch_counts_forward_and_backward():
    config = TransformerConfig(vocab_size=11, context_length=8, n_layers=2, n_heads=2, d_model=12)
    model = Transformer(config)
    for block in model.blocks:  # the counter does not know the CPU's fused kernel
        block.attend = lambda q, k, v, memory: scaled_dot_product_attention(q, k, v, causal_mask(6))[0]
    tokens = torch.randint(11, (3, 6), generator=seeded())
    with FlopCounterMode(display=False) as counter:
        model(tokens).sum().backward()
    rate, overhead = 1e6, 0.25
    seconds = 5 * (overhead + counter.get_total_flops() / rate)
    assert training_seconds(config, 5, 3, 6, rate, overhead) == pytest.approx(seconds, rel=1e-12)


def test_the_whole_gradient_is_autograds_of_all_rows():
    w = torch.randn(4, dtype=f64, generator=seeded(), requires_grad=True)
    x, y = torch.randn(9, 4, dtype=f64, generator=seeded(1)), torch.randn(9, dtype=f64, generator=seeded(2))

    def gradient(rows):
        return torch.autograd.grad((x[rows] @ w - y[rows]).square().mean(), w)[0]

    parts = [slice(0, 2), slice(2, 3), slice(3, 9)]
    found = whole_gradient(torch.stack([gradient(rows) for rows in parts]), torch.tensor([2.0, 1.0, 6.0], dtype=f64))
    torch.testing.assert_close(found, gradient(slice(0, 9)), rtol=1e-12, atol=1e-12)


def test_gpt_3_takes_as_many_petaflop_days_as_were_published():
    """Brown et al. 2020, table D.1: 3,640 days of 10^15 operations a second, nothing lost."""
    assert training_days(174.6e9, 300e9, 1, 1e15, 1.0) == pytest.approx(3640, rel=0.005)
    halves = training_days(174.6e9, 300e9, 4, 1e15, 0.5)  # four such machines that reach half of it
    assert halves == pytest.approx(1820, rel=0.005)
    assert training_days(174.6e9, 300e9, 1, 1e15) == pytest.approx(3640 / 0.4, rel=0.005)
