"""Inpainting against the exact posterior: a model with one latent, integrated on a grid."""

import math

import pytest
import torch
from torch import nn

from course_lib.vae.inpainting import gibbs_inpaint, importance_inpaint, self_normalized_weights
from course_lib.vae.models import PIXELS, VAE

f64 = torch.float64


def small_model():
    """One latent; the encoder is linear, and not the posterior."""
    generator = torch.Generator().manual_seed(0)
    model = VAE(nn.Linear(PIXELS, 2), nn.Linear(1, PIXELS), 1).double()
    with torch.no_grad():
        for parameter, scale in zip(model.parameters(), (0.05, 0.3, 0.25, 0.5), strict=True):
            parameter.copy_(scale * torch.randn(parameter.shape, dtype=f64, generator=generator))
    return model.requires_grad_(False)


def question():
    """Three images of which 12, 20 and 3 pixels were seen; the others hold 0.7, which nothing may read."""
    generator = torch.Generator().manual_seed(1)
    x = (torch.rand(3, PIXELS, dtype=f64, generator=generator) < 0.4).double()
    observed = torch.zeros(3, PIXELS, dtype=torch.bool)
    for row, count in zip(observed, (12, 20, 3), strict=True):
        row[torch.randperm(PIXELS, generator=generator)[:count]] = True
    return torch.where(observed, x, 0.7), observed


def exact(model, x, observed):
    """E[pixel | observed] by a sum over a grid of z."""
    z = torch.linspace(-8, 8, 4001, dtype=f64)[:, None]
    p = model.means(z)  # (4001, 784)
    prior = torch.distributions.Normal(0.0, 1.0).log_prob(z[:, 0])
    rows = []
    for image, seen in zip(x, observed, strict=True):
        log_p = torch.where(image[seen] == 1, p[:, seen], 1 - p[:, seen]).log().sum(1) + prior
        rows.append(log_p.softmax(0) @ p)
    return torch.where(observed, x, torch.stack(rows))


def test_weights_and_their_effective_size_by_hand():
    log_w = torch.tensor([[0.0, -2000.0], [math.log(3), -2000.0]], dtype=f64)
    weights, ess = self_normalized_weights(log_w)
    torch.testing.assert_close(weights, torch.tensor([[0.25, 0.5], [0.75, 0.5]], dtype=f64), rtol=1e-12, atol=0)
    torch.testing.assert_close(ess, torch.tensor([1.6, 2.0], dtype=f64), rtol=1e-12, atol=0)
    alone, one = self_normalized_weights(torch.tensor([[-5000.0]], dtype=f64))
    assert (alone.item(), one.item()) == (1.0, 1.0)


def test_importance_sampling_finds_the_exact_means():
    model, (x, observed) = small_model(), question()
    means, ess = importance_inpaint(model, x, observed, 20_000, torch.Generator().manual_seed(2))
    assert (ess > 200).all()
    bound = 5 * 0.5 / ess.sqrt()[:, None]  # a pixel's mean lies between 0 and 1
    assert ((means - exact(model, x, observed)).abs() < bound).all()
    assert torch.equal(means[observed], x[observed])
    prior = torch.where(observed, x, model.means(torch.zeros(3, 1, dtype=f64)))
    assert ((means - prior).abs().amax(1) > bound[:, 0]).any()  # what was seen does matter


def test_metropolis_within_gibbs_finds_them_too_and_taking_every_proposal_does_not():
    model, (x, observed) = small_model(), question()
    truth = exact(model, x, observed)
    many = (x.repeat(40, 1), observed.repeat(40, 1))  # 40 chains an image
    error = {}
    for correct in (True, False):
        means, taken, last = gibbs_inpaint(model, *many, 300, torch.Generator().manual_seed(3), 100, correct, 1.0)
        error[correct] = (means.view(40, 3, PIXELS).mean(0) - truth).abs().max().item()
        assert torch.equal(last[many[1]], many[0][many[1]])
        assert set(last.unique().tolist()) <= {0.0, 1.0}
        assert (taken == 1).all() if not correct else (taken > 0).all() and (taken < 1).all()
    assert error[True] < 0.03
    assert error[False] > 3 * error[True]


def test_the_encoders_proposals_alone_find_them_by_their_ratio():
    model, (x, observed) = small_model(), question()
    chains = (x.repeat(40, 1), observed.repeat(40, 1))
    means, _, _ = gibbs_inpaint(model, *chains, 1000, torch.Generator().manual_seed(4), 100, walk=0.0)
    found = means.view(40, 3, PIXELS).mean(0)
    assert (found - exact(model, x, observed)).abs().max() < 0.04


def test_with_nothing_missing_the_image_comes_back():
    model, (x, _) = small_model(), question()
    x, everything = (x > 0.5).double(), torch.ones(3, PIXELS, dtype=torch.bool)
    assert torch.equal(importance_inpaint(model, x, everything, 2, torch.Generator())[0], x)
    means, _, last = gibbs_inpaint(model, x, everything, 2, torch.Generator())
    assert torch.equal(means, x)
    assert torch.equal(last, x)


def test_errors_name_what_came(unchecked):
    model, (x, observed) = small_model(), question()
    with pytest.raises(ValueError, match=r"^k: expected at least 1, got 0"):
        importance_inpaint(model, x, observed, 0, torch.Generator())
    with pytest.raises(ValueError, match=r"^steps: expected at least 1, got -1"):
        gibbs_inpaint(model, x, observed, -1, torch.Generator())
    with pytest.raises(ValueError, match="observed pixels that are 0 or 1"):
        gibbs_inpaint(model, x, ~observed, 2, torch.Generator())
    with pytest.raises(ValueError, match="at least one draw"):
        self_normalized_weights(torch.empty(0, 2))
