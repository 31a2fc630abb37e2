"""The two experiments on critics: their settings, their known ends, and what a few steps of them must do."""

import math

import pytest
import torch

from course_lib.chapters.ch09_gan_game.critics import (
    critic_estimates,
    draw_bumps,
    parallel_lines,
    scaled_gaussians_distance,
)


def test_the_bumps_have_their_mean_and_variance_within_five_standard_errors():
    draws = draw_bumps(2, 50_000, torch.Generator().manual_seed(0)).double()
    spread = 0.4**2 + 0.6 * 0.4 * 2.2**2
    assert (draws.mean(1) + 0.12).abs().max() < 5 * math.sqrt(spread / 50_000)
    assert (draws.var(1) / spread - 1).abs().max() < 0.02


def test_the_distance_of_scaled_gaussians_is_the_mean_radius():
    x = torch.randn(200_000, 5, generator=torch.Generator().manual_seed(1), dtype=torch.float64).norm(dim=1)
    assert abs(scaled_gaussians_distance(5, 3.0) - 2 * x.mean()) < 5 * 2 * x.std() / math.sqrt(200_000)
    assert scaled_gaussians_distance(1, 2.0) == pytest.approx(math.sqrt(2 / math.pi), rel=1e-12)
    assert scaled_gaussians_distance(7, 0.5) == pytest.approx(0.5 * scaled_gaussians_distance(7, 2.0), rel=1e-12)


def test_lines_start_at_two_move_by_the_rate_and_repeat():
    theta, real, fake = parallel_lines(1e-2, steps=4)
    assert theta.shape == (4, 3, 5)
    assert real.shape == fake.shape == (4, 3, 5, 64)
    assert (theta[0] == 2).all()
    assert ((theta[1] - theta[0]).abs() < 5.1e-3).all()  # Adam's first step is its rate
    assert torch.equal(theta, parallel_lines(1e-2, steps=4)[0])
    assert not torch.equal(theta, parallel_lines(1e-2, steps=4, seed=1)[0])


def test_what_adam_adds_to_a_gradients_size_holds_theta_back_and_leaves_the_draws_alone():
    theta, real, _ = parallel_lines(1e-2, steps=4)
    held, same, _ = parallel_lines(1e-2, steps=4, g_eps=1e3)
    assert torch.equal(theta, parallel_lines(1e-2, steps=4, g_eps=1e-8)[0])
    assert (theta[1] - 2).abs().min() > 4e-3  # its rate
    assert (held - 2).abs().max() < 1e-4
    assert torch.equal(real[0], same[0])


def test_critics_of_the_lines_learn_to_tell_real_from_fake_and_only_one_arm_is_clipped():
    _, real, fake = parallel_lines(1e-2, steps=60, g_rate=0.0, box=0.05)
    told = (real - fake).mean(-1)  # (steps, arms, runs)
    assert (told[-1] > 0).all()
    assert told[-1, :2].min() > 2
    assert told[-1, 2].max() < 0.5  # weights within ±0.05 allow no more


def test_estimates_come_at_the_marks_grow_and_stay_in_the_box():
    marks = [2, 30]
    free = critic_estimates(marks, dim=6, scale=2.0, gp_weight=10.0)
    assert free.shape == (2, 5)
    assert (free[1] > free[0]).all()
    assert free[1].max() < 1.2 * scaled_gaussians_distance(6, 2.0)
    boxed = critic_estimates(marks, dim=6, scale=2.0, box=0.01)
    assert boxed.abs().max() < 0.01


def test_fakes_may_move_while_the_critics_train():
    still = critic_estimates([2, 30], dim=6, scale=2.0, gp_weight=10.0)
    assert torch.equal(still, critic_estimates([2, 30], dim=6, scale=lambda _: 2.0, gp_weight=10.0))
    gone = critic_estimates([2, 30], dim=6, scale=lambda update: 2.0 if update < 30 else 1.0, gp_weight=10.0)
    assert torch.equal(gone[0], still[0])
    assert (gone[1].abs() < 0.2 * still[1]).all()  # at the mark nothing is left to tell apart


def test_without_penalty_or_box_the_number_grows_past_every_distance():
    truth = scaled_gaussians_distance(6, 2.0)
    assert critic_estimates([120], dim=6, scale=2.0, gp_weight=10.0).max() < 1.2 * truth
    assert critic_estimates([120], dim=6, scale=2.0).min() > 1.5 * truth
