"""Annealed importance sampling against exact likelihoods: a linear Gaussian model, and a small VAE on a grid."""

import math

import pytest
import torch
from torch.distributions import MultivariateNormal

from course_lib.vae.annealed import annealed_weights, lower_bound, sigmoid_betas, tuned_sizes, upper_bound
from course_lib.vae.bounds import importance_weighted_bound, log_standard_normal
from course_lib.vae.likelihoods import bernoulli_log_likelihood, gaussian_log_likelihood
from course_lib.vae.models import fully_connected_vae

f64 = torch.float64


def seeded(seed):
    return torch.Generator().manual_seed(seed)


def normal(*shape, seed):
    return torch.randn(*shape, dtype=f64, generator=seeded(seed))


class Linear:
    """x = W z + noise of standard deviation 0.5, three numbers from two latents; everything about it is known."""

    def __init__(self, images=4):
        self.W = torch.tensor([[1.0, 0.3], [-0.4, 0.9], [0.2, -1.1]], dtype=f64)
        self.z = normal(images, 2, seed=1)
        self.x = self.z @ self.W.T + 0.5 * normal(images, 3, seed=2)
        covariance = self.W @ self.W.T + 0.25 * torch.eye(3, dtype=f64)
        self.exact = MultivariateNormal(torch.zeros(3, dtype=f64), covariance).log_prob(self.x)
        precision = self.W.T @ self.W / 0.25 + torch.eye(2, dtype=f64)
        self.covariance = torch.linalg.inv(precision)
        self.mean = self.x @ self.W / 0.25 @ self.covariance

    def log_weight(self, eps):
        return gaussian_log_likelihood(self.x, eps @ self.W.T, torch.full_like(self.x, 0.25).log())

    def posterior(self, chains, seed):
        posterior = MultivariateNormal(self.mean, self.covariance)
        return posterior.mean + normal(chains, len(self.x), 2, seed=seed) @ torch.linalg.cholesky(self.covariance).T


def run(model, steps, chains, backward=False, size=0.35, seed=3):
    betas = sigmoid_betas(steps)
    start = model.posterior(chains, seed) if backward else normal(chains, len(model.x), 2, seed=seed)
    sizes = torch.full((steps + 1,), size)
    return annealed_weights(model.log_weight, start, betas, sizes, seeded(seed + 10), backward=backward)


def test_the_betas_rise_from_0_to_1_slowly_at_both_ends():
    betas = sigmoid_betas(10)
    assert (len(betas), betas[0], betas[-1]) == (11, 0, 1)
    rises = betas.diff()
    torch.testing.assert_close(rises, rises.flip(0), rtol=1e-10, atol=1e-12)
    assert (rises[:5].diff() > 0).all()
    assert sigmoid_betas(1).tolist() == [0, 1]
    with pytest.raises(ValueError, match="at least 1, got 0"):
        sigmoid_betas(0)


def test_one_step_is_the_importance_weight():
    model = Linear()
    start = normal(6, 4, 2, seed=3)
    found = run(model, steps=1, chains=6)
    torch.testing.assert_close(found.log_w, model.log_weight(start), rtol=1e-12, atol=0)
    bound = importance_weighted_bound(found.log_w)
    torch.testing.assert_close(lower_bound(found.log_w), bound, rtol=1e-12, atol=0)


@pytest.mark.parametrize("size", [0.35, 0.42])
def test_a_move_keeps_the_posterior_and_throws_some_away(size):
    """Moments after a move from exact draws; near the longest stable step a move without its test spreads them."""
    model = Linear(images=1)
    found = run(model, steps=1, chains=60_000, backward=True, size=size)
    assert 0.3 < found.accepted.mean() < 0.98
    off = found.eps[:, 0] - model.mean
    for value, expected in (
        (off, torch.zeros(2)),
        (off**2, model.covariance.diagonal()),
        (off.prod(1), model.covariance[0, 1]),
    ):
        assert ((value.mean(0) - expected).abs() < 5 * value.std(0) / 60_000**0.5).all()


@pytest.mark.parametrize("steps", [1, 4, 12])
def test_the_mean_weight_is_the_likelihood_forward_and_its_inverse_backward(steps):
    model = Linear()
    for backward, sign in ((False, 1), (True, -1)):
        ratio = (sign * (run(model, steps, 20_000, backward).log_w - model.exact)).exp()  # 1 on average
        heavy = backward and steps < 12  # 1/w from posterior draws: the tail is too heavy for a standard error
        error = ratio.std(0) / 20_000**0.5
        assert heavy or ((ratio.mean(0) - 1).abs() < 5 * error).all()


