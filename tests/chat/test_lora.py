"""LoRA: nothing changes at the start, the merged model is the same, and only the thin matrices learn."""

import copy

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from course_lib.attention.sampling import generate
from course_lib.attention.transformer import Transformer, modern
from course_lib.chat.lora import LoRALinear, add_lora, lora_parameter_count, merge_lora


def model_of(dtype=torch.float32):
    torch.manual_seed(0)
    sizes = {"context_length": 16, "n_layers": 2, "n_heads": 2, "d_model": 12, "zero_init": False}
    return Transformer(modern(11, **sizes)).to(dtype)


TOKENS = torch.randint(11, (3, 9), generator=torch.Generator().manual_seed(1))


def stirred(model, seed=3):
    """The model after its thin matrices have been set to something that is not zero."""
    generator = torch.Generator().manual_seed(seed)
    for p in model.parameters():
        if p.requires_grad:
            p.data.copy_(torch.randn(p.shape, generator=generator) * 0.3)
    return model


@pytest.mark.parametrize("bias", [True, False])
def test_a_layer_adds_the_product_of_two_thin_matrices(bias):
    torch.manual_seed(0)
    layer = nn.Linear(5, 7, bias=bias).double()
    lora = stirred(LoRALinear(layer, 3, alpha=2.0))
    x = torch.randn(4, 2, 5, dtype=torch.float64)
    weight = layer.weight + 2 / 3 * sum(torch.outer(lora.up[:, k], lora.down[k]) for k in range(3))
    expected = F.linear(x, weight, layer.bias)
    torch.testing.assert_close(lora(x), expected, rtol=1e-10, atol=1e-12)
    torch.testing.assert_close(lora.merged()(x), expected, rtol=1e-10, atol=1e-12)
    assert (lora.merged().bias is not None) == bias
    assert [name for name, p in lora.named_parameters() if p.requires_grad] == ["down", "up"]


def test_nothing_changes_before_training_and_the_model_is_the_same_merged():
    model = model_of()
    plain = copy.deepcopy(model)
    trained = add_lora(model, 4)
    with torch.no_grad():
        assert torch.equal(model(TOKENS), plain(TOKENS))
        stirred(model)
        before = model(TOKENS)
        assert (before - plain(TOKENS)).abs().max() > 0.1
        merge_lora(model)
        assert (model(TOKENS) - before).abs().max() <= 1e-6 * before.abs().max()
    assert not [m for m in model.modules() if isinstance(m, LoRALinear)]
    assert list(model.state_dict()) == list(plain.state_dict())
    assert all(p.requires_grad for p in model.parameters())
    assert all(t.requires_grad for t in trained)


def test_only_the_thin_matrices_learn_and_they_are_as_many_as_counted():
    model = model_of()
    before = copy.deepcopy(model.state_dict())
    trained = add_lora(model, 2)
    assert {id(p) for p in trained} == {id(p) for p in model.parameters() if p.requires_grad}
    blocks = 4 * lora_parameter_count(12, 12, 2) + 2 * lora_parameter_count(48, 12, 2)
    assert sum(p.numel() for p in trained) == 2 * blocks
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
    for _ in range(2):  # at the first step the gradient of down is zero, since up is
        F.cross_entropy(model(TOKENS[:, :-1]).flatten(0, 1), TOKENS[:, 1:].flatten()).backward()
        optimizer.step()
        optimizer.zero_grad()
    now = {name.replace(".layer.", "."): value for name, value in model.state_dict().items()}
    assert all(torch.equal(value, now[name]) for name, value in before.items())
    assert all(name in now for name in before)
    assert all(p.abs().sum() > 0 for p in trained)


def test_the_first_steps_gradient_is_the_full_ones_seen_through_the_thin_matrix():
    """With up = 0: ∂L/∂up = (α / r) ∂L/∂W downᵀ, and ∂L/∂down = 0."""
    torch.manual_seed(2)
    layer, x, target = nn.Linear(6, 4).double(), torch.randn(9, 6).double(), torch.randn(9, 4).double()
    full = torch.autograd.grad(F.mse_loss(layer(x), target), layer.weight)[0]
    lora = LoRALinear(layer, 2, alpha=3.0)
    F.mse_loss(lora(x), target).backward()
    torch.testing.assert_close(lora.up.grad, 3 / 2 * full @ lora.down.T.detach(), rtol=1e-10, atol=1e-12)
    assert lora.down.grad.abs().max() == 0


def test_a_full_rank_reaches_any_weight():
    layer = nn.Linear(3, 5, bias=False).double()
    wanted = torch.randn(5, 3, generator=torch.Generator().manual_seed(4), dtype=torch.float64)
    lora = LoRALinear(layer, 3, alpha=3.0)
    lora.down.data.copy_(torch.eye(3))
    lora.up.data.copy_(wanted - layer.weight)
    torch.testing.assert_close(lora.merged().weight.data, wanted, rtol=1e-12, atol=1e-12)


def test_names_choose_the_layers_and_seeds_the_matrices():
    model = model_of()
    assert len(add_lora(model, 1, names=["query"])) == 2 * 2
    with pytest.raises(ValueError, match="model: expected one without LoRA"):
        add_lora(model, 1)
    one, same, other = (add_lora(model_of(), 2, seed=seed)[0] for seed in (0, 0, 1))
    assert torch.equal(one, same)
    assert not torch.equal(one, other)


def test_a_model_with_lora_draws_with_its_cache_what_it_draws_without():
    model = model_of()
    add_lora(model, 4)
    stirred(model)
    with_cache, without = (
        generate(model, TOKENS[:, :2], 6, torch.Generator().manual_seed(0), cached=cached) for cached in (True, False)
    )
    assert torch.equal(with_cache, without)


@pytest.mark.parametrize("rank", [0, 13])
def test_a_rank_that_makes_no_sense_changes_nothing(rank):
    model = model_of()
    with pytest.raises(ValueError, match=rf"rank: expected 1 to 12 for a matrix \(12, 12\), got {rank}"):
        add_lora(model, rank)
    assert all(p.requires_grad for p in model.parameters())
    assert not [m for m in model.modules() if isinstance(m, LoRALinear)]


def test_names_without_a_layer_are_refused():
    with pytest.raises(ValueError, match="names: expected names of linear layers of the model, got norm, fee"):
        add_lora(model_of(), 2, names=["norm", "fee"])
