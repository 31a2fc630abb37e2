"""What the bound asks of chapter 06's tiny model: no start matters, and a fitted model is never worse than a kept one."""

import pytest
import torch

from course_lib.chapters.ch06_vae_math.optimum import maximise_bound

F64 = torch.float64
IMAGES = torch.cartesian_prod(*[torch.tensor([0.0, 1.0], dtype=F64)] * 2)
SHARE = torch.tensor([0.1, 0.35, 0.4, 0.15], dtype=F64)
WEIGHT, BIAS = torch.tensor([2.0, -1.5], dtype=F64), torch.tensor([0.3, 0.1], dtype=F64)


def test_another_start_finds_the_same_bound_and_leaves_its_arguments_alone():
    weight = WEIGHT.clone()
    *_, first = maximise_bound(IMAGES, SHARE, weight, BIAS)
    *_, second = maximise_bound(IMAGES, SHARE, 0.5 * WEIGHT, torch.zeros(2, dtype=F64))
    assert torch.equal(weight, WEIGHT)
    assert not weight.requires_grad
    assert first == pytest.approx(second, abs=1e-8)


def test_a_kept_model_stays_and_has_the_lower_bound():
    weight, bias, kept = maximise_bound(IMAGES, SHARE, WEIGHT, BIAS, keep_model=True)
    assert torch.equal(weight, WEIGHT)
    assert torch.equal(bias, BIAS)
    assert kept < maximise_bound(IMAGES, SHARE, WEIGHT, BIAS)[2]


def test_without_a_weight_the_bound_is_the_likelihood_of_independent_pixels():
    *_, bound = maximise_bound(IMAGES, SHARE, torch.zeros(2, dtype=F64), BIAS, keep_model=True)
    p = BIAS.sigmoid()
    assert bound == pytest.approx((SHARE @ (IMAGES * p.log() + (1 - IMAGES) * (1 - p).log()).sum(1)).item(), abs=1e-10)
