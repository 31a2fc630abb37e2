"""The exercise mixture_log_density."""

import math

import torch
from torch import Tensor

from course_lib.chapters.ch00_start_here import mixture
from course_lib.classroom.exercises.probes import random
from course_lib.classroom.exercises.spec import Exercise, Mistake, Probe


def _each(points: Tensor, mu: Tensor, log_std: Tensor) -> Tensor:
    squares = (points[:, None, :] - mu).square().sum(-1)
    return -squares / (2 * torch.exp(2 * log_std)) - 2 * log_std - math.log(2 * math.pi)


def _log_of_each(points: Tensor, logits: Tensor, mu: Tensor, log_std: Tensor) -> Tensor:
    return (logits.softmax(-1) * _each(points, mu, log_std)).sum(-1)


def _one_dimension(points: Tensor, logits: Tensor, mu: Tensor, log_std: Tensor) -> Tensor:
    each = _each(points, mu, log_std) + log_std + math.log(2 * math.pi) / 2
    return torch.logsumexp(each + logits.log_softmax(-1), -1)


def _variance_for_std(points: Tensor, logits: Tensor, mu: Tensor, log_std: Tensor) -> Tensor:
    squares = (points[:, None, :] - mu).square().sum(-1)
    each = -squares / (2 * torch.exp(log_std)) - 2 * log_std - math.log(2 * math.pi)
    return torch.logsumexp(each + logits.log_softmax(-1), -1)


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
            _log_of_each,
            "the logarithms of the components are averaged, where their densities should be",
            "a point that one component explains well is likely, however badly the others do: which comes first, "
            "the sum or the logarithm?",
        ),
        Mistake(
            "one_dimension",
            _one_dimension,
            "the components are normalised as on a line, by σ√(2π)",
            "on the plane a Gaussian is a product of two bells: how often does σ√(2π) appear?",
        ),
        Mistake(
            "variance_for_std",
            _variance_for_std,
            "the squares are divided by 2σ instead of 2σ²",
            "exp(log_std) is σ; what is σ² in terms of log_std?",
        ),
        Mistake(
            "equal_shares",
            lambda points, logits, mu, log_std: torch.logsumexp(_each(points, mu, log_std), -1) - math.log(len(logits)),
            "all components have the same share",
            "where do the logits enter?",
        ),
        Mistake(
            "logits_not_normalised",
            lambda points, logits, mu, log_std: torch.logsumexp(_each(points, mu, log_std) + logits, -1),
            "the logits are added as they are",
            "the shares must add up to 1: what does logits.log_softmax(-1) do that logits does not?",
        ),
        Mistake(
            "underflow",
            lambda points, logits, mu, log_std: torch.log(
                (logits.softmax(-1) * _each(points, mu, log_std).exp()).sum(-1)
            ),
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
