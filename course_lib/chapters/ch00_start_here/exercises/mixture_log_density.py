"""The learner writes mixture_log_density: the log density of a mixture of round Gaussians at every point."""

import torch

from course_lib.chapters.ch00_start_here import mixture
from course_lib.classroom.exercises.probes import random
from course_lib.classroom.exercises.spec import Exercise, Mistake, Probe


def _mixture_probes() -> list[Probe]:
    def probe(n: int, k: int, seed: int) -> Probe:
        points, mu = random(n, 2, seed=seed), random(k, 2, seed=seed + 1)
        if n > 1:
            points[0] = torch.tensor([60.0, -45.0], dtype=torch.float64)  # so far out that e^(−squares) is 0
        return Probe((points, random(k, seed=seed + 2), mu, random(k, seed=seed + 3, shift=-0.5) * 0.5))

    return [probe(5, 3, 1), probe(1, 4, 11), probe(7, 2, 21)]


ENTRY = Exercise(
    id="start.mixture_log_density",
    reference=mixture.mixture_log_density,
    probes=_mixture_probes,
    checked="three sizes, points far out included, float64 to 1e-10, and the gradients of all four arguments.",
    mistakes=(
        Mistake(
            "log_of_each",
            {"torch.logsumexp(each + logits.log_softmax(-1), dim=-1)": "(logits.softmax(-1) * each).sum(-1)"},
            "the logarithms of the components are averaged, where their densities should be",
            "a point that one component explains well is likely, however badly the others do: which comes first, "
            "the sum or the logarithm?",
        ),
        Mistake(
            "one_dimension",
            {"- 2 * log_std - math.log(2 * math.pi)": "- log_std - math.log(2 * math.pi) / 2"},
            "the components are normalised as on a line, by σ√(2π)",
            "on the plane a Gaussian is a product of two bells: how often does σ√(2π) appear?",
        ),
        Mistake(
            "half_constant",
            {"- math.log(2 * math.pi)": "- math.log(2 * math.pi) / 2"},
            "the normaliser has √(2π) in place of 2π",
            "on the plane a Gaussian is a product of two bells: how often does √(2π) appear?",
        ),
        Mistake(
            "width_once",
            {"- 2 * log_std": "- log_std"},
            "the normaliser has σ in place of σ²",
            "on the plane a Gaussian is a product of two bells: how often does σ appear?",
        ),
        Mistake(
            "variance_for_std",
            {"torch.exp(2 * log_std)": "torch.exp(log_std)"},
            "the squares are divided by 2σ instead of 2σ²",
            "exp(log_std) is σ; what is σ² in terms of log_std?",
        ),
        Mistake(
            "equal_shares",
            {"logits.log_softmax(-1)": "logits.new_zeros(len(logits)).log_softmax(-1)"},
            "all components have the same share",
            "where do the logits enter?",
        ),
        Mistake(
            "logits_not_normalised",
            {"logits.log_softmax(-1)": "logits"},
            "the logits are added as they are",
            "the shares must add up to 1: what does logits.log_softmax(-1) do that logits does not?",
        ),
        Mistake(
            "softmax_for_log_softmax",
            {"logits.log_softmax(-1)": "logits.softmax(-1)"},
            "the shares are added where their logarithms should be",
            "log(w N) = log w + log N: is every number that you add a logarithm?",
        ),
        Mistake(
            "shares_forgotten",
            {" + logits.log_softmax(-1)": ""},
            "the densities are added up without their shares",
            "where do the logits enter?",
        ),
        Mistake(
            "sum_of_logs",
            {"torch.logsumexp(each + logits.log_softmax(-1), dim=-1)": "(each + logits.log_softmax(-1)).sum(dim=-1)"},
            "the logarithms are added up, which multiplies the densities",
            "which comes first in log Σ w N, the sum or the logarithm?",
        ),
        Mistake(
            "never_zero",
            {"torch.logsumexp(": "torch.log(1e-12 + torch.exp(", ", dim=-1)": ").sum(dim=-1))"},
            "1e-12 is added before the logarithm, so that far out every point seems equally likely",
            "log(e^-800 + e^-801) is near −800, and not log 1e-12 = −27.6: torch.logsumexp knows how.",
        ),
        Mistake(
            "underflow",
            {"torch.logsumexp(": "torch.log(torch.exp(", ", dim=-1)": ").sum(dim=-1))"},
            "the densities themselves are added up: far out, each of them is 0 in the computer",
            "log(e^-800 + e^-801) is a harmless number, e^-800 is not: torch.logsumexp knows how.",
        ),
    ),
    hints=(
        "Try one component and one point first: does -log(2π) come out at the centre for σ = 1?",
        "points[:, None, :] - mu has shape (n, K, 2); square and sum over the last axis.",
        "torch.logsumexp(each + logits.log_softmax(-1), dim=-1), with each of shape (n, K).",
    ),
    why="Everything stays a logarithm until the one sum over the components, and logsumexp takes its largest term "
    "out first, so that nothing underflows. log_softmax makes shares that add up to 1 from any real numbers, which is "
    "why plain gradient descent may move them freely.",
)
