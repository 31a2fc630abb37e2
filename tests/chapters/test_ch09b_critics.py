"""Critics of scaled Gaussians: the distance that they are measured by, and what a few updates of them must do."""

import math

import pytest
import torch

from course_lib.chapters.ch09b_divergences.critics import scaled_gaussians_distance, share_of_distance


def test_the_distance_of_scaled_gaussians_is_the_mean_radius():
    x = torch.randn(200_000, 5, generator=torch.Generator().manual_seed(1), dtype=torch.float64).norm(dim=1)
    assert abs(scaled_gaussians_distance(5, 3.0) - 2 * x.mean()) < 5 * 2 * x.std() / math.sqrt(200_000)
    assert scaled_gaussians_distance(1, 2.0) == pytest.approx(math.sqrt(2 / math.pi), rel=1e-12)
    assert scaled_gaussians_distance(7, 0.5) == pytest.approx(0.5 * scaled_gaussians_distance(7, 2.0), rel=1e-12)


def test_shares_come_at_the_marks_grow_and_stay_in_the_box():
    marks = [2, 30]
    free = share_of_distance(marks, dim=6, scale=2.0, gp_weight=10.0)
    assert free.shape == (2, 5)
    assert (free[1] > free[0]).all()
    assert free[1].max() < 1.2
    assert torch.equal(free, share_of_distance(marks, dim=6, scale=2.0, gp_weight=10.0))
    assert not torch.equal(free, share_of_distance(marks, dim=6, scale=2.0, gp_weight=10.0, seed=1))
    boxed = share_of_distance(marks, dim=6, scale=2.0, box=0.01)
    assert boxed.abs().max() < 0.01


def test_without_penalty_or_box_the_number_grows_past_every_distance():
    assert share_of_distance([120], dim=6, scale=2.0, gp_weight=10.0).max() < 1.2
    assert share_of_distance([120], dim=6, scale=2.0).min() > 1.5


def test_the_generator_moves_after_every_fifth_update_and_the_share_is_of_where_it_stands():
    """A step of Adam's is its rate: the fakes are 1 + 0.75 out, and the same critic says a share 1/0.75 as large."""
    options = {"dim": 6, "scale": 2.0, "gp_weight": 10.0}
    still = share_of_distance([1, 4, 5], **options)
    moving = share_of_distance([1, 4, 5], g_rate=0.25, **options)
    assert torch.equal(still, moving)  # up to the fifth update
    after = share_of_distance([6], g_rate=0.25, **options)
    assert not torch.allclose(after, share_of_distance([6], **options), rtol=1e-3)
    assert share_of_distance([200], g_rate=0.01, **options).min() > 0.6  # critics that train on keep up
