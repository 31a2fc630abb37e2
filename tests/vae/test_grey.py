"""The VAE of grey levels: against torch.distributions, quadrature over its latent, and exact posteriors."""

import itertools
import math

import pytest
import torch
from torch.distributions import Normal, kl_divergence

from course_lib.vae.grey import GreyVAE, complete_annealed
from course_lib.vae.models import log_likelihood


def rng(seed=0):
    return torch.Generator().manual_seed(seed)


def small(pixels=3, levels=3):
    """One latent, so that p(x) is an integral over a line."""
    torch.manual_seed(1)
    model = GreyVAE(pixels, levels, latent_dim=1, hidden=8).double()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(2)
    return model.eval()


def every_image(pixels=3, levels=3):
    return torch.tensor(list(itertools.product(range(levels), repeat=pixels)))


def exact(model, x):
    """ln p(x) by the trapezoidal rule over z."""
    z = torch.linspace(-9, 9, 4001, dtype=torch.float64)[:, None, None]
    with torch.no_grad():
        log_p = model._log_given(x, z.expand(-1, len(x), -1)).sum(-1)
    log_joint = log_p + Normal(0.0, 1.0).log_prob(z[:, :, 0])
    return log_joint.logsumexp(0) + math.log(18 / 4000)


def test_the_model_is_a_distribution_over_all_images():
    log_p = exact(small(), every_image())
    assert log_p.std() > 0.1
    assert log_p.exp().sum().item() == pytest.approx(1, abs=1e-5)


def test_the_bounds_lie_below_the_integral_and_close_in_on_it():
    model, x = small(), every_image()
    truth = exact(model, x)
    few, many = (log_likelihood(model, x, k, rng()) for k in (1, 50_000))
    assert many.sub(truth).abs().max() < 0.08
    assert few.mean() < truth.mean() - 0.001
    elbos = torch.stack(
        [model.elbo(x, torch.randn(27, 1, generator=rng(i), dtype=torch.float64))[0] for i in range(400)]
    )
    error = elbos.std(0) / 20
    assert (elbos.mean(0) < truth + 5 * error).all()


def test_the_terms_of_the_bound_are_those_of_torch():
    model, x = small(), every_image()[:5]
    eps = torch.randn(5, 1, generator=rng(3), dtype=torch.float64)
    bound, recon, kl = model.elbo(x, eps)
    mu, logvar = model.encode(x)
    torch.testing.assert_close(kl, kl_divergence(Normal(mu, (logvar / 2).exp()), Normal(0.0, 1.0)).sum(-1).to(kl.dtype))
    torch.testing.assert_close(bound, recon - kl)
    z = mu + (logvar / 2).exp() * eps
    log_q = Normal(mu, (logvar / 2).exp()).log_prob(z).sum(-1)
    log_w = recon + Normal(0.0, 1.0).log_prob(z).sum(-1) - log_q
    torch.testing.assert_close(model.log_weights(x, eps[None])[0], log_w)


def test_draws_have_the_models_frequencies():
    model, n = small().float(), 20_000
    drawn, images = model.draw(n, rng(4)), every_image()
    counts = (drawn[:, None] == images).all(2).sum(0).double()
    p = exact(small(), images).exp()
    assert ((counts - n * p) ** 2 / (n * p)).sum().item() < 26 + 5 * 52**0.5


def test_a_completion_keeps_what_was_seen_and_draws_the_rest_from_the_posterior():
    model, n = small().float(), 4_000
    observed, x = torch.tensor([True, False, False]), torch.tensor([[2, 0, 0]]).expand(n, -1)
    whole, ess = model.complete(x, observed, 100, rng(5))
    assert torch.equal(whole[:, 0], x[:, 0])
    assert ess.min() > 1
    images = every_image()[every_image()[:, 0] == 2]
    p = exact(small(), images).softmax(0)
    counts = (whole[:, None] == images).all(2).sum(0).double()
    assert ((counts - n * p) ** 2 / (n * p)).sum().item() < 9 + 6 * 18**0.5


def test_chains_from_the_prior_draw_the_same_completions():
    model, n = small().float(), 4_000
    observed, x = torch.tensor([True, False, False]), torch.tensor([[2, 0, 0]]).expand(n, -1)
    whole = complete_annealed(model, x, observed, rng(7), chains=4, steps=20)
    assert torch.equal(whole[:, 0], x[:, 0])
    images = every_image()[every_image()[:, 0] == 2]
    p = exact(small(), images).softmax(0)
    counts = (whole[:, None] == images).all(2).sum(0).double()
    assert ((counts - n * p) ** 2 / (n * p)).sum().item() < 9 + 6 * 18**0.5


def test_gradients_are_those_of_finite_differences():
    model, x = small(), every_image()[:2]
    eps = torch.randn(2, 1, generator=rng(6), dtype=torch.float64)
    weight = model.decoder[-1].weight
    bound = model.elbo(x, eps)[0].sum()
    (gradient,) = torch.autograd.grad(bound, weight)
    with torch.no_grad():
        weight[1, 2] += 1e-6
        high = model.elbo(x, eps)[0].sum()
        weight[1, 2] -= 2e-6
        low = model.elbo(x, eps)[0].sum()
        weight[1, 2] += 1e-6
    assert gradient[1, 2].item() == pytest.approx((high - low).item() / 2e-6, rel=1e-4)


def test_what_is_no_batch_of_levels_is_refused_by_name(unchecked):
    model = small()
    with pytest.raises(ValueError, match=r"x: expected whole numbers \(batch, 3\), got torch.float32"):
        model.encode(torch.zeros(2, 3))
    with pytest.raises(ValueError, match="x: expected levels 0 … 2, got 0 … 3"):
        model.encode(torch.tensor([[0, 3, 1]]))
    with pytest.raises(ValueError, match="levels: expected at least 2, got 1"):
        GreyVAE(3, 1)
    with pytest.raises(ValueError, match="k: expected at least 1, got 0"):
        log_likelihood(model, every_image(), 0, rng())
    with pytest.raises(ValueError, match="k: expected at least 1 draw, got 0"):
        model.complete(every_image(), torch.tensor([True, False, False]), 0, rng())
