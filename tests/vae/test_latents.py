"""Aggregate posterior, active units and paths against distributions of torch and closed forms."""

import itertools
import math

import pytest
import torch
from torch.distributions import Categorical, Independent, MixtureSameFamily, Normal

from course_lib.information.divergences import kl_to_standard_normal
from course_lib.vae.latents import active_units, aggregate_log_density, elbo_surgery, spherical_path

f64 = torch.float64


def numbers(*shape, seed):
    return torch.randn(*shape, dtype=f64, generator=torch.Generator().manual_seed(seed)) + 0.3


def test_the_aggregate_posterior_is_torchs_mixture():
    z, mu, logvar = numbers(13, 3, seed=1), numbers(7, 3, seed=2), numbers(7, 3, seed=3)
    mixture = MixtureSameFamily(
        Categorical(logits=torch.zeros(7, dtype=f64)), Independent(Normal(mu, logvar.div(2).exp()), 1)
    )
    for at_once in (4, 500):
        torch.testing.assert_close(
            aggregate_log_density(z, mu, logvar, at_once), mixture.log_prob(z), rtol=1e-10, atol=1e-12
        )


def test_surgery_adds_up_and_knows_its_two_ends():
    n = 400
    eps = numbers(n, 2, seed=1) - 0.3
    mu, logvar = 2 * numbers(n, 2, seed=2), numbers(n, 2, seed=3) - 1
    kl, information, marginal = elbo_surgery(mu, logvar, eps)
    assert kl.item() == pytest.approx(kl_to_standard_normal(mu, logvar).mean().item())
    z = mu + logvar.div(2).exp() * eps
    q = Independent(Normal(mu, logvar.div(2).exp()), 1).log_prob(z)
    p = Independent(Normal(torch.zeros(2, dtype=f64), torch.ones(2, dtype=f64)), 1).log_prob(z)
    assert (information + marginal).item() == pytest.approx((q - p).mean().item(), rel=1e-10)
    assert abs(information + marginal - kl) < 5 * (q - p).std() / n**0.5

    same = torch.zeros(n, 2, dtype=f64)  # every example has the same posterior: z tells nothing
    kl, information, marginal = elbo_surgery(same + 1.0, same, eps)
    assert abs(information) < 1e-10
    assert kl.item() == pytest.approx(1.0)
    apart = torch.stack([10.0 * torch.arange(n, dtype=f64), torch.zeros(n, dtype=f64)], dim=1)  # each its own place
    assert elbo_surgery(apart, same, eps)[1].item() == pytest.approx(math.log(n), abs=1e-4)


def test_a_unit_is_active_where_its_mean_varies_and_its_width_does_not_matter():
    mu = torch.stack([numbers(50, seed=1), torch.full((50,), 3.0, dtype=f64), 0.05 * numbers(50, seed=2)], dim=1)
    assert active_units(mu).tolist() == [True, False, False]
    assert active_units(mu, threshold=1e-4).tolist() == [True, False, True]
    edge = torch.tensor([[0.0], [0.15]], dtype=f64)  # variance 0.01125 with n − 1, 0.0056 with n
    assert active_units(edge).tolist() == [True]
    with pytest.raises(ValueError, match="at least two examples, got 1"):
        active_units(mu[:1])


def test_a_spherical_path_keeps_to_the_plane_turns_evenly_and_changes_its_length_evenly():
    start, end = numbers(9, seed=1), 3 * numbers(9, seed=2)
    t = torch.linspace(0, 1, 6, dtype=f64)
    path = spherical_path(start, end, t)
    torch.testing.assert_close(path[[0, -1]], torch.stack([start, end]))
    torch.testing.assert_close(path.norm(dim=1), torch.lerp(start.norm(), end.norm(), t))
    turns = [torch.acos(torch.cosine_similarity(a, b, dim=0)) for a, b in itertools.pairwise(path)]
    torch.testing.assert_close(torch.stack(turns), turns[0].expand(5), rtol=1e-6, atol=0)
    assert torch.linalg.matrix_rank(path, rtol=1e-9) == 2
    right = spherical_path(torch.tensor([1.0, 0.0]).double(), torch.tensor([0.0, 1.0]).double(), t[:2] + 1 / 3 - t[:2])
    torch.testing.assert_close(right[0], torch.tensor([math.cos(math.pi / 6), 0.5]).double())  # a third of 90°


def test_paths_between_like_and_opposite_directions():
    v, t = numbers(4, seed=1), torch.linspace(0, 1, 3, dtype=f64)
    torch.testing.assert_close(spherical_path(v, 2 * v, t), torch.stack([v, 1.5 * v, 2 * v]))
    with pytest.raises(ValueError, match="not opposite"):
        spherical_path(v, -v, t)
    with pytest.raises(ValueError, match="got one of length 0"):
        spherical_path(v, 0 * v, t)
