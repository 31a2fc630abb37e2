"""Samplers and the density of a flow, where the exact velocity and the exact density are known."""

from functools import partial

import pytest
import torch
from torch import tensor

from course_lib.diffusion.likelihood import divergence, flow_log_likelihood
from course_lib.diffusion.mixtures import Mixture, exact, log_density
from course_lib.diffusion.paths import COSINE, STRAIGHT
from course_lib.diffusion.samplers import ddim, euler, even_times, fresh_noise, heun, heun_euler_last, heun_step

f64 = torch.float64
MIXTURE = Mixture(tensor([0.3, 0.7], dtype=f64), tensor([[1, -2], [-1, 0.5]], dtype=f64), tensor([0.3, 0.6], dtype=f64))
BELL = Mixture(tensor([1.0], dtype=f64), tensor([[0.7]], dtype=f64), tensor([0.5], dtype=f64))


def velocity(mixture=MIXTURE, path=STRAIGHT):
    return lambda x, t: exact(mixture, x, t, path)["velocity"]


def noise(n, d=2, seed=0):
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed), dtype=f64)


@pytest.mark.parametrize("path", [STRAIGHT, COSINE], ids=lambda p: p.name)
@pytest.mark.parametrize(("sampler", "order"), [(euler, 1), (heun, 2), (heun_euler_last, 2)])
def test_the_error_falls_with_the_samplers_order(path, sampler, order):
    """For one bell the flow is known: it keeps every quantile, x = m + s·ε."""
    z = noise(200, 1)
    true = 0.7 + 0.5 * z
    errors = [(sampler(velocity(BELL, path), z, even_times(n, dtype=f64)) - true).abs().max() for n in (40, 80)]
    assert 0.85 * 2**order < errors[0] / errors[1] < 1.2 * 2**order


@pytest.mark.parametrize("path", [STRAIGHT, COSINE], ids=lambda p: p.name)
@pytest.mark.parametrize(
    "sampler",
    [
        euler,
        heun,
        "ddim",
        pytest.param("half", id="ddim, half the noise anew"),
        pytest.param("all", id="ddim, all noise anew"),
    ],
)
def test_samples_have_the_mixtures_moments(path, sampler):
    generator = torch.Generator().manual_seed(1)
    eta = {"half": 0.5, "all": 1.0}.get(sampler, 0.0)
    way = partial(ddim, path=path, eta=eta, generator=generator) if isinstance(sampler, str) else sampler
    made = way(velocity(path=path), noise(20_000), even_times(100, dtype=f64))
    true = MIXTURE.sample(200_000, generator)
    assert (made.mean(0) - true.mean(0)).abs().max() < 0.05
    assert (made.var(0) / true.var(0) - 1).abs().max() < 0.05


@pytest.mark.parametrize(("now", "then"), [(0.25, 0.4), (0.5, 1.0), (0.9, 0.3)])
def test_one_step_of_heun_is_a_trapezium_and_its_far_end_is_where_eulers_step_leads(now, then):
    """dx/dt = t² is integrated by the trapezium; dx/dt = −3x grows by 1 + z + z²/2 with z = −3h."""
    x, h, times = noise(4), then - now, tensor([now, then], dtype=f64)
    by_time = heun_step(lambda x, t: torch.ones_like(x) * t[:, None] ** 2, x, *times)
    torch.testing.assert_close(by_time, x + h * (now**2 + then**2) / 2, rtol=1e-12, atol=1e-12)
    by_place = heun_step(lambda x, t: -3 * x, x, *times)
    torch.testing.assert_close(by_place, x * (1 - 3 * h + 4.5 * h**2), rtol=1e-12, atol=1e-12)


def test_without_fresh_noise_ddim_is_eulers_step_on_straight_paths():
    z, times = noise(50), even_times(7, dtype=f64)
    torch.testing.assert_close(
        ddim(velocity(), z, times, STRAIGHT), euler(velocity(), z, times), rtol=1e-10, atol=1e-12
    )


