"""Likelihoods, bounds and models against torch.distributions, quadrature, autograd and each other."""

import math

import pytest
import torch
from torch.distributions import Independent, Normal, kl_divergence
from vae_numbers import agree, bits, f64, numbers

from course_lib.information.divergences import kl_to_standard_normal
from course_lib.vae.bounds import (
    doubly_reparameterized_surrogate,
    elbo,
    importance_weighted_bound,
    kl_warmup,
    log_standard_normal,
    reparameterize,
)
from course_lib.vae.likelihoods import (
    bernoulli_log_likelihood,
    discretized_logistic_log_likelihood,
    gaussian_log_likelihood,
)
from course_lib.vae.models import (
    convolutional_vae,
)


def test_kl_is_that_of_torch_and_of_monte_carlo_and_zero_at_the_prior():
    mu, logvar = numbers(3, 5, seed=1), numbers(3, 5, seed=2)
    q = Independent(Normal(mu, logvar.div(2).exp()), 1)
    p = Independent(Normal(torch.zeros_like(mu), torch.ones_like(mu)), 1)
    agree(kl_to_standard_normal(mu, logvar), kl_divergence(q, p))
    assert torch.equal(kl_to_standard_normal(torch.zeros(2, 3), torch.zeros(2, 3)), torch.zeros(2))
    eps = numbers(100_000, 3, 5, seed=3) - 0.3
    z = reparameterize(mu, logvar, eps)
    draws = q.log_prob(z) - p.log_prob(z)
    error = draws.std(0) / math.sqrt(len(draws))
    assert ((draws.mean(0) - kl_to_standard_normal(mu, logvar)).abs() < 5 * error).all()
    agree(log_standard_normal(z), p.log_prob(z))


def test_gradients_are_right_and_reach_mean_and_log_variance():
    mu, logvar, eps = (numbers(2, 3, seed=i).requires_grad_() for i in (1, 2, 3))
    assert torch.autograd.gradcheck(kl_to_standard_normal, (mu, logvar))
    assert torch.autograd.gradcheck(reparameterize, (mu, logvar, eps))
    x, logits = bits(2, 4, seed=4), numbers(2, 4, seed=5).requires_grad_()
    assert torch.autograd.gradcheck(lambda at, m, v: elbo(x, at, m, v)[0], (logits, mu, logvar))
    assert torch.autograd.gradcheck(importance_weighted_bound, (numbers(5, 2, seed=6).requires_grad_(),))
    levels = torch.tensor([[0, 3, 255, 128]])
    width = numbers(1, 4, seed=7).requires_grad_()
    mean = (numbers(1, 4, seed=8) * 50 + 100).requires_grad_()
    assert torch.autograd.gradcheck(lambda m, w: discretized_logistic_log_likelihood(levels, m, w + 2), (mean, width))


def test_bounds_against_quadrature():
    """One latent, three pixels: ln p(x) is a sum on a grid; the ELBO lies below it by KL(q‖posterior)."""
    w, b = torch.tensor([2.0, -1.5, 1.0], dtype=f64), torch.tensor([0.3, 0.2, -0.5], dtype=f64)
    z = torch.linspace(-9, 9, 4001, dtype=f64)[:, None]
    dz = z[1, 0] - z[0, 0]
    x = torch.tensor([[1.0, 0.0, 1.0]], dtype=f64)
    joint = bernoulli_log_likelihood(x, z * w + b) + log_standard_normal(z)
    log_p = (joint.exp().sum() * dz).log()
    mu, logvar = torch.tensor([[0.4]], dtype=f64), torch.tensor([[-0.7]], dtype=f64)
    log_q = Normal(mu, logvar.div(2).exp()).log_prob(z)[:, 0]
    gap = (log_q.exp() * (log_q - (joint - log_p))).sum() * dz
    eps = torch.randn(200_000, 1, dtype=f64, generator=torch.Generator().manual_seed(0))
    at = reparameterize(mu, logvar, eps)
    value, recon, kl = elbo(x.expand(len(at), 3), at * w + b, *(t.expand(len(at), 1) for t in (mu, logvar)))
    agree(value, recon - kl)
    error = value.std() / len(value) ** 0.5
    assert abs(value.mean() + gap - log_p) < 5 * error
    log_w = (bernoulli_log_likelihood(x, at * w + b) + log_standard_normal(at)).view(100, -1)
    log_w = log_w - Normal(mu, logvar.div(2).exp()).log_prob(at).view(100, -1)
    bound = importance_weighted_bound(log_w)
    assert abs(bound.mean() - log_p) < 5 * bound.std() / len(bound) ** 0.5 + 1e-2
    agree(importance_weighted_bound(log_w[:1]), log_w[0])


