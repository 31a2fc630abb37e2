"""What keeps a discriminator smooth: penalties against closed forms, norms against singular values."""

import itertools
import math

import pytest
import torch
from torch.nn import functional as F

from course_lib.gan.penalties import convolution_norm, gradient_penalty, power_iteration, r1_penalty

f64 = torch.float64


def random(*shape, seed):
    return torch.randn(*shape, dtype=f64, generator=torch.Generator().manual_seed(seed))


def quadratic(A, b):
    """D(x) = ½ xᵀ A x + b x of flattened examples; its gradient is (A + Aᵀ) x / 2 + b."""
    return lambda x: 0.5 * ((x.flatten(1) @ A) * x.flatten(1)).sum(1) + x.flatten(1) @ b


def gradient(A, b, x):
    return x.flatten(1) @ (A + A.T) / 2 + b


@pytest.mark.parametrize("shape", [(4, 6), (1, 6), (3, 1, 2, 3)])
def test_r1_is_the_mean_squared_gradient_and_has_a_graph(shape):
    A, b, real = random(6, 6, seed=1).requires_grad_(), random(6, seed=2).requires_grad_(), random(*shape, seed=3)
    expected = gradient(A, b, real).square().sum() / len(real)
    found = r1_penalty(quadratic(A, b), real)
    assert torch.allclose(found, expected, rtol=1e-12)
    for a, e in zip(torch.autograd.grad(found, (A, b)), torch.autograd.grad(expected, (A, b)), strict=True):
        assert torch.allclose(a, e, rtol=1e-10)


@pytest.mark.parametrize("shape", [(4, 6), (1, 6), (3, 1, 2, 3)])
def test_the_gradient_penalty_is_taken_between_and_has_a_graph(shape):
    A, b = random(6, 6, seed=1).requires_grad_(), random(6, seed=2).requires_grad_()
    real, fake = random(*shape, seed=3), random(*shape, seed=4)
    t = torch.rand(len(real), dtype=f64, generator=torch.Generator().manual_seed(5))
    mixed = torch.stack([t[i] * real[i] + (1 - t[i]) * fake[i] for i in range(len(t))])
    expected = sum((gradient(A, b, mixed)[i].norm() - 1) ** 2 for i in range(len(t))) / len(t)
    found = gradient_penalty(quadratic(A, b), real, fake, t)
    assert torch.allclose(found, expected, rtol=1e-12)
    for a, e in zip(torch.autograd.grad(found, (A, b)), torch.autograd.grad(expected, (A, b)), strict=True):
        assert torch.allclose(a, e, rtol=1e-10)


def test_the_gradient_penalty_of_a_linear_critic_by_hand():
    w = torch.tensor([3.0, 4.0], dtype=f64, requires_grad=True)
    found = gradient_penalty(lambda x: x @ w, random(3, 2, seed=1), random(3, 2, seed=2), random(3, seed=3).sigmoid())
    assert found.item() == pytest.approx((5 - 1) ** 2)
    assert torch.allclose(torch.autograd.grad(found, w)[0], torch.tensor([2 * 4 * 0.6, 2 * 4 * 0.8], dtype=f64))


def test_penalties_reach_neither_the_data_nor_the_generator():
    A, b = random(6, 6, seed=1).requires_grad_(), random(6, seed=2)
    real, fake = random(4, 6, seed=3).requires_grad_(), random(4, 6, seed=4).requires_grad_()
    total = r1_penalty(quadratic(A, b), real) + gradient_penalty(quadratic(A, b), real, fake, torch.full((4,), 0.3))
    total.backward()
    assert A.grad is not None
    assert real.grad is None
    assert fake.grad is None


@pytest.mark.parametrize("shape", [(5, 3), (3, 7), (4, 4), (1, 6)])
def test_power_iteration_reaches_the_largest_singular_value(shape):
    weight = random(*shape, seed=sum(shape)).requires_grad_()
    sigma, u, v = power_iteration(weight, random(shape[0], seed=1), steps=400)
    left, singular, right = torch.linalg.svd(weight.detach())
    assert sigma.item() == pytest.approx(singular[0].item(), rel=1e-10)
    assert torch.allclose(torch.outer(u, v), torch.outer(left[:, 0], right[0]), atol=1e-8)
    assert torch.allclose(torch.autograd.grad(sigma, weight)[0], torch.outer(left[:, 0], right[0]), atol=1e-8)


def test_power_iteration_comes_from_below_by_the_squared_ratio():
    weight = torch.diag(torch.tensor([2.0, 1.5, 0.5], dtype=f64))
    errors = [2 - power_iteration(weight, torch.ones(3, dtype=f64), n)[0].item() for n in (20, 21, 22)]
    assert min(errors) > 0
    for before, after in itertools.pairwise(errors):
        assert after / before == pytest.approx((1.5 / 2) ** 4, rel=1e-3)  # the value: twice the vector's exponent
    with pytest.raises(ValueError, match="steps: expected at least 1, got 0"):
        power_iteration(weight, torch.ones(3, dtype=f64), 0)


def as_matrix(kernel, side, stride, padding):
    """The convolution's matrix, column by column: what it makes of each single pixel."""
    pixels = torch.eye(kernel.shape[1] * side**2, dtype=f64).view(-1, kernel.shape[1], side, side)
    return F.conv2d(pixels, kernel, stride=stride, padding=padding).flatten(1).T


@pytest.mark.parametrize(
    ("shape", "side", "stride", "padding"),
    [
        ((3, 2, 3, 3), 6, 1, 1),
        ((4, 3, 4, 4), 8, 2, 1),
        ((2, 1, 3, 3), 7, 2, 0),
        ((2, 3, 3, 3), 8, 2, 0),
        ((5, 2, 1, 1), 4, 1, 0),
    ],
)
def test_the_norm_of_a_convolution_is_that_of_its_matrix(shape, side, stride, padding):
    kernel = random(*shape, seed=side + stride)
    expected = torch.linalg.matrix_norm(as_matrix(kernel, side, stride, padding), 2)
    found = convolution_norm(kernel, side, stride, padding, steps=3000)
    assert found.item() == pytest.approx(expected.item(), rel=1e-8)
    reshaped = torch.linalg.matrix_norm(kernel.flatten(1), 2)
    overlap = math.ceil(shape[2] / stride) ** 2  # how many windows a pixel lies in, at most
    assert expected <= math.sqrt(overlap) * reshaped * (1 + 1e-12)
    assert (abs(expected / reshaped - 1) > 0.02) == (shape[-1] > 1)  # one pixel a window: the same number


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_kernel_of_zeros_has_norm_zero_and_a_tiny_one_its_own(dtype):
    kernel = random(3, 2, 3, 3, seed=1).to(dtype)
    assert convolution_norm(torch.zeros_like(kernel), 6, padding=1).item() == 0
    norm = convolution_norm(kernel, 6, padding=1)
    assert convolution_norm(1e-12 * kernel, 6, padding=1).item() == pytest.approx(1e-12 * norm.item(), rel=1e-4)
