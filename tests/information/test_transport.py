"""Optimal transport against SciPy, closed forms, brute force over all matchings, and its own dual."""

import itertools
import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import wasserstein_distance

from course_lib.information.transport import match, optimal_transport, wasserstein_1d, wasserstein_on_grid

f64 = torch.float64


def draws(*shape, seed):
    return torch.randn(*shape, dtype=f64, generator=torch.Generator().manual_seed(seed))


def masses(n, seed):
    return draws(n, seed=seed).softmax(-1)


@settings(deadline=None)
@given(st.integers(1, 9), st.integers(1, 9), st.integers(0, 10**6))
def test_on_a_line_it_is_scipys_for_any_two_sizes(n, m, seed):
    x, y = draws(n, seed=seed), 2 * draws(m, seed=seed + 1) + 0.5
    torch.testing.assert_close(wasserstein_1d(x, y).item(), wasserstein_distance(x, y), rtol=1e-10, atol=1e-12)


def test_on_a_line_by_hand_and_its_gradient_by_differences():
    x, y = torch.tensor([3.0, 0.0], dtype=f64), torch.tensor([1.0, 1.0, 4.0], dtype=f64)
    # in sixths: 0 meets 1 for three of them, less one where y is still 1: |0−1|·2, |0−1|·1, |3−1|·1, |3−4|·2
    assert wasserstein_1d(x, y).item() == pytest.approx((2 + 1 + 2 + 2) / 6, rel=1e-14)
    x, y = draws(5, seed=1).requires_grad_(), draws(3, seed=2).requires_grad_()
    assert torch.autograd.gradcheck(wasserstein_1d, (x, y))


def test_on_a_grid_it_is_scipys_with_weights_and_the_program_on_the_same_masses():
    places = draws(7, seed=3).sort().values
    p, q = masses(7, 4), masses(7, 5)
    value = wasserstein_on_grid(p, q, places)
    torch.testing.assert_close(value.item(), wasserstein_distance(places, places, p, q), rtol=1e-12, atol=0)
    solved = optimal_transport((places[:, None] - places).abs(), p, q)
    assert solved.distance == pytest.approx(value.item(), rel=1e-9)
    both = wasserstein_on_grid(torch.stack([p, q]), q, places)
    torch.testing.assert_close(both, torch.stack([value, torch.zeros((), dtype=f64)]), rtol=1e-12, atol=1e-15)


def test_a_shift_costs_the_shift():
    x = draws(11, seed=6)
    assert wasserstein_1d(x, x + 0.7).item() == pytest.approx(0.7, rel=1e-12)
    cloud, shift = draws(9, 2, seed=7), torch.tensor([0.3, -0.4], dtype=f64)
    distance, order = match(cloud, cloud + shift)
    assert distance.item() == pytest.approx(0.5, rel=1e-12)  # the mean shift is a lower bound, and reached
    assert order.tolist() == list(range(9))


def test_the_plan_carries_what_there_is_and_the_dual_proves_it_cheapest():
    x, y = draws(6, 2, seed=8), draws(5, 2, seed=9) + 1
    p, q = masses(6, 10), masses(5, 11)
    cost = torch.cdist(x, y)
    solved = optimal_transport(cost, p, q)
    torch.testing.assert_close(solved.plan.sum(1), p, rtol=1e-9, atol=1e-12)
    torch.testing.assert_close(solved.plan.sum(0), q, rtol=1e-9, atol=1e-12)
    assert solved.plan.min() >= 0
    assert (solved.plan * cost).sum().item() == pytest.approx(solved.distance, rel=1e-10)
    assert (solved.f[:, None] + solved.g - cost).max() < 1e-9
    assert (p @ solved.f + q @ solved.g).item() == pytest.approx(solved.distance, rel=1e-9)


def test_a_matching_is_the_best_of_all_120_and_the_programs():
    x, y = draws(5, 3, seed=12), 2 * draws(5, 3, seed=13)
    cost = torch.cdist(x, y)
    best = min(itertools.permutations(range(5)), key=lambda o: sum(cost[i, j] for i, j in enumerate(o)))
    distance, order = match(x, y)
    assert order.tolist() == list(best)
    uniform = torch.full((5,), 0.2, dtype=f64)
    assert optimal_transport(cost, uniform, uniform).distance == pytest.approx(distance.item(), rel=1e-9)
    on_a_line = match(x[:, :1], y[:, :1])[0]
    torch.testing.assert_close(on_a_line, wasserstein_1d(x[:, 0], y[:, 0]), rtol=1e-9, atol=0)


def test_two_round_gaussians_about_one_centre_are_a_mean_radius_apart():
    """N(0, I) and N(0, s² I): the potential ‖x‖ reaches (s − 1) E‖x‖, exact for the coupled samples x and s x."""
    x = draws(200, 4, seed=14)
    distance, order = match(x, 1.5 * x)
    assert distance.item() == pytest.approx(0.5 * x.norm(dim=1).mean().item(), rel=1e-12)
    assert order.tolist() == list(range(200))


def test_faults_name_the_argument(unchecked):
    p = torch.tensor([0.5, 0.5], dtype=f64)
    with pytest.raises(ValueError, match="x, y: expected at least one point each, got 0 and 2"):
        wasserstein_1d(torch.empty(0, dtype=f64), p)
    with pytest.raises(ValueError, match="places: expected numbers in ascending order"):
        wasserstein_on_grid(p, p, torch.tensor([1.0, 1.0], dtype=f64))
    with pytest.raises(ValueError, match="q: expected numbers that sum to 1"):
        wasserstein_on_grid(p, 2 * p, torch.tensor([0.0, 1.0], dtype=f64))
    with pytest.raises(ValueError, match="cost: expected one row for each of 2 p and one column for each of 2 q, got"):
        optimal_transport(torch.ones(2, 3, dtype=f64), p, p)
    with pytest.raises(ValueError, match="p: expected numbers that sum to 1"):
        optimal_transport(torch.ones(2, 2, dtype=f64), torch.tensor([math.nan, 1.0], dtype=f64), p)
    with pytest.raises(ValueError, match="x, y: expected two samples of one size, got 2 and 3 points"):
        match(torch.ones(2, 2), torch.ones(3, 2))
