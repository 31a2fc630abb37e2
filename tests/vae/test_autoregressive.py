"""The decoder that sees earlier pixels: causal, a VAE while its matrix is zero, and a distribution."""

import pytest
import torch

from course_lib.vae.autoregressive import AutoregressiveVAE
from course_lib.vae.bounds import log_standard_normal, reparameterize
from course_lib.vae.likelihoods import bernoulli_log_likelihood
from course_lib.vae.models import PIXELS, SIDE


def model_of(reach=2, near=0.3, far=0.1):
    """near, far: the size of the last layer of the convolution's network, and of the matrix; 0 as at birth."""
    torch.manual_seed(0)
    model = AutoregressiveVAE(3, 8, mean=torch.full((PIXELS,), 0.3), reach=reach).double()
    with torch.no_grad():
        model.rest[3].weight.normal_().mul_(near)
        model.all.normal_().mul_(far)
    return model.requires_grad_(False)


def batch():
    generator = torch.Generator().manual_seed(1)
    x = (torch.rand(4, PIXELS, dtype=torch.float64, generator=generator) < 0.3).double()
    return x, torch.randn(4, 3, dtype=torch.float64, generator=generator)


def changed_by(model, pixel):
    """Return which logits change, in some image of the batch, when this pixel does."""
    x, z = batch()
    x = torch.cat([x, 1 - x])
    other = x.clone()
    other[:, pixel] = 1 - other[:, pixel]
    z = z.repeat(2, 1)
    return set((model.logits_given(x, z) != model.logits_given(other, z)).any(0).nonzero().flatten().tolist())


def test_a_pixel_changes_later_logits_alone():
    assert changed_by(model_of(near=0.0), 300) == set(range(301, PIXELS))
    row, column = 10, 20
    found = changed_by(model_of(reach=2, far=0.0), SIDE * row + column)
    right = {SIDE * row + column + i for i in (1, 2)}
    below = {SIDE * (row + i) + column + j for i in (1, 2) for j in (-2, -1, 0, 1, 2)}
    assert found <= right | below
    assert len(found) > 8  # a ReLU may hide one or two
    assert changed_by(model_of(), PIXELS - 1) == set()


def test_as_it_is_born_it_is_the_plain_vae():
    x, eps = batch()
    torch.manual_seed(0)
    model = AutoregressiveVAE(3, 8).double()
    plain = super(AutoregressiveVAE, model)
    for ours, theirs in zip(model.elbo(x, eps), plain.elbo(x, eps), strict=True):
        torch.testing.assert_close(ours, theirs)
    torch.testing.assert_close(model.log_weights(x, eps[None]), plain.log_weights(x, eps[None]))


def test_one_pass_is_the_chain_rule_pixel_by_pixel():
    x, z = batch()
    model = model_of()
    total = torch.zeros(4, dtype=torch.float64)
    context = torch.zeros_like(x)  # later pixels are not known yet: they stand at 0
    for i in range(PIXELS):
        p = model.logits_given(context, z)[:, i].sigmoid()
        total += torch.where(x[:, i] == 1, p, 1 - p).log()
        context[:, i] = x[:, i]
    torch.testing.assert_close(bernoulli_log_likelihood(x, model.logits_given(x, z)), total)


def test_weights_and_bound_are_of_the_same_model():
    x, eps = batch()
    model = model_of()
    mu, logvar = model.encode(x)
    z = reparameterize(mu, logvar, eps)
    _, recon, _ = model.elbo(x, eps)
    log_q = log_standard_normal(eps) - 0.5 * logvar.sum(1)
    wanted = recon + log_standard_normal(z) - log_q
    torch.testing.assert_close(model.log_weights(x, eps[None])[0], wanted)


def test_a_reach_of_nothing_is_refused():
    with pytest.raises(ValueError, match="reach: expected at least 1, got 0"):
        AutoregressiveVAE(3, 8, reach=0)
