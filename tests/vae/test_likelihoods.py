"""Likelihoods, bounds and models against torch.distributions, quadrature, autograd and each other."""

import math

import pytest
import torch
from torch.distributions import Bernoulli, Categorical, Independent, Normal
from vae_numbers import agree, bits, f64, numbers

from course_lib.vae.likelihoods import (
    bernoulli_log_likelihood,
    categorical_log_likelihood,
    discretized_logistic_log_likelihood,
    gaussian_log_likelihood,
)


def test_likelihoods_are_those_of_torch():
    x, logits = bits(2, 3, 7, seed=1), numbers(2, 3, 7, seed=2) * 4
    agree(bernoulli_log_likelihood(x, logits), Independent(Bernoulli(logits=logits), 1).log_prob(x))
    mu, logvar = numbers(2, 3, 7, seed=3), numbers(2, 3, 7, seed=4)
    agree(gaussian_log_likelihood(x, mu, logvar), Independent(Normal(mu, logvar.div(2).exp()), 1).log_prob(x))
    levels = torch.randint(5, (3, 7), generator=torch.Generator().manual_seed(5))
    logits = numbers(2, 3, 7, 5, seed=6)
    agree(categorical_log_likelihood(levels, logits), Independent(Categorical(logits=logits), 1).log_prob(levels))


def test_the_discretised_logistic_is_a_difference_of_logistic_distribution_functions_and_sums_to_one():
    levels = torch.arange(256)
    for mu, log_scale in ((-20.0, 1.0), (0.2, 0.0), (127.4, 3.0), (254.9, -1.0), (300.0, 2.0)):
        mean, width = torch.tensor([mu], dtype=f64), torch.tensor([log_scale], dtype=f64)
        log_p = discretized_logistic_log_likelihood(levels[:, None], mean, width)
        assert log_p.exp().sum().item() == pytest.approx(1, rel=1e-12)
        cdf = lambda at, m=mean, w=width: ((at - m) / w.exp()).sigmoid()
        upper = torch.where(levels == 255, 1.0, cdf(levels + 0.5))
        lower = torch.where(levels == 0, 0.0, cdf(levels - 0.5))
        seen = upper - lower > 1e-6  # further out the difference has no digits left
        torch.testing.assert_close(log_p[seen].exp(), (upper - lower)[seen], rtol=1e-9, atol=0)
    far = discretized_logistic_log_likelihood(
        torch.tensor([[200]]), torch.tensor([[10.0]], dtype=f64), torch.zeros(1, 1, dtype=f64)
    )
    assert far.item() == pytest.approx(-189.5 + math.log(-math.expm1(-1)), rel=1e-12)  # the tail, to its last digit
