"""The losses against PyTorch's cross-entropy with logits, by hand, at ±10,000 and through their derivatives."""

import math

import pytest
import torch
from torch.nn import functional as F

from course_lib.gan.losses import (
    OBJECTIVES,
    discriminator_loss,
    hinge_discriminator_loss,
    least_squares_discriminator_loss,
    least_squares_generator_loss,
    minimax_generator_loss,
    nonsaturating_generator_loss,
    wasserstein_critic_loss,
    wasserstein_generator_loss,
)

f64 = torch.float64
GENERATOR_LOSSES = [
    minimax_generator_loss, nonsaturating_generator_loss, least_squares_generator_loss, wasserstein_generator_loss,
]  # fmt: skip
DISCRIMINATOR_LOSSES = [
    discriminator_loss, hinge_discriminator_loss, least_squares_discriminator_loss, wasserstein_critic_loss,
]  # fmt: skip


def logits(n, seed):
    return 3 * torch.randn(n, dtype=f64, generator=torch.Generator().manual_seed(seed)) + 0.4


def bce(logits, target):
    return F.binary_cross_entropy_with_logits(logits, torch.full_like(logits, target))


def close(ours, theirs):
    torch.testing.assert_close(ours, theirs, rtol=1e-10, atol=1e-12)


def test_they_are_torchs_cross_entropy_with_the_right_labels_in_value_and_gradient():
    real, fake = logits(5, 1).requires_grad_(), logits(7, 2).requires_grad_()
    for ours, theirs in (
        (discriminator_loss(real, fake), bce(real, 1.0) + bce(fake, 0.0)),
        (nonsaturating_generator_loss(fake), bce(fake, 1.0)),
        (minimax_generator_loss(fake), -bce(fake, 0.0)),
    ):
        close(ours, theirs)
        for a, b in zip(
            *(torch.autograd.grad(loss, (real, fake), allow_unused=True) for loss in (ours, theirs)), strict=True
        ):
            assert (a is None) == (b is None)
            if a is not None:
                close(a, b)


def test_the_derivatives_by_a_logit_are_minus_d_and_d_minus_one():
    fake = logits(6, 3).requires_grad_()
    d = fake.detach().sigmoid() / 6
    close(torch.autograd.grad(minimax_generator_loss(fake), fake)[0], -d)
    close(torch.autograd.grad(nonsaturating_generator_loss(fake), fake)[0], d - 1 / 6)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_finite_with_finite_gradients_at_ten_thousand(dtype):
    real = torch.tensor([1e4, -1e4, 0.0], dtype=dtype, requires_grad=True)
    fake = torch.tensor([1e4, -1e4, 2.0, -3.0], dtype=dtype, requires_grad=True)
    for loss in [f(real, fake) for f in DISCRIMINATOR_LOSSES] + [f(fake) for f in GENERATOR_LOSSES]:
        assert loss.isfinite()
        gradients = torch.autograd.grad(loss, (real, fake), allow_unused=True)
        assert all(g is None or g.isfinite().all() for g in gradients)


def test_by_hand():
    zero, one = torch.zeros(3, dtype=f64), torch.ones(2, dtype=f64)
    assert discriminator_loss(zero, zero).item() == pytest.approx(math.log(4), rel=1e-15)
    wrong = torch.tensor([1e4], dtype=f64)
    assert discriminator_loss(-wrong, wrong).item() == 2e4  # sure of the opposite: linear, not infinite
    assert minimax_generator_loss(zero).item() == pytest.approx(-math.log(2), rel=1e-15)
    real, fake = torch.tensor([2.0, 0.5, -1.0], dtype=f64), torch.tensor([-3.0, 0.5], dtype=f64)
    assert hinge_discriminator_loss(real, fake).item() == pytest.approx((0 + 0.5 + 2) / 3 + (0 + 1.5) / 2)
    assert least_squares_discriminator_loss(real, fake).item() == pytest.approx((1 + 0.25 + 4) / 6 + (9 + 0.25) / 4)
    assert least_squares_generator_loss(fake).item() == pytest.approx((16 + 0.25) / 4)
    assert wasserstein_critic_loss(real, fake).item() == pytest.approx(-1.25 - 0.5)
    assert wasserstein_generator_loss(one).item() == -1.0


def test_each_generator_wants_higher_logits_and_each_discriminator_real_above_fake():
    fake = logits(5, 5)
    for name, objective in OBJECTIVES.items():
        assert objective.generator(fake + 0.01) < objective.generator(fake) or name == "least squares", name
        level = torch.zeros(5, dtype=f64, requires_grad=True)
        assert (torch.autograd.grad(objective.generator(level), level)[0] < 0).all(), name
        r, f = (torch.zeros(5, dtype=f64, requires_grad=True) for _ in range(2))
        up, down = torch.autograd.grad(objective.discriminator(r, f), (r, f))
        assert (up < 0).all(), name
        assert (down > 0).all() or name == "least squares", name  # its target for fakes is 0, where they stand


def test_two_of_them_are_one_game_and_one_is_not():
    """Minimax and Wasserstein are zero-sum in the fakes; the non-saturating generator plays another game."""
    real, fake = logits(4, 6), logits(4, 7).requires_grad_()
    for name, zero_sum in (("minimax", True), ("wasserstein", True), ("nonsaturating", False), ("hinge", False)):
        objective = OBJECTIVES[name]
        (d,) = torch.autograd.grad(objective.discriminator(real, fake), fake)
        (g,) = torch.autograd.grad(objective.generator(fake), fake)
        assert torch.allclose(d, -g, rtol=1e-10, atol=1e-12) == zero_sum, name
