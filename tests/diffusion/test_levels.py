"""A chain of levels: its terms against torch's KL, its bound against an entropy, bits against counting, latents."""

import math

import pytest
import torch
from torch import tensor
from torch.distributions import Normal, kl_divergence

from course_lib.diffusion.levels import (
    bits_per_dimension,
    dequantise,
    level_curve,
    level_term,
    many_levels_bound,
    requantise,
)
from course_lib.diffusion.mixtures import Mixture, exact, log_density
from course_lib.diffusion.paths import PATHS, STRAIGHT

f64 = torch.float64
BELLS = Mixture(tensor([0.3, 0.7], dtype=f64), tensor([[-1.0], [0.8]], dtype=f64), tensor([0.2, 0.3], dtype=f64))


@pytest.mark.parametrize("path", PATHS.values(), ids=PATHS)
def test_a_level_costs_torchs_kl_of_the_two_gaussians(path):
    """Mean and variance of x_then given x_now and the data, from the joint Gaussian of both."""
    now, then = tensor(0.4, dtype=f64), tensor(0.55, dtype=f64)
    (a, s), (a2, s2) = path.at(now)[:2], path.at(then)[:2]
    covariance, x_now = (a / a2) * s2**2, tensor(0.37, dtype=f64)
    spread = (s2**2 - covariance**2 / s**2).sqrt()
    given = lambda x: Normal(a2 * x + covariance / s**2 * (x_now - a * x), spread)
    x, x_hat = tensor(0.9, dtype=f64), tensor(-0.3, dtype=f64)
    told = level_term((x - x_hat) ** 2, (a, s), (a2, s2))
    torch.testing.assert_close(told, kl_divergence(given(x), given(x_hat)), rtol=1e-10, atol=1e-12)


def even_in_log_snr(levels):
    return torch.cat([torch.zeros(1, dtype=f64), (torch.linspace(-8, 10, levels, dtype=f64) / 2).sigmoid()])


def test_the_bound_comes_down_to_the_entropy():
    g = torch.Generator().manual_seed(0)
    x = BELLS.sample(2000, g)
    velocity = lambda x, t: exact(BELLS, x, t, STRAIGHT)["velocity"]
    log_p = log_density(BELLS, x, torch.ones(len(x), dtype=f64), STRAIGHT)
    gaps = []
    for levels in (20, 200):
        gap = many_levels_bound(velocity, x, even_in_log_snr(levels), STRAIGHT, g) + log_p
        gaps.append((gap.mean().item(), gap.std().item() / len(x) ** 0.5))
    (few, _), (many, error) = gaps
    assert few > 1
    assert -5 * error < many < 0.4


def test_the_curves_area_is_the_bounds():
    """With the best guess, the area over the log signal-to-noise ratio plus the last term is the entropy."""
    g = torch.Generator().manual_seed(1)
    x = BELLS.sample(4000, g)
    velocity = lambda x, t: exact(BELLS, x, t, STRAIGHT)["velocity"]
    places = torch.linspace(-8, 10, 73, dtype=f64)
    curve = level_curve(velocity, x, (places / 2).sigmoid(), STRAIGHT, g)
    last = math.log(2 * math.pi * math.e) / 2 - 5
    entropy = -log_density(BELLS, x, torch.ones(len(x), dtype=f64), STRAIGHT).mean()
    assert abs(torch.trapezoid(curve, places) + last - entropy) < 0.1


def test_bits_of_known_images():
    eight = tensor([math.log(0.5)], dtype=f64)  # the density of all of −1 … 1, a pixel
    torch.testing.assert_close(bits_per_dimension(196 * eight, 196, 8), tensor([3.0], dtype=f64))
    by_hand = -(math.log2(0.7) + math.log2(2 / 256))
    torch.testing.assert_close(bits_per_dimension(tensor([math.log(0.7)], dtype=f64), 1, 256).item(), by_hand)


def test_levels_come_back_from_their_cells():
    x = torch.arange(16).remainder(8).view(1, 16).expand(50, 16)
    made = dequantise(x.float(), 8, torch.Generator().manual_seed(0))
    assert made.shape == (50, 1, 4, 4)
    assert (requantise(made, 8) == x).all()
    assert (made.flatten(1) * 4 + 4 - x).min() >= 0
    assert requantise(torch.tensor([[[[-3.0, 3.0], [0.0, 0.999]]]]), 8).tolist() == [[0, 7, 4, 7]]


@pytest.mark.parametrize("times", [[0.0], [0.0, 1.0], [0.3, 0.2], [-0.1, 0.5]])
def test_times_of_a_chain_go_up_below_1(times):
    with pytest.raises(ValueError, match="times: expected numbers going up within 0 ≤ t < 1"):
        many_levels_bound(lambda x, t: x, torch.zeros(2, 1), tensor(times), STRAIGHT, torch.Generator())
