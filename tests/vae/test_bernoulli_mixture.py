"""The mixture's likelihood against torch's distributions; EM climbs, and finds what data were made from."""

import pytest
import torch
from torch.distributions import Bernoulli, Categorical, Independent, MixtureSameFamily

from course_lib.vae.bernoulli_mixture import bernoulli_mixture_log_likelihood, fit_bernoulli_mixture

f64 = torch.float64


def drawn(n, seed=0):
    """Bits from two components, which are given, too."""
    generator = torch.Generator().manual_seed(seed)
    means = torch.tensor([[0.9, 0.9, 0.9, 0.1, 0.1], [0.1, 0.2, 0.1, 0.8, 0.9]], dtype=f64)
    which = (torch.rand(n, generator=generator) < 0.3).long()  # 0.3 of the second
    return (torch.rand(n, 5, dtype=f64, generator=generator) < means[which]).to(f64), means


def test_the_likelihood_is_torchs():
    x, means = drawn(40)
    log_shares = torch.tensor([0.7, 0.3], dtype=f64).log()
    theirs = MixtureSameFamily(Categorical(logits=log_shares), Independent(Bernoulli(means), 1)).log_prob(x)
    torch.testing.assert_close(bernoulli_mixture_log_likelihood(x, log_shares, means), theirs, rtol=1e-10, atol=1e-12)


def test_every_round_climbs_and_the_end_is_what_the_data_were_made_from():
    x, means = drawn(4000)
    value = lambda rounds: bernoulli_mixture_log_likelihood(
        x, *fit_bernoulli_mixture(x, 2, rounds, torch.Generator().manual_seed(0), pseudo=0.0)
    ).mean()
    curve = torch.stack([value(rounds) for rounds in range(0, 30, 3)])
    assert (curve.diff() > -1e-12).all()
    log_shares, found = fit_bernoulli_mixture(x, 2, 60, torch.Generator().manual_seed(0))
    order = log_shares.argsort(descending=True)
    torch.testing.assert_close(log_shares[order].exp(), torch.tensor([0.7, 0.3], dtype=f64), atol=0.03, rtol=0)
    torch.testing.assert_close(found[order], means, atol=0.03, rtol=0)


def test_one_component_is_independent_pixels_and_a_pixel_never_seen_keeps_a_chance():
    x, _ = drawn(300)
    x[:, 2] = 0.0
    log_shares, means = fit_bernoulli_mixture(x, 1, 1, torch.Generator().manual_seed(0), pseudo=0.0)
    torch.testing.assert_close(means[0], x.mean(0))
    log_shares, means = fit_bernoulli_mixture(x, 3, 20, torch.Generator().manual_seed(0))
    assert (means > 0).all()
    one = torch.ones(1, 5, dtype=f64)
    assert bernoulli_mixture_log_likelihood(one, log_shares, means).isfinite().all()


def test_wrong_numbers_of_components_are_named():
    x, _ = drawn(6)
    for components in (0, 7):
        with pytest.raises(ValueError, match=f"expected 1 to 6, the number of images, got {components}"):
            fit_bernoulli_mixture(x, components, 1, torch.Generator())
