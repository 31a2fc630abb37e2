"""The Dirac-GAN: field and steps against autograd on the library's losses, eigenvalues against linear algebra."""

import math

import pytest
import torch

from course_lib.gan.dirac import (
    METHODS,
    SLOPES,
    alternating_step,
    dirac_eigenvalues,
    dirac_field,
    dirac_path,
    multipliers,
    running_mean,
    update_matrix,
)
from course_lib.gan.losses import OBJECTIVES
from course_lib.gan.penalties import r1_penalty

f64 = torch.float64


def t(*values):
    return torch.tensor(values, dtype=f64).squeeze()


@pytest.mark.parametrize("loss", SLOPES)
@pytest.mark.parametrize(("theta", "psi", "gamma"), [(0.7, -1.3, 0.0), (-2.1, 0.4, 0.6)])
def test_the_field_is_the_gradient_of_the_losses_of_the_library(loss, theta, psi, gamma):
    a, b = t(theta).requires_grad_(), t(psi).requires_grad_()
    real, fake = torch.zeros(3, dtype=f64), a.expand(2)
    objective = OBJECTIVES[loss]
    penalty = r1_penalty(lambda x: b * x[:, 0], torch.zeros(3, 1, dtype=f64))
    (by_psi,) = torch.autograd.grad(objective.discriminator(b * real, b * fake) + gamma / 2 * penalty, b)
    (by_theta,) = torch.autograd.grad(objective.generator(b * fake), a)
    found = dirac_field(t(theta), t(psi), gamma, loss)
    assert torch.allclose(torch.stack(found), -torch.stack([by_theta, by_psi]), rtol=1e-12)


@pytest.mark.parametrize("loss", SLOPES)
def test_eigenvalues_are_those_of_the_fields_jacobian(loss):
    for gamma in (0.0, 0.3, 2.0, 4.0):
        jacobian = torch.autograd.functional.jacobian(
            lambda x: torch.stack(dirac_field(x[0], x[1], gamma, loss)), torch.zeros(2, dtype=f64)
        )
        expected = torch.linalg.eigvals(jacobian)
        real, imaginary = dirac_eigenvalues(t(SLOPES[loss]), t(gamma))
        found = torch.complex(real, imaginary)
        assert min((found - expected).abs().max(), (found - expected.flip(0)).abs().max()) < 1e-7
        assert real[0] >= real[1]
        assert imaginary[0] >= imaginary[1]


def test_eigenvalues_by_hand_and_in_batches():
    real, imaginary = dirac_eigenvalues(t(0.5, 0.5, 1.0), t(0.0, 1.0, 2.5))
    assert torch.allclose(real, t(0, 0, -0.5, -0.5, -0.5, -2.0).view(3, 2))
    assert torch.allclose(imaginary, t(0.5, -0.5, 0, 0, 0, 0).view(3, 2))


@pytest.mark.parametrize("gamma", [0.0, 0.4])
@pytest.mark.parametrize("loss", SLOPES)
def test_matrices_are_the_jacobians_of_the_steps(loss, gamma):
    rates = (0.3, 0.7)
    for method in ("simultaneous", "alternating"):
        step = lambda x, method=method: dirac_path(x[0], x[1], 1, *rates, gamma, method, loss)[1]
        jacobian = torch.autograd.functional.jacobian(step, torch.zeros(2, dtype=f64))
        assert torch.allclose(update_matrix(method, *rates, gamma, SLOPES[loss]), jacobian, rtol=1e-12, atol=1e-15)


def test_the_optimistic_matrix_makes_the_path_of_the_linear_game():
    matrix = update_matrix("optimistic", 0.3, 0.2, 0.1, 1.0)
    state, path = t(0.9, -0.4, 0.9, -0.4), dirac_path(t(0.9), t(-0.4), 20, 0.3, 0.2, 0.1, "optimistic", "wasserstein")
    for expected in path:
        assert torch.allclose(state[:2], expected, rtol=1e-12)
        state = matrix @ state


def test_circles_spirals_and_their_rates():
    h = 0.2
    assert multipliers("simultaneous", h, h).abs()[0].item() == pytest.approx(math.sqrt(1 + h**2 / 4), rel=1e-12)
    assert torch.allclose(multipliers("alternating", h, 5 * h).abs(), t(1.0, 1.0), rtol=1e-12)  # two rates: no cure
    assert multipliers("alternating", h, h, gamma=0.5).abs()[0] < 0.98
    edge = 1 / math.sqrt(3)  # of optimism
    assert multipliers("optimistic", edge - 1e-6, edge - 1e-6, slope=1.0).abs()[0] < 1
    assert multipliers("optimistic", edge + 1e-6, edge + 1e-6, slope=1.0).abs()[0] > 1


def test_the_minimax_field_is_tangent_to_circles_and_the_nonsaturating_one_points_inwards():
    theta, psi = torch.randn(2, 50, dtype=f64, generator=torch.Generator().manual_seed(0))
    radial = lambda loss: sum(a * b for a, b in zip((theta, psi), dirac_field(theta, psi, loss=loss), strict=True))
    assert radial("minimax").abs().max() < 1e-15
    assert torch.allclose(radial("nonsaturating"), -theta * psi * torch.tanh(theta * psi / 2), rtol=1e-9)


def test_alternating_takes_the_discriminator_first_and_paths_start_at_the_start():
    theta, psi = alternating_step(t(1.0), t(0.0), 0.5, 0.5)
    assert (theta.item(), psi.item()) == pytest.approx((1 - 0.125 / (1 + math.exp(-0.25)), -0.25))
    start = torch.randn(2, 5, dtype=f64, generator=torch.Generator().manual_seed(3))
    step, path = alternating_step(*start, 0.3, 0.7, 0.4), dirac_path(*start, 1, 0.3, 0.7, 0.4, "alternating")
    assert torch.allclose(torch.stack(step, -1), path[1], rtol=1e-12)
    path = dirac_path(t(1.0, 2.0), t(0.0, -1.0), 7, 0.5, 0.5, method="alternating", loss="wasserstein")
    assert path.shape == (8, 2, 2)
    assert path[0].tolist() == [[1.0, 0.0], [2.0, -1.0]]
    assert path[1, 0].tolist() == [0.75, -0.5]


def test_running_mean():
    path = torch.randn(6, 3, 2, dtype=f64, generator=torch.Generator().manual_seed(1))
    assert torch.allclose(running_mean(path), torch.stack([path[: i + 1].mean(0) for i in range(6)]))


def test_unknown_names_are_said():
    with pytest.raises(ValueError, match="loss: expected one of minimax"):
        dirac_field(t(1.0), t(1.0), loss="hinge")
    for call in (lambda m: dirac_path(t(1.0), t(1.0), 3, 0.1, 0.1, method=m), lambda m: update_matrix(m, 0.1, 0.1)):
        with pytest.raises(ValueError, match=f"method: expected one of {', '.join(METHODS)}, got 'best'"):
            call("best")