def test_the_truth_lies_between_and_more_steps_come_closer():
    model = Linear()
    widths = []
    for steps in (2, 8, 32):
        below, above = (run(model, steps, 4_000, backward).log_w for backward in (False, True))
        for gap in (model.exact - below, above - model.exact):  # of single chains, at least 0 in expectation
            assert (gap.mean(0) > 5 * gap.std(0) / 4_000**0.5).all()
        widths.append((above.mean() - below.mean()).item())
        of_hundred = lower_bound(below.view(100, 160)).view(40, 4), upper_bound(above.view(100, 160)).view(40, 4)
        assert (below.mean(0) < of_hundred[0].mean(0)).all()
        assert (of_hundred[1].mean(0) < above.mean(0)).all()
    assert widths[0] > 2 * widths[1] > 4 * widths[2] > 0


def test_a_small_vae_is_enclosed_around_its_integral_on_a_grid():
    torch.manual_seed(0)
    vae = fully_connected_vae(2, hidden=16).double()
    with torch.no_grad():
        vae.decoder[-1].weight *= 3  # images that depend on z, and so a posterior that is not the prior
        z = normal(2, 2, seed=4)
        x = torch.bernoulli(vae.means(z), generator=seeded(5))
        ticks = torch.linspace(-6, 6, 161, dtype=f64)
        plane = torch.cartesian_prod(ticks, ticks)[:, None]  # (161², 1, 2)
        log_joint = log_standard_normal(plane) + bernoulli_log_likelihood(x, vae.decode(plane))
        exact = log_joint.logsumexp(0) + 2 * math.log(ticks[1] - ticks[0])
        mu, logvar = vae.encode(x)
    own = (z - mu) / logvar.div(2).exp()  # ε of the z that made each image
    log_weight = lambda eps: vae.log_weights(x, eps)
    betas = sigmoid_betas(30)
    sizes = tuned_sizes(log_weight, normal(10, 2, 2, seed=6), betas, seeded(7))
    below = annealed_weights(log_weight, normal(60, 2, 2, seed=8), betas, sizes, seeded(9))
    above = annealed_weights(log_weight, own.expand(60, 2, 2), betas, sizes, seeded(10), backward=True)
    assert (below.log_w.mean(0) < exact).all()
    ratio = (below.log_w - exact).exp()
    assert ((ratio.mean(0) - 1).abs() < 5 * ratio.std(0) / 60**0.5).all()
    torch.testing.assert_close(lower_bound(below.log_w), exact, rtol=0, atol=0.3)
    torch.testing.assert_close(upper_bound(above.log_w), exact, rtol=0, atol=0.3)
    assert below.accepted.mean() > 0.5


def test_from_above_is_the_mean_of_inverse_weights():
    log_w = torch.tensor([[1.0, 2.0], [3.0, 2.0]], dtype=f64)
    expected = -math.log((math.exp(-1) + math.exp(-3)) / 2)
    torch.testing.assert_close(upper_bound(log_w), torch.tensor([expected, 2.0], dtype=f64))


def test_same_seed_same_chains_and_the_gradients_of_the_model_are_left_alone():
    model = Linear()
    model.W.requires_grad_(True)
    first, second = (run(model, 3, 5) for _ in range(2))
    assert torch.equal(first.log_w, second.log_w)
    assert torch.equal(first.eps, second.eps)
    assert not first.log_w.requires_grad
    assert model.W.grad is None


def test_sizes_follow_the_share_that_is_accepted():
    model = Linear()
    betas = sigmoid_betas(200)
    sizes = tuned_sizes(model.log_weight, normal(50, 4, 2, seed=1), betas, seeded(2), first=0.01)
    assert len(sizes) == 201
    assert sizes[0] == 0.01
    found = annealed_weights(model.log_weight, normal(50, 4, 2, seed=3), betas, sizes, seeded(4))
    assert sizes[:40].diff().min() > 0  # far too small at first: every move is taken
    tail = annealed_weights(
        model.log_weight, found.eps, torch.tensor([0.0, 1.0]), torch.full((2,), sizes[-1].item()), seeded(5)
    )
    assert 0.4 < tail.accepted.mean() < 0.9


def test_betas_that_do_not_rise_from_0_to_1_are_refused():
    model = Linear()
    start, sizes = normal(2, 4, 2, seed=1), torch.ones(3)
    for betas in ([0.0, 1.0], [0.0, 0.5, 0.9], [0.1, 0.5, 1.0], [0.0, 1.0, 1.0]):
        with pytest.raises(ValueError, match="rise from 0 to 1"):
            annealed_weights(model.log_weight, start, torch.tensor(betas), sizes, seeded(2))
