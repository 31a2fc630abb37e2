"""The learner writes the Fréchet distance of two Gaussians, whose covariances may have no inverse."""

import math

import torch
from torch import Tensor

from course_lib.chapters.ch11_gan_images.exercises.common import plain
from course_lib.classroom.exercises.probes import numbers, random
from course_lib.classroom.exercises.spec import Exercise, Mistake, Probe
from course_lib.evaluation import frechet


def _covariance(d: int, rank: int, seed: int) -> Tensor:
    factor = random(d, rank, seed=seed)
    return factor @ factor.T + (0.2 * torch.eye(d, dtype=torch.float64) if rank == d else 0)


def _near(seed: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return two large Gaussians that nearly agree: their distance is what is left of large numbers."""
    mu, sigma = 40 * random(3, seed=seed), 500 * _covariance(3, 3, seed=seed + 1)
    return mu, sigma, mu + 0.3, 1.02 * sigma


def _root(sigma: Tensor) -> Tensor:
    values, vectors = torch.linalg.eigh(sigma)
    return vectors * values.clamp(min=0).sqrt() @ vectors.T


def _without_root(m: Tensor, s: Tensor, n: Tensor, t: Tensor) -> Tensor:
    """Return ‖m − n‖² + tr(s + t): all but the trace of the root."""
    return ((m - n) ** 2).sum() + (s + t).trace()


def _trace_of_root(s: Tensor, t: Tensor) -> Tensor:
    return torch.linalg.svdvals(_root(s) @ _root(t)).sum()


ENTRY = Exercise(
    id="gan.gaussian_frechet_distance",
    reference=frechet.gaussian_frechet_distance,
    trial=plain,
    probes=lambda: [
        Probe((random(3, seed=1), _covariance(3, 3, seed=2), 2 * random(3, seed=3), _covariance(3, 3, seed=4))),
        Probe((random(1, seed=5), _covariance(1, 1, seed=6), random(1, seed=7), 3 * _covariance(1, 1, seed=8))),
        Probe(
            (random(4, seed=9), _covariance(4, 2, seed=10), random(4, seed=11), _covariance(4, 2, seed=12)),
            says="mu (4,), sigma (4, 4), other_mu (4,), other_sigma (4, 4), both covariances of rank 2",
        ),
        Probe((random(4, seed=13), _covariance(4, 4, seed=14), random(4, seed=15), _covariance(4, 4, seed=16))),
        Probe(_near(seed=17)),
        Probe(
            (
                random(12, seed=18),
                0.02 * _covariance(12, 5, seed=19),
                random(12, seed=20),
                0.02 * _covariance(12, 5, seed=19),
            ),
            says="mu (12,), sigma (12, 12) of rank 5, another mean, the same covariance",
        ),
        Probe(
            (numbers(1, 3), numbers(1, 2, 2, 4).view(2, 2), numbers(2, -1), numbers(9, -3, -3, 1).view(2, 2)),
            says="sigma = [[1, 2], [2, 4]] and other_sigma = [[9, -3], [-3, 1]], both of rank 1",
        ),
    ],
    checked="d = 1, 2, 3, 4 and 12, covariances without an inverse among them, and large ones that nearly agree.",
    gradients=False,
    rtol=1e-8,
    atol=1e-6,  # an eigenvalue 0 comes out as ±1e-16, and its root as 1e-8
    mistakes=(
        Mistake(
            "root_of_product_elementwise",
            lambda m, s, n, t: _without_root(m, s, n, t) - 2 * (s @ t).sqrt().trace(),
            "the root of the product is taken number by number",
            "the root of a matrix M is a matrix R with R @ R = M: .sqrt() is not that, save for diagonal matrices.",
        ),
        Mistake(
            "not_squared_mean",
            lambda m, s, n, t: (m - n).norm() + (s + t).trace() - 2 * _trace_of_root(s, t),
            "the distance of the means is not squared",
            "all terms have the unit of a feature, squared.",
        ),
        Mistake(
            "one_root",
            lambda m, s, n, t: _without_root(m, s, n, t) - _trace_of_root(s, t),
            "the trace of the root is taken off once, not twice",
            "for d = 1 it is σ₁² + σ₂² − 2σ₁σ₂ = (σ₁ − σ₂)².",
        ),
        Mistake(
            "no_root",
            lambda m, s, n, t: _without_root(m, s, n, t) - 2 * (s @ t).trace(),
            "the trace of Σ₁Σ₂ is taken off, not of its root",
            "for d = 1 it is σ₁² + σ₂² − 2σ₁σ₂: the root of σ₁²σ₂² in the last term.",
        ),
        Mistake(
            "frobenius",
            lambda m, s, n, t: _without_root(m, s, n, t) - 2 * (_root(s) @ _root(t)).trace(),
            "‖Σ₁^½ − Σ₂^½‖² is computed: the trace of Σ₁^½ Σ₂^½ in place of the trace of (Σ₁Σ₂)^½",
            "the two agree only where the matrices commute: the root of a product is not the product of the roots.",
        ),
        Mistake(
            "one_triangle",
            lambda m, s, n, t: _without_root(m, s, n, t) - 2 * torch.linalg.eigvalsh(s @ t).clamp(min=0).sqrt().sum(),
            "eigvalsh or eigh is given Σ₁Σ₂, which is not symmetric: it reads one triangle of it",
            "Σ₁^½ Σ₂ Σ₁^½ is symmetric, and has the same eigenvalues.",
        ),
        Mistake(
            "traces_of_roots",
            lambda m, s, n, t: _without_root(m, s, n, t) - 2 * _root(s).trace() * _root(t).trace(),
            "the traces of the two roots are multiplied",
            "first the product, then its root, then the trace: the trace of a product is not the product of traces.",
        ),
        Mistake(
            "root_of_trace",
            lambda m, s, n, t: _without_root(m, s, n, t) - 2 * (s @ t).trace().sqrt(),
            "the root of the trace is taken, not the trace of the root",
            "the eigenvalues' roots are added up: √a + √b is not √(a + b).",
        ),
        Mistake(
            "root_at_the_end",
            lambda *given: math.sqrt(frechet.gaussian_frechet_distance(*given)),
            "the root of the whole comes back",
            "what is reported as the Fréchet distance is the square of W₂.",
        ),
        Mistake(
            "mean_only",
            lambda m, s, n, t: ((m - n) ** 2).sum(),
            "the covariances are left out",
            "a generator that makes the mean image alone, over and over, would have distance 0.",
        ),
    ),
    hints=(
        "Try d = 1: which three terms make (σ₁ − σ₂)²?",
        "values, vectors = torch.linalg.eigh(sigma); the root is vectors * values.clamp(min=0).sqrt() @ vectors.T.",
        "values = torch.linalg.eigvalsh(root @ other_sigma @ root)\n"
        "shared = values.clamp(min=0).sqrt().sum()\n"
        "return ((mu - other_mu) ** 2).sum() + sigma.trace() + other_sigma.trace() - 2 * shared",
    ),
    why="Σ₁Σ₂ is not symmetric, and a root of such a matrix is a delicate thing; its trace is not. Any factors with "
    "A Aᵀ = Σ₁ and B Bᵀ = Σ₂ do: the eigenvalues of Σ₁Σ₂ are the squared singular values of AᵀB. With images in "
    "place of factors the library needs no covariance at all.",
)