def test_evaluations_are_as_many_as_said_and_where():
    for sampler, expected in ((euler, 5), (heun, 10), (heun_euler_last, 9)):
        asked = []
        sampler(
            lambda x, t, asked=asked: asked.append(t[0].item()) or velocity()(x, t), noise(2), even_times(5, dtype=f64)
        )
        assert len(asked) == expected
        assert (max(asked) == 1) == (sampler is heun)


def test_for_a_single_point_one_step_of_ddim_arrives_on_any_path():
    """Its guess of the data is exact from the start; Euler's step along the cosine's velocity is not."""
    point = Mixture(tensor([1.0], dtype=f64), tensor([[0.7]], dtype=f64), tensor([1e-9], dtype=f64))
    times = even_times(1, dtype=f64)
    made = ddim(velocity(point, COSINE), noise(5, 1), times, COSINE)
    torch.testing.assert_close(made, torch.full((5, 1), 0.7, dtype=f64), rtol=0, atol=1e-6)
    assert (euler(velocity(point, COSINE), noise(5, 1), times) - 0.7).abs().mean() > 0.3


@pytest.mark.parametrize("path", [STRAIGHT, COSINE], ids=lambda p: p.name)
def test_fresh_noise_is_what_bayes_rule_says(path):
    """The variance of x_then given x_now and the data, from the joint Gaussian of the two noises."""
    now, then = tensor(0.4, dtype=f64), tensor(0.55, dtype=f64)
    a, s, a2, s2 = *path.at(now)[:2], *path.at(then)[:2]
    covariance = (a / a2) * s2**2  # x_now = (a/a') x_then + its own noise
    torch.testing.assert_close(fresh_noise(now, then, path) ** 2, s2**2 - covariance**2 / s**2)


def test_the_divergence_is_the_trace_of_the_jacobian():
    x, t = noise(6), torch.full((6,), 0.6, dtype=f64)
    v, trace = divergence(velocity(), x, t)
    jacobian = torch.stack(
        [torch.autograd.functional.jacobian(lambda y: velocity()(y[None], t[:1])[0], row) for row in x]
    )
    torch.testing.assert_close(trace, jacobian.diagonal(dim1=1, dim2=2).sum(-1), rtol=1e-10, atol=1e-12)
    torch.testing.assert_close(v, velocity()(x, t))
    signs = tensor([[1.0, 1], [1, -1], [-1, 1], [-1, -1]], dtype=f64)
    over_all = [divergence(velocity(), x, t, probe.expand_as(x))[1] for probe in signs]
    torch.testing.assert_close(torch.stack(over_all).mean(0), trace, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("path", [STRAIGHT, COSINE], ids=lambda p: p.name)
def test_the_flows_density_is_the_mixtures(path):
    """Second order in the steps, with exact divergences; with probes right on average."""
    x = MIXTURE.sample(40, torch.Generator().manual_seed(2))
    true = log_density(MIXTURE, x, torch.ones(40, dtype=f64), path)
    errors = [(flow_log_likelihood(velocity(path=path), x, n, 0)[0] - true).abs().max() for n in (80, 160)]
    assert errors[1] < 0.01
    assert errors[0] / errors[1] > 3
    probed = flow_log_likelihood(velocity(path=path), x, 80, 30, torch.Generator().manual_seed(3)).mean(1)  # (probes,)
    assert abs(probed.mean() - true.mean()) < 5 * probed.std() / 30**0.5 + 1e-2


def test_bad_arguments_are_named():
    z = noise(3)
    with pytest.raises(ValueError, match="steps: expected at least 1, got 0"):
        even_times(0)
    for times in ([0.0, 0.5], [1.0, 0.0], [0.0, 0.5, 0.5, 1.0]):
        with pytest.raises(ValueError, match="times: expected numbers going up from 0 to 1"):
            euler(velocity(), z, tensor(times, dtype=f64))
    with pytest.raises(ValueError, match=r"eta: expected 0 to 1, got 2\.0"):
        ddim(velocity(), z, even_times(3), STRAIGHT, eta=2.0)
    with pytest.raises(ValueError, match="generator: expected one for eta above 0, got None"):
        ddim(velocity(), z, even_times(3), STRAIGHT, eta=1.0)
    with pytest.raises(ValueError, match="generator: expected one for the probes' signs, got None"):
        flow_log_likelihood(velocity(), z)