def encoder_gradients(k, n, seed=0):
    """Gradients by q's mean and ln σ², (n, 2): of the bound, and of the surrogate, at the same draws."""
    w, b = torch.tensor([2.0, -1.5, 1.0], dtype=f64), torch.tensor([0.3, 0.2, -0.5], dtype=f64)
    x = torch.tensor([1.0, 0.0, 1.0], dtype=f64)
    q = torch.tensor([0.4, -0.7], dtype=f64).expand(n, 2).clone().requires_grad_()
    eps = torch.randn(k, n, 1, dtype=f64, generator=torch.Generator().manual_seed(seed))
    z = reparameterize(q[:, :1], q[:, 1:], eps)

    def log_w(at):
        log_q = Normal(at[:, :1], at[:, 1:].div(2).exp()).log_prob(z)[..., 0]
        return bernoulli_log_likelihood(x, z * w + b) + log_standard_normal(z) - log_q

    (plain,) = torch.autograd.grad(importance_weighted_bound(log_w(q)).sum(), q, retain_graph=True)
    (double,) = torch.autograd.grad(doubly_reparameterized_surrogate(log_w(q.detach())).sum(), q, retain_graph=True)
    (path,) = torch.autograd.grad(log_w(q.detach()).sum(), q)
    return plain, double, path


@pytest.mark.parametrize("k", [1, 2, 5, 32])
def test_doubly_reparameterized_gradients_have_the_mean_of_the_bounds_gradient(k):
    """Paired at the same draws, for the mean and for the width of q; only squared shares do."""
    plain, double, path = encoder_gradients(k, 40_000)
    apart = double - plain
    assert (apart.mean(0).abs() < 5 * apart.std(0) / len(apart) ** 0.5).all()
    assert ((path / k - plain).mean(0).abs() > 5 * (path / k - plain).std(0) / len(plain) ** 0.5).any() == (k > 1)


def test_doubly_reparameterized_gradients_of_one_draw_are_the_path_derivative():
    _, double, path = encoder_gradients(1, 50)
    agree(double, path)


def test_doubly_reparameterized_gradients_vanish_at_the_posterior_draw_by_draw():
    """There all weights are equal: p(x) = N(0, 2), z given x has mean x/2 and variance 1/2."""
    x, mu = torch.tensor(1.3, dtype=f64), torch.full((1, 1), 0.65, dtype=f64, requires_grad=True)
    width = torch.full((1, 1), math.log(0.5), dtype=f64, requires_grad=True)
    z = reparameterize(mu, width, numbers(7, 1, 1, seed=3))
    log_w = gaussian_log_likelihood(x.view(1), z, torch.zeros(1, dtype=f64)) + log_standard_normal(z)
    double = doubly_reparameterized_surrogate(
        log_w - Normal(x / 2, torch.tensor(0.5, dtype=f64).sqrt()).log_prob(z)[..., 0]
    )
    gradients = torch.autograd.grad(double.sum(), (mu, width))
    assert max(g.abs().max() for g in gradients) < 1e-12


def test_bounds_of_no_draw_are_refused():
    for bound in (importance_weighted_bound, doubly_reparameterized_surrogate):
        with pytest.raises(ValueError, match="at least one draw"):
            bound(torch.zeros(0, 3))


def test_extreme_log_variances_stay_finite():
    torch.manual_seed(0)
    model = convolutional_vae(latent_dim=2)
    x = bits(2, 784, seed=1).float()
    for logvar in (-30.0, 30.0):
        mu = torch.full((2, 2), 1.5, requires_grad=True)
        width = torch.full((2, 2), logvar, requires_grad=True)
        value, _, _ = elbo(x, model.decode(reparameterize(mu, width, torch.full((2, 2), 0.7))), mu, width)
        value.sum().backward()
        assert value.isfinite().all()
        assert mu.grad.isfinite().all()
        assert width.grad.isfinite().all()
        assert gaussian_log_likelihood(x, torch.zeros(784), torch.full((784,), logvar)).isfinite().all()


def test_warm_up():
    assert [kl_warmup(step, 4) for step in (0, 1, 2, 4, 9)] == [0.0, 0.25, 0.5, 1.0, 1.0]
    assert kl_warmup(0, 0) == 1.0
    for arguments in ((-1, 4), (1, -4)):
        with pytest.raises(ValueError, match="below 0"):
            kl_warmup(*arguments)
