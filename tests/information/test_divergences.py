"""Closed forms against torch.distributions, quadrature and Monte Carlo."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.distance import jensenshannon
from torch.distributions import Categorical, Normal, kl_divergence
from torch.nn import functional as F

from course_lib.information.divergences import (
    categorical_kl,
    cross_entropy_bits,
    entropy,
    gaussian_kl,
    jensen_shannon,
    kl_monte_carlo,
    monte_carlo,
    optimal_discriminator,
    total_variation,
)

f64 = torch.float64


def number(x):
    return torch.tensor(float(x), dtype=f64)


def random_distributions(*shape, seed):
    return torch.randn(*shape, dtype=f64, generator=torch.Generator().manual_seed(seed)).softmax(-1)


def test_entropy_and_kl_of_categoricals_are_those_of_torch():
    p, q = random_distributions(3, 5, seed=1), random_distributions(3, 5, seed=2)
    torch.testing.assert_close(entropy(p), Categorical(p).entropy(), rtol=1e-12, atol=0)
    expected = kl_divergence(Categorical(p), Categorical(q))
    torch.testing.assert_close(categorical_kl(p, q), expected, rtol=1e-12, atol=1e-15)
    torch.testing.assert_close(categorical_kl(p[0], q), kl_divergence(Categorical(p[0].expand(3, 5)), Categorical(q)))


def test_by_hand():
    p, q = torch.tensor([0.5, 0.25, 0.125, 0.125], dtype=f64), torch.tensor([0.125, 0.5, 0.25, 0.125], dtype=f64)
    assert entropy(p).item() / math.log(2) == pytest.approx(1.75, rel=1e-14)
    assert categorical_kl(p, q).item() / math.log(2) == pytest.approx(0.625, rel=1e-14)
    assert categorical_kl(q, p).item() / math.log(2) == pytest.approx(0.5, rel=1e-14)


def test_zeros():
    p, q = torch.tensor([0.5, 0.5, 0.0], dtype=f64), torch.tensor([0.5, 0.25, 0.25], dtype=f64)
    assert entropy(p).item() == pytest.approx(math.log(2))
    assert categorical_kl(p, q).item() == pytest.approx(0.5 * math.log(2))
    assert categorical_kl(q, p).item() == math.inf
    assert categorical_kl(p, p).item() == 0.0


@given(st.integers(2, 9), st.integers(0, 10**6))
def test_no_kl_is_negative_and_its_gradient_is_zero_where_they_agree(symbols, seed):
    p, q = random_distributions(symbols, seed=seed), random_distributions(symbols, seed=seed + 1)
    assert categorical_kl(p, q) > 0
    logits = p.log().requires_grad_()
    (gradient,) = torch.autograd.grad(categorical_kl(p, logits.softmax(-1)), logits)
    assert gradient.abs().max() < 1e-12


def test_bits_a_symbol_are_torchs_loss_over_ln_2():
    p, targets = random_distributions(7, 4, seed=3), torch.tensor([0, 3, 1, 1, 2, 0, 3])
    expected = F.cross_entropy(p.log(), targets) / math.log(2)
    torch.testing.assert_close(cross_entropy_bits(p, targets), expected, rtol=1e-12, atol=0)
    uniform = torch.full((3, 8), 0.125, dtype=f64)
    assert cross_entropy_bits(uniform, torch.tensor([7, 0, 3])).item() == 3.0


def test_kl_of_gaussians_is_torchs_and_the_integral():
    mu_p, std_p, mu_q, std_q = torch.randn(4, 6, dtype=f64, generator=torch.Generator().manual_seed(4))
    std_p, std_q = std_p.exp(), std_q.exp()
    closed = gaussian_kl(mu_p, std_p, mu_q, std_q)
    torch.testing.assert_close(closed, kl_divergence(Normal(mu_p, std_p), Normal(mu_q, std_q)), rtol=1e-10, atol=1e-12)
    grid = torch.linspace(-12, 12, 20_001, dtype=f64)
    for i in range(6):
        x = mu_p[i] + std_p[i] * grid
        p, q = Normal(mu_p[i], std_p[i]), Normal(mu_q[i], std_q[i])
        integral = torch.trapezoid(p.log_prob(x).exp() * (p.log_prob(x) - q.log_prob(x)), x)
        torch.testing.assert_close(closed[i], integral, rtol=1e-10, atol=1e-12)


def test_the_mean_is_within_five_of_its_standard_errors_and_the_error_is_the_spread_of_means():
    draws = torch.empty(2000, 50, dtype=f64).exponential_(generator=torch.Generator().manual_seed(5))
    mean, error = monte_carlo(draws.flatten())
    assert abs(mean - 1) < 5 * error
    assert error.item() == pytest.approx(1 / math.sqrt(100_000), rel=0.02)
    errors = torch.stack([monte_carlo(row)[1] for row in draws])
    assert errors.square().mean().sqrt().item() == pytest.approx(draws.mean(1).std().item(), rel=0.08)
    hand = monte_carlo(torch.tensor([1.0, 2.0, 6.0], dtype=f64))
    assert [t.item() for t in hand] == pytest.approx([3.0, math.sqrt(7 / 3)])


@pytest.mark.parametrize("seed", range(5))
def test_kl_by_monte_carlo_is_the_closed_form(seed):
    parameters = [number(v) for v in (0.7, 0.5, -0.4, 1.5)]
    eps = torch.randn(20_000, dtype=f64, generator=torch.Generator().manual_seed(seed))
    estimate, error = kl_monte_carlo(eps, *parameters)
    assert abs(estimate - gaussian_kl(*parameters)) < 5 * error
    x = parameters[0] + parameters[1] * eps
    ratio = Normal(*parameters[:2]).log_prob(x) - Normal(*parameters[2:]).log_prob(x)
    torch.testing.assert_close(error, ratio.std() / math.sqrt(20_000), rtol=1e-10, atol=0)


def test_jensen_shannon_is_scipys_squared_and_total_variation_the_best_set_of_all():
    p, q = random_distributions(3, 5, seed=6), random_distributions(3, 5, seed=7)
    scipys = torch.from_numpy(jensenshannon(p.numpy(), q.numpy(), axis=1)) ** 2
    torch.testing.assert_close(jensen_shannon(p, q), scipys, rtol=1e-10, atol=1e-12)
    sets = torch.cartesian_prod(*[torch.tensor([0.0, 1.0], dtype=f64)] * 5)  # all 32
    torch.testing.assert_close(total_variation(p, q), ((p - q) @ sets.T).amax(1), rtol=1e-12, atol=1e-15)
    torch.testing.assert_close(jensen_shannon(p[0], q), jensen_shannon(q, p[0].expand(3, 5)), rtol=1e-12, atol=0)


def test_both_have_their_bounds_and_reach_them():
    p, q = torch.tensor([0.25, 0.75, 0.0, 0.0], dtype=f64), torch.tensor([0.0, 0.0, 0.5, 0.5], dtype=f64)
    assert jensen_shannon(p, q).item() == pytest.approx(math.log(2), rel=1e-15)
    assert total_variation(p, q).item() == 1.0
    assert jensen_shannon(p, p).item() == total_variation(p, p).item() == 0.0
    smallest = torch.tensor([5e-324, 1.0], dtype=p.dtype), torch.tensor([0.0, 1.0], dtype=p.dtype)
    assert jensen_shannon(*smallest).item() == pytest.approx(0.0, abs=1e-300)  # its half is no number: infinity once


@given(st.integers(2, 9), st.integers(0, 10**6))
def test_pinsker_for_jensen_shannon(symbols, seed):
    """½ TV² ≤ JS ≤ TV ln 2 (Lin 1991, theorem 3, with Pinsker's inequality for both halves)."""
    p, q = random_distributions(symbols, seed=seed), random_distributions(symbols, seed=seed + 1)
    js, tv = jensen_shannon(p, q), total_variation(p, q)
    assert 0.5 * tv**2 <= js + 1e-15 <= math.log(2) * tv + 2e-15


def test_the_optimal_discriminator_is_where_the_value_has_its_maximum():
    x = torch.linspace(-15, 15, 1001, dtype=f64)
    p, q = (Normal(number(m), number(s)).log_prob(x).exp() for m, s in ((-0.7, 0.8), (0.5, 1.3)))
    d, value = optimal_discriminator(p, q, 0.03)
    logits = (d.log() - (q / (p + q)).log()).requires_grad_()
    at = (p * F.logsigmoid(logits) + q * F.logsigmoid(-logits)).sum() * 0.03
    (slope,) = torch.autograd.grad(at, logits)
    assert slope.abs().max() < 1e-14
    torch.testing.assert_close(value, at.detach(), rtol=1e-12, atol=0)
    js = jensen_shannon(p * 0.03, q * 0.03)  # the masses sum to 1 within rounding
    assert value.item() == pytest.approx(2 * js.item() - math.log(4), rel=1e-12)
    for seed in range(3):
        other = logits + 0.1 * torch.randn(1001, dtype=f64, generator=torch.Generator().manual_seed(seed))
        assert (p * F.logsigmoid(other) + q * F.logsigmoid(-other)).sum() * 0.03 < value


def test_the_optimal_discriminator_where_one_density_is_zero():
    p, q = torch.tensor([0.0, 1.0, 1.0], dtype=f64), torch.tensor([[2.0, 0.0, 1.0], [1.0, 1.0, 0.0]], dtype=f64)
    d, value = optimal_discriminator(p, q, 0.5)
    assert d.tolist() == [[0.0, 1.0, 0.5], [0.0, 0.5, 1.0]]
    assert value.tolist() == pytest.approx([-math.log(2)] * 2)
    with pytest.raises(ValueError, match=r"p \+ q: expected positive everywhere, got 0"):
        optimal_discriminator(p, torch.tensor([0.0, 1.0, 1.0], dtype=f64), 0.5)


def test_faults_name_the_argument():
    p = torch.tensor([0.5, 0.5], dtype=f64)
    with pytest.raises(ValueError, match=r"p: expected probabilities, none of them negative, got -0\.5"):
        entropy(torch.tensor([1.5, -0.5], dtype=f64))
    with pytest.raises(
        ValueError, match="q: expected numbers that sum to 1 over the last axis, got a sum that is 1 off"
    ):
        categorical_kl(p, torch.tensor([1.0, 1.0], dtype=f64))
    with pytest.raises(ValueError, match="p: expected numbers that sum to 1"):
        categorical_kl(torch.tensor([math.nan, 1.0], dtype=f64), p)
    with pytest.raises(ValueError, match="std_q: expected positive standard deviations, got 0"):
        gaussian_kl(number(0), number(1), number(0), number(0))
    with pytest.raises(ValueError, match="std_p: expected positive"):
        gaussian_kl(number(0), number(-1), number(0), number(1))
    with pytest.raises(ValueError, match="q: expected numbers that sum to 1"):
        total_variation(p, 2 * p)
    with pytest.raises(ValueError, match="values: expected at least two, got 1"):
        monte_carlo(torch.ones(1, dtype=f64))


def test_targets_that_do_not_pair_are_named(unchecked):
    with pytest.raises(ValueError, match="targets: expected one for each of 2 > 0 rows, got 3"):
        cross_entropy_bits(torch.full((2, 2), 0.5), torch.tensor([0, 1, 1]))
    with pytest.raises(ValueError, match="got 0"):
        cross_entropy_bits(torch.empty(0, 2), torch.tensor([], dtype=torch.long))


@pytest.mark.parametrize("outside", [2, -1])
def test_a_target_that_is_no_symbol_is_named_and_not_taken_for_another(outside):
    with pytest.raises(ValueError, match=f"targets: expected symbols from 0 to 1, got {outside}"):
        cross_entropy_bits(torch.full((3, 2), 0.5), torch.tensor([0, outside, 1]))
