"""Paths and the four predictions, against autograd, against each other and against what is known of mixtures."""

import pytest
import torch
from torch import tensor

from course_lib.diffusion.mixtures import Mixture, exact, log_density
from course_lib.diffusion.paths import (
    LINEAR_BETA,
    PATHS,
    PREDICTIONS,
    STRAIGHT,
    convert,
    data_and_noise,
    noised,
    noised_pair,
)

f64 = torch.float64
MIXTURE = Mixture(tensor([0.3, 0.7], dtype=f64), tensor([[1, -2], [-1, 0.5]], dtype=f64), tensor([0.3, 0.6], dtype=f64))
every_path = pytest.mark.parametrize("path", PATHS.values(), ids=PATHS)


def points(n=50, seed=0):
    g = torch.Generator().manual_seed(seed)
    return torch.randn(n, 2, generator=g, dtype=f64), torch.rand(n, generator=g, dtype=f64) * 0.98 + 0.01


@every_path
def test_coefficients_lead_from_noise_to_data_and_their_derivatives_are_autograds(path):
    ends = path.at(tensor([0.0, 1.0], dtype=f64))
    torch.testing.assert_close(ends.alpha, tensor([0.0, 1.0], dtype=f64), atol=0.007, rtol=0)
    torch.testing.assert_close(ends.sigma, tensor([1.0, 0.0], dtype=f64), atol=1e-4, rtol=0)
    t = points()[1].requires_grad_()
    c = path.at(t)
    for value, said in ((c.alpha, c.d_alpha), (c.sigma, c.d_sigma)):
        torch.testing.assert_close(said, torch.autograd.grad(value.sum(), t, retain_graph=True)[0], rtol=1e-9, atol=0)


@every_path
def test_the_velocity_is_the_derivative_of_where_a_pair_is(path):
    (x, t), (eps, _) = points(), points(seed=1)
    h = 1e-6
    slope = (noised(x, eps, t + h, path) - noised(x, eps, t - h, path)) / (2 * h)
    torch.testing.assert_close(noised_pair(x, eps, t, path)[1], slope, rtol=1e-6, atol=1e-6)


@every_path
def test_a_pair_is_a_place_on_the_way_and_the_slope_of_the_way_there(path):
    """Against a loop over the rows and differences of the coefficients."""
    (x, t), (eps, _) = points(7), points(7, seed=1)
    x_t, target = noised_pair(x, eps, t, path)
    h = 1e-6
    for row in range(7):
        before, at, after = (path.at(t[row] + step) for step in (-h, 0.0, h))
        torch.testing.assert_close(x_t[row], at.alpha * x[row] + at.sigma * eps[row], rtol=1e-12, atol=1e-12)
        slopes = [(b - a) / (2 * h) for a, b in zip(before[:2], after[:2], strict=True)]
        torch.testing.assert_close(target[row], slopes[0] * x[row] + slopes[1] * eps[row], rtol=1e-6, atol=1e-6)


@every_path
def test_a_velocity_and_a_place_tell_the_data_and_the_noise_they_came_from(path):
    """The velocity by differences of the place, so that nothing of the library's derivatives is used."""
    (x, t), (eps, _) = points(30), points(30, seed=1)
    t, h = t * 0.8 + 0.1, 1e-6
    x_t, beside = noised(x, eps, t, path), [noised(x, eps, t + step, path) for step in (h, -h)]
    found = data_and_noise((beside[0] - beside[1]) / (2 * h), x_t, t, path)
    for was, guess in zip((x, eps), found, strict=True):
        torch.testing.assert_close(guess, was, rtol=1e-5, atol=1e-5)


@every_path
def test_the_exact_score_is_autograds_of_the_log_density(path):
    x, t = points()
    x.requires_grad_()
    (score,) = torch.autograd.grad(log_density(MIXTURE, x, t, path).sum(), x)
    torch.testing.assert_close(exact(MIXTURE, x.detach(), t, path)["score"], score, rtol=1e-10, atol=1e-12)


@every_path
@pytest.mark.parametrize("given", PREDICTIONS)
@pytest.mark.parametrize("wanted", PREDICTIONS)
def test_each_exact_prediction_turns_into_each_other(path, given, wanted):
    x, t = points()
    known = exact(MIXTURE, x, t, path)
    torch.testing.assert_close(convert(known[given], x, t, path, given, wanted), known[wanted], rtol=1e-8, atol=1e-9)


@every_path
def test_the_exact_predictions_are_means_over_noised_data(path):
    """Self-normalised Monte Carlo over the data at one point and time, five standard errors."""
    g, x_t, t = torch.Generator().manual_seed(2), tensor([[0.4, -0.3]], dtype=f64), tensor([0.6], dtype=f64)
    x = MIXTURE.sample(200_000, g)
    c = path.at(t)
    eps = (x_t - c.alpha * x) / c.sigma
    weights = (-eps.square().sum(1) / 2).exp()
    weights = weights / weights.sum()
    known = exact(MIXTURE, x_t, t, path)
    for name, each in (("data", x), ("noise", eps), ("velocity", c.d_alpha * x + c.d_sigma * eps)):
        mean = (weights[:, None] * each).sum(0)
        error = ((weights[:, None] * (each - mean)).square().sum(0)).sqrt()
        assert ((mean - known[name][0]).abs() < 5 * error).all(), name


def test_exact_predictions_are_finite_at_both_ends():
    x, ends = points(2)[0], tensor([0.0, 1.0], dtype=f64)
    for path in (STRAIGHT, PATHS["cosine"]):
        assert all(value.isfinite().all() for value in exact(MIXTURE, x, ends, path).values())


def test_rates_of_noising_grow_on_a_line():
    """β = −2 d ln α / ds along s = 1 − t."""
    s = torch.linspace(0.05, 1, 20, dtype=f64)
    c = LINEAR_BETA.at(1 - s)
    torch.testing.assert_close(2 * c.d_alpha / c.alpha, 0.1 + 19.9 * s, rtol=1e-9, atol=0)


def test_unknown_names_are_refused():
    x, t = points(3)
    with pytest.raises(ValueError, match="given: expected one of data, noise, score, velocity, got 'epsilon'"):
        convert(x, x, t, STRAIGHT, "epsilon", "data")
    with pytest.raises(ValueError, match="wanted: expected one of data, noise, score, velocity, got 'x'"):
        convert(x, x, t, STRAIGHT, "noise", "x")


def test_no_mixture_of_shares_that_are_none():
    with pytest.raises(ValueError, match="weights: expected shares that sum to 1"):
        Mixture(tensor([0.3, 0.3]), torch.zeros(2, 1), torch.ones(2))
    with pytest.raises(ValueError, match="widths: expected numbers above 0"):
        Mixture(tensor([0.3, 0.7]), torch.zeros(2, 1), tensor([1.0, 0.0]))


def test_samples_of_a_mixture_have_its_moments_and_density():
    x = MIXTURE.sample(100_000, torch.Generator().manual_seed(3))
    mean = MIXTURE.weights @ MIXTURE.centres
    assert ((x.mean(0) - mean).abs() < 5 * x.std(0) / len(x) ** 0.5).all()
    components = [
        torch.distributions.MultivariateNormal(m, s**2 * torch.eye(2, dtype=f64)).log_prob(x[:50])
        for m, s in zip(MIXTURE.centres, MIXTURE.widths, strict=True)
    ]
    told = torch.logsumexp(torch.stack(components) + MIXTURE.weights.log()[:, None], 0)
    torch.testing.assert_close(log_density(MIXTURE, x[:50], torch.ones(50, dtype=f64), STRAIGHT), told)
