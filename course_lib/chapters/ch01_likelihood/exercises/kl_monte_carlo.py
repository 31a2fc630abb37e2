"""The exercise kl_monte_carlo."""

import math

import torch
from torch import Tensor

from course_lib.classroom.exercises.spec import Exercise, Mistake, Probe
from course_lib.information import divergences


def _log_density(x: Tensor, mu: Tensor, std: Tensor) -> Tensor:
    return -0.5 * ((x - mu) / std) ** 2 - std.log() - 0.5 * math.log(2 * math.pi)


def _log_ratio(eps: Tensor, mu_p: Tensor, std_p: Tensor, mu_q: Tensor, std_q: Tensor) -> tuple[Tensor, Tensor]:
    """Return x and log p(x) − log q(x)."""
    x = mu_p + std_p * eps
    return x, _log_density(x, mu_p, std_p) - _log_density(x, mu_q, std_q)


def _mean_and_error(values: Tensor) -> tuple[Tensor, Tensor]:
    return values.mean(), values.std() / math.sqrt(len(values))


def _from_q(eps: Tensor, mu_p: Tensor, std_p: Tensor, mu_q: Tensor, std_q: Tensor) -> tuple[Tensor, Tensor]:
    x = mu_q + std_q * eps
    return _mean_and_error(_log_density(x, mu_p, std_p) - _log_density(x, mu_q, std_q))


def _raw_draws(eps: Tensor, mu_p: Tensor, std_p: Tensor, mu_q: Tensor, std_q: Tensor) -> tuple[Tensor, Tensor]:
    return _mean_and_error(_log_density(eps, mu_p, std_p) - _log_density(eps, mu_q, std_q))


def _no_normaliser(eps: Tensor, mu_p: Tensor, std_p: Tensor, mu_q: Tensor, std_q: Tensor) -> tuple[Tensor, Tensor]:
    x = mu_p + std_p * eps
    return _mean_and_error(0.5 * ((x - mu_q) / std_q) ** 2 - 0.5 * eps**2)


def _weighted(eps: Tensor, mu_p: Tensor, std_p: Tensor, mu_q: Tensor, std_q: Tensor) -> tuple[Tensor, Tensor]:
    x, ratio = _log_ratio(eps, mu_p, std_p, mu_q, std_q)
    return _mean_and_error(_log_density(x, mu_p, std_p).exp() * ratio)


def _with_error(error):
    """A right estimate with this error made of the single values."""

    def mistaken(eps, mu_p, std_p, mu_q, std_q):
        _, ratio = _log_ratio(eps, mu_p, std_p, mu_q, std_q)
        return ratio.mean(), error(ratio)

    return mistaken


def _kl_probe(n: int, seed: int, *parameters: float) -> Probe:
    eps = torch.randn(n, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
    return Probe((eps, *(torch.tensor(v, dtype=torch.float64) for v in parameters)))


ENTRY = Exercise(
    id="likelihood.kl_monte_carlo",
    reference=divergences.kl_monte_carlo,
    probes=lambda: [
        _kl_probe(9, 1, 0.7, 0.5, -0.4, 1.5),
        _kl_probe(2, 2, -1.2, 2.0, 0.3, 0.8),
        _kl_probe(31, 3, 2.5, 1.3, 1.9, 3.1),
    ],
    checked="estimate and error for three pairs of Gaussians and 2, 9 and 31 draws.",
    outputs=("estimate", "error"),
    gradients=False,
    mistakes=(
        Mistake(
            "sign",
            lambda eps, mu_p, std_p, mu_q, std_q: _mean_and_error(-_log_ratio(eps, mu_p, std_p, mu_q, std_q)[1]),
            "log q − log p is averaged",
            "on draws from p, which of the two is the larger on average? KL is never negative.",
        ),
        Mistake(
            "from_q",
            _from_q,
            "the draws come from q, the logarithms as asked",
            "KL(p‖q) is an average under p: whose mean and spread make the draws?",
        ),
        Mistake(
            "other_direction",
            lambda eps, mu_p, std_p, mu_q, std_q: _mean_and_error(_log_ratio(eps, mu_q, std_q, mu_p, std_p)[1]),
            "p and q change places: KL(q‖p)",
            "the first name is the one that is averaged over.",
        ),
        Mistake(
            "variance_as_spread",
            lambda eps, mu_p, std_p, mu_q, std_q: _mean_and_error(
                _log_density(mu_p + std_p**2 * eps, mu_p, std_p) - _log_density(mu_p + std_p**2 * eps, mu_q, std_q)
            ),
            "the draws have the spread std_p²",
            "the second number of N(mu, std²) is squared already: what does eps have to be multiplied by?",
        ),
        Mistake(
            "raw_draws",
            _raw_draws,
            "eps itself is taken for draws from p",
            "eps has mean 0 and spread 1. How do you give it mean mu_p and spread std_p?",
        ),
        Mistake(
            "no_normaliser",
            _no_normaliser,
            "the terms −log std are left out",
            "a wide Gaussian is lower everywhere near its middle: where does your density say so?",
        ),
        Mistake(
            "weighted",
            _weighted,
            "each value is weighted by p(x) once more",
            "the draws already come more often where p is large.",
        ),
        Mistake(
            "spread",
            _with_error(lambda values: values.std()),
            "the error is the spread of single values",
            "is a mean of a million values as uncertain as one of them?",
        ),
        Mistake(
            "over_n",
            _with_error(lambda values: values.std() / len(values)),
            "the spread is divided by n",
            "variances shrink with n; what does a standard deviation shrink with?",
        ),
        Mistake(
            "variance",
            _with_error(lambda values: values.var() / len(values)),
            "the variance of the mean is returned in place of its root",
            "an error is in the same unit as the estimate.",
        ),
        Mistake(
            "biased",
            _with_error(lambda values: values.std(correction=0) / math.sqrt(len(values))),
            "the variance is divided by n, not by n − 1",
            "the mean was fitted to the same draws, which makes them look closer to it than they are.",
        ),
    ),
    hints=(
        "Try p = q first. Then p = N(0, 1), q = N(1, 1): the answer is ½, and the error must shrink with more draws.",
        "x = mu_p + std_p * eps has mean mu_p and spread std_p.",
        "values = log_p - log_q; return values.mean(), values.std() / math.sqrt(len(values)).",
    ),
    why="An expectation under p is a mean over draws from p. The ½ log 2π stands in both densities and cancels, so "
    "the course's own leaves it out. Noise that is handed in makes the same call give the same number.",
)
