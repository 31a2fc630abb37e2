"""mixture.py, plane.py, training.py: the first model, its data and one step of gradient descent."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.distributions import Categorical, Independent, MixtureSameFamily, Normal

from course_lib.chapters.ch00_start_here.descent import fit_mixture, gradient_step
from course_lib.chapters.ch00_start_here.mixture import mixture_log_density, mixture_sample, mixture_start
from course_lib.datasets.plane import fireflies, standardise

F64 = torch.float64


def some_mixture(k=3, seed=0):
    generator = torch.Generator().manual_seed(seed)
    draw = lambda *shape: torch.randn(*shape, dtype=F64, generator=generator)
    return draw(k), draw(k, 2) + 0.3, 0.4 * draw(k) - 0.5


def as_distribution(logits, mu, log_std):
    std = log_std.exp()[:, None].expand_as(mu)
    return MixtureSameFamily(Categorical(logits=logits), Independent(Normal(mu, std), 1))


@pytest.mark.parametrize(("n", "k"), [(1, 1), (5, 3), (2, 7)])
def test_the_log_density_is_that_of_torch_distributions_with_its_gradients(n, k):
    theta = [p.requires_grad_() for p in some_mixture(k, seed=n)]
    points = torch.randn(n, 2, dtype=F64, generator=torch.Generator().manual_seed(9)).requires_grad_()
    ours, theirs = mixture_log_density(points, *theta), as_distribution(*theta).log_prob(points)
    torch.testing.assert_close(ours, theirs, rtol=1e-10, atol=1e-12)
    inputs = [points, *theta]
    for a, b in zip(torch.autograd.grad(ours.sum(), inputs), torch.autograd.grad(theirs.sum(), inputs), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-10, atol=1e-12)


def test_a_density_sums_to_one_and_one_bell_is_the_closed_form():
    ticks = torch.arange(-9, 9, 0.05, dtype=F64)
    total = mixture_log_density(torch.cartesian_prod(ticks, ticks), *some_mixture()).exp().sum() * 0.05**2
    assert abs(total - 1) < 1e-9
    zero = torch.zeros(1, dtype=F64)
    centre = mixture_log_density(torch.zeros(1, 2, dtype=F64), zero, torch.zeros(1, 2, dtype=F64), zero)
    assert centre.item() == pytest.approx(-math.log(2 * math.pi), rel=1e-14)


def test_far_out_the_log_density_is_finite_and_keeps_its_gradient():
    theta = [p.requires_grad_() for p in some_mixture()]
    far = mixture_log_density(torch.tensor([[400.0, -300.0]], dtype=F64), *theta)
    assert far.item() < -1e4
    assert all(g.isfinite().all() for g in torch.autograd.grad(far.sum(), theta))


@given(st.integers(0, 10_000), st.floats(-50, 50))
def test_the_order_of_components_and_a_constant_in_the_logits_do_not_matter(seed, constant):
    logits, mu, log_std = some_mixture(4, seed)
    points = mu + 0.2
    order = torch.randperm(4, generator=torch.Generator().manual_seed(seed))
    other = mixture_log_density(points, logits[order] + constant, mu[order], log_std[order])
    torch.testing.assert_close(mixture_log_density(points, logits, mu, log_std), other, rtol=1e-9, atol=1e-9)


def test_samples_have_the_mixtures_moments():
    logits, mu, log_std = some_mixture()
    n = 100_000
    drawn = mixture_sample(n, logits, mu, log_std, torch.Generator().manual_seed(1))
    weights = logits.softmax(-1)
    mean = weights @ mu
    variance = weights @ (log_std.exp()[:, None] ** 2 + mu**2) - mean**2
    assert ((drawn.mean(0) - mean).abs() < 5 * (variance / n).sqrt()).all()
    squares = (drawn - mean) ** 2
    assert ((squares.mean(0) - variance).abs() < 5 * squares.std(0) / math.sqrt(n)).all()
    scores = mixture_log_density(drawn, logits, mu, log_std)  # the mean of −log p over samples is the entropy
    again = as_distribution(logits, mu, log_std)
    assert abs(scores.mean() - again.log_prob(drawn).mean()) < 1e-10


def test_a_step_is_the_worked_value_and_leaves_nothing_behind():
    w = torch.tensor(3.0, dtype=F64, requires_grad=True)
    loss = gradient_step(lambda w: w**2, [w], 0.1)
    assert (loss, w.item()) == (9.0, pytest.approx(2.4))
    assert w.grad is None
    assert w.is_leaf
    assert isinstance(loss, float)


def test_steps_are_those_of_torchs_own_optimizer():
    ours = [p.requires_grad_() for p in some_mixture(5)]
    theirs = [p.requires_grad_() for p in some_mixture(5)]
    points = torch.randn(20, 2, dtype=F64, generator=torch.Generator().manual_seed(2))
    loss_of = lambda *theta: -mixture_log_density(points, *theta).mean()
    optimizer = torch.optim.SGD(theirs, lr=0.2)
    for _ in range(5):
        optimizer.zero_grad()
        loss = loss_of(*theirs)
        loss.backward()
        optimizer.step()
        assert gradient_step(loss_of, ours, 0.2) == pytest.approx(loss.item(), rel=1e-12)
    for a, b in zip(ours, theirs, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-12, atol=1e-14)


def test_fitting_one_component_finds_mean_and_spread():
    """The maximum of the likelihood of one round Gaussian has a closed form."""
    points = standardise(fireflies(200)) + 0.5
    (_, mu, log_std), losses = fit_mixture(points, 1, steps=400, rate=0.1)
    torch.testing.assert_close(mu[0], points.mean(0), rtol=1e-6, atol=1e-6)
    variance = (points - points.mean(0)).square().sum(-1).mean() / 2
    assert (2 * log_std).exp().item() == pytest.approx(variance.item(), rel=1e-6)
    assert losses[-1].item() == pytest.approx(math.log(2 * math.pi * variance) + 1, rel=1e-6)


def test_the_same_seed_fits_the_same_and_another_does_not():
    points = standardise(fireflies(60))
    one, two, other = (fit_mixture(points, 4, steps=5, seed=seed)[1] for seed in (3, 3, 4))
    assert torch.equal(one, two)
    assert not torch.equal(one, other)


@pytest.mark.parametrize("k", [0, 11])
def test_too_many_or_no_components_are_refused(k):
    with pytest.raises(ValueError, match=rf"n_components: expected 1 to 10, the number of points, got {k}"):
        mixture_start(fireflies(10), k, torch.Generator())
