"""The learner writes kl_monte_carlo: an estimate of a KL divergence from draws, and its standard error."""

from collections.abc import Callable

from torch import Tensor

from course_lib.classroom.exercises.probes import numbers, random
from course_lib.classroom.exercises.spec import Exercise, Mistake, Probe
from course_lib.information import divergences


class OwnNoiseError(ValueError):
    """The same draws gave two answers."""


def _twice(function: Callable, eps: Tensor, *parameters: Tensor) -> object:
    """Call function on the draws, and on a copy of them: its only chance is what is handed in."""
    again = eps.clone(), *(each.clone() for each in parameters)
    first, second = function(eps, *parameters), function(*again)
    if str(first) != str(second):
        raise OwnNoiseError("two calls with the same eps gave different answers")
    return first


def _with_error(error: str) -> dict[str, str]:
    """A right estimate with this error made of the single values."""
    return {"return monte_carlo(log_p - log_q)": f"values = log_p - log_q\n    return values.mean(), {error}"}


def _kl_probe(n: int, seed: int, *parameters: float) -> Probe:
    return Probe((random(n, seed=seed, shift=0.0), *numbers(*parameters)))


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
    trial=_twice,
    mistakes=(
        Mistake(
            "own_noise",
            {"mu_p + std_p * eps": "mu_p + std_p * torch.randn_like(eps)"},
            "the draws are made anew in here",
            "eps is the noise: two calls with the same eps should agree.",
        ),
        Mistake(
            "bits",
            {"monte_carlo(log_p - log_q)": "monte_carlo((log_p - log_q) / math.log(2))"},
            "estimate and error are in bits",
            "the natural logarithm gives nats, which are asked for.",
        ),
        Mistake(
            "swapped",
            {"return monte_carlo(log_p - log_q)": "return monte_carlo(log_p - log_q)[::-1]"},
            "the error comes first",
            "estimate, then error: in which order does your return have them?",
        ),
        Mistake(
            "closed_form",
            {
                "return monte_carlo(log_p - log_q)": "_, error = monte_carlo(log_p - log_q)\n"
                "    return gaussian_kl(mu_p, std_p, mu_q, std_q), error"
            },
            "the estimate is equation (1.6), whatever was drawn",
            "the estimate is a mean over the draws; it should differ a little from the closed form.",
        ),
        Mistake(
            "sign",
            {"log_p - log_q": "log_q - log_p"},
            "log q − log p is averaged",
            "on draws from p, which of the two is the larger on average? KL is never negative.",
        ),
        Mistake(
            "from_q",
            {"mu_p + std_p * eps": "mu_q + std_q * eps", "-0.5 * eps**2": "-0.5 * ((x - mu_p) / std_p) ** 2"},
            "the draws come from q, the logarithms as asked",
            "KL(p‖q) is an average under p: whose mean and spread make the draws?",
        ),
        Mistake(
            "other_direction",
            {
                "mu_p + std_p * eps": "mu_q + std_q * eps",
                "std_p.log()": "std_q.log()",
                "(x - mu_q) / std_q": "(x - mu_p) / std_p",
                "std_q.log()": "std_p.log()",
            },
            "p and q change places: KL(q‖p)",
            "the first name is the one that is averaged over.",
        ),
        Mistake(
            "variance_as_spread",
            {"std_p * eps": "std_p**2 * eps", "-0.5 * eps**2": "-0.5 * ((x - mu_p) / std_p) ** 2"},
            "the draws have the spread std_p²",
            "the second number of N(mu, std²) is squared already: what does eps have to be multiplied by?",
        ),
        Mistake(
            "raw_draws",
            {"mu_p + std_p * eps": "eps", "-0.5 * eps**2": "-0.5 * ((x - mu_p) / std_p) ** 2"},
            "eps itself is taken for draws from p",
            "eps has mean 0 and spread 1. How do you give it mean mu_p and spread std_p?",
        ),
        Mistake(
            "no_normaliser",
            {" - std_p.log()": "", " - std_q.log()": ""},
            "the terms −log std are left out",
            "a wide Gaussian is lower everywhere near its middle: where does your density say so?",
        ),
        Mistake(
            "weighted",
            {"monte_carlo(log_p - log_q)": "monte_carlo(log_p.exp() / math.sqrt(2 * math.pi) * (log_p - log_q))"},
            "each value is weighted by p(x) once more",
            "the draws already come more often where p is large.",
        ),
        Mistake(
            "spread",
            _with_error("values.std()"),
            "the error is the spread of single values",
            "is a mean of a million values as uncertain as one of them?",
        ),
        Mistake(
            "over_n",
            _with_error("values.std() / len(values)"),
            "the spread is divided by n",
            "variances shrink with n; what does a standard deviation shrink with?",
        ),
        Mistake(
            "variance",
            _with_error("values.var() / len(values)"),
            "the variance of the mean is returned in place of its root",
            "an error is in the same unit as the estimate.",
        ),
        Mistake(
            "biased",
            _with_error("values.std(correction=0) / math.sqrt(len(values))"),
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
