"""Each metric against SciPy or scikit-learn, and on sets whose figure is known: identical, disjoint, thinned, repeated."""

import numpy as np
import pytest
import torch
from clouds import modes, normal
from made import seeded
from scipy.linalg import sqrtm
from sklearn.metrics.pairwise import polynomial_kernel

from course_lib.evaluation.classifier import accuracy
from course_lib.evaluation.frechet import (
    extrapolate,
    frechet_distance,
    gaussian_frechet_distance,
    kernel_distance,
    real_floor,
)
from course_lib.evaluation.neighbours import density_and_coverage, memorisation, nearest, precision_and_recall


def by_sqrtm(mu, sigma, other_mu, other_sigma):
    root = sqrtm(sigma.numpy() @ other_sigma.numpy()).real
    return ((mu - other_mu) ** 2).sum().item() + np.trace(sigma.numpy() + other_sigma.numpy() - 2 * root)


@pytest.mark.parametrize("seed", range(5))
def test_frechet_distance_is_scipys_for_covariances_of_full_rank(seed):
    mix = normal(7, 7, seed)
    a, b = normal(53, 7, seed + 10), normal(41, 7, seed + 20, shift=0.3) @ mix
    moments = [m for x in (a, b) for m in (x.mean(0), x.T.cov())]
    assert frechet_distance(a, b) == pytest.approx(by_sqrtm(*moments), rel=1e-9)
    assert gaussian_frechet_distance(*moments) == pytest.approx(by_sqrtm(*moments), rel=1e-9)
    assert frechet_distance(a, b) == pytest.approx(frechet_distance(b, a), rel=1e-12)


def test_frechet_distance_of_axis_aligned_gaussians_is_the_closed_form():
    mu, std, other_mu, other_std = (torch.tensor(v).double() for v in ([1, 2, 3], [0.5, 0, 2], [0, 2, 5], [1.5, 3, 0]))
    expected = (5 + (std - other_std) ** 2 @ torch.ones(3).double()).item()
    found = gaussian_frechet_distance(mu, torch.diag(std**2), other_mu, torch.diag(other_std**2))
    assert found == pytest.approx(expected, abs=1e-12)


def test_frechet_distance_holds_where_covariances_are_singular():
    """Fewer rows than features; one dead feature; spaces at right angles, where Σ₁Σ₂ = 0 and the traces remain."""
    a = normal(9, 20, seed=1)
    assert frechet_distance(a, a) == pytest.approx(0, abs=1e-12)
    moved = a @ torch.linalg.qr(normal(20, 20, seed=2)).Q + 1
    again = gaussian_frechet_distance(a.mean(0), a.T.cov(), moved.mean(0), moved.T.cov())
    assert frechet_distance(a, moved) == pytest.approx(again, rel=1e-12)
    other = 2 * normal(12, 20, seed=5)
    again = gaussian_frechet_distance(a.mean(0), a.T.cov(), other.mean(0), other.T.cov())
    assert frechet_distance(a, other) == pytest.approx(again, rel=1e-12)
    left, right = torch.zeros(30, 8).double(), torch.zeros(30, 8).double()
    left[:, :3], right[:, 3:7] = normal(30, 3, seed=3), normal(30, 4, seed=4)
    mean_free = (left - left.mean(0), right - right.mean(0))
    traces = sum((x**2).sum().item() / 29 for x in mean_free)
    assert frechet_distance(*mean_free) == pytest.approx(traces, rel=1e-12)
    shifted = left + torch.tensor([0, 0, 0, 0, 0, 0, 0, 2.0]).double()
    assert frechet_distance(left, shifted) == pytest.approx(4, rel=1e-12)


def test_frechet_distance_sees_a_dropped_mode_and_not_what_keeps_the_moments():
    real, other = modes(2000, 1), modes(2000, 2)
    floor = frechet_distance(real, other)
    assert frechet_distance(real, modes(2000, 2, which=range(9))) > 50 * floor
    assert frechet_distance(real, real.repeat(2, 1)) < floor / 10  # only n − 1 differs
    whitened = torch.linalg.solve_triangular(
        torch.linalg.cholesky(other.T.cov()), (other - other.mean(0)).T, upper=False
    )
    gaussian = normal(2000, 6, 3)
    factor = torch.linalg.cholesky(gaussian.T.cov())
    faked = (factor @ whitened).T + gaussian.mean(0)  # clusters with a Gaussian's moments
    assert frechet_distance(gaussian, faked) == pytest.approx(0, abs=1e-9)


def test_the_bias_falls_as_one_over_n_and_the_extrapolation_takes_it_away():
    """Two samples of N(0, 1) in d dimensions: their means are 2 d / n apart, their covariances d (d + 1) / (2 n)."""
    d, n = 8, 4000
    limits, first = [], []
    for seed in range(20):
        found = extrapolate(normal(n, d, 2 * seed), normal(n, d, 2 * seed + 1), seeded(seed))
        assert found.sizes == [4000, 2000, 1333, 1000, 800]
        limits.append(found.limit)
        first.append(found.distances)
    mean = torch.tensor(first).mean(0)
    expected = 2 * d / n + d * (d + 1) / (2 * n)  # near the identity the covariances' part is ‖Σ₁ − Σ₂‖² / 4
    assert mean[0] == pytest.approx(expected, rel=0.15)
    assert mean[1] / mean[0] == pytest.approx(2, rel=0.15)
    assert mean[4] / mean[0] == pytest.approx(5, rel=0.15)
    assert abs(sum(limits) / 20) < expected / 6
    shifted = extrapolate(normal(n, d, 50), normal(n, d, 51, shift=0.5), seeded(0))
    assert shifted.limit == pytest.approx(0.25 * d, rel=0.05)


def test_the_floor_shuffles_and_takes_no_image_twice():
    ordered = torch.arange(40.0)[:, None]
    seen = []
    real_floor(lambda a, b: seen.append((a, b)) or 0.0, ordered, 15, seeded(0), repeats=3)
    assert len(seen) == 3
    for a, b in seen:
        assert len(a) == len(b) == 15
        assert torch.cat([a, b]).unique().numel() == 30
        assert not torch.equal(a, ordered[:15])
    assert not torch.equal(seen[0][0], seen[1][0])
    drift = torch.linspace(0, 3, 400)[:, None] + torch.randn(400, 3, generator=seeded(1))
    floor = real_floor(frechet_distance, drift, 200, seeded(2))
    assert max(floor) < frechet_distance(drift[:200], drift[200:]) / 10


@pytest.mark.parametrize(("n", "m"), [(37, 23), (1203, 611)])
def test_kernel_distance_is_the_unbiased_mean_of_scikit_learns_kernel(n, m):
    a, b = normal(n, 5, 1), normal(m, 5, 2, shift=0.4)
    aa, bb, ab = (polynomial_kernel(x, y, degree=3, gamma=1 / 5, coef0=1) for x, y in ((a, a), (b, b), (a, b)))
    expected = (aa.sum() - np.trace(aa)) / (n * (n - 1)) + (bb.sum() - np.trace(bb)) / (m * (m - 1)) - 2 * ab.mean()
    assert kernel_distance(a, b) == pytest.approx(expected, rel=1e-10)


def test_kernel_distance_has_no_bias_at_any_size():
    for n in (10, 40):
        values = torch.tensor([kernel_distance(normal(n, 4, 2 * s), normal(n, 4, 2 * s + 1)) for s in range(200)])
        assert abs(values.mean()) < 4 * values.std() / 200**0.5
        assert 50 < (values < 0).sum() < 170


def test_kernel_distance_sees_a_dropped_mode():
    real, other, thinned = (x / 20 for x in (modes(500, 1), modes(500, 2), modes(500, 2, which=range(9))))
    assert kernel_distance(real, thinned) > 3 * abs(kernel_distance(real, other))
    assert kernel_distance(real, real) < 0  # the same images on both sides: less than the unbiased 0


def test_accuracy_counts_the_largest_logit():
    logits = torch.tensor([[0.1, 2, -3], [5, 2, 1], [-1, -2, -0.5], [0, 1, 2]])
    assert accuracy(logits, torch.tensor([1, 0, 2, 0])) == 0.75


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda a: frechet_distance(a[:1], a), "a: expected at least 2 rows, got 1"),
        (lambda a: frechet_distance(a, a[:, :3]), "b: expected 4 features, as in a, got 3"),
        (lambda a: kernel_distance(a, a / torch.zeros(4)), "b: expected finite numbers, got"),
        (lambda a: precision_and_recall(a, a[:3]), "fake: expected at least 4 rows, got 3"),
        (lambda a: density_and_coverage(a[:5], a), "real: expected at least 6 rows, got 5"),
        (lambda a: density_and_coverage(a, a, k=0), "k: expected at least 1 neighbour, got 0"),
        (lambda a: precision_and_recall(a, a, k=-1), "k: expected at least 1 neighbour, got -1"),
        (lambda a: memorisation(a, a, a[:0]), "held_out: expected at least 1 rows, got 0"),
        (lambda a: memorisation(a, a, a, share=1.0), "share: expected 0 … 1, got 1.0"),
        (lambda a: nearest(a, a[:, :2]), "among: expected 4 features, as in x, got 2"),
        (
            lambda a: real_floor(frechet_distance, a, 11, seeded(0)),
            "n: expected 1 … 10, half of the real images, got 11",
        ),
        (lambda a: extrapolate(a, a[:9], seeded(0)), "b: expected 20 rows, as in a, got 9"),
        (
            lambda a: extrapolate(a, a, seeded(0), parts=(2, 2)),
            r"parts: expected at least two different .* got \(2, 2\)",
        ),
        (
            lambda a: extrapolate(a, a, seeded(0), parts=(1, 5)),
            "parts: expected parts of more than 4 rows, got 20 // 5 = 4",
        ),
        (lambda a: accuracy(a[:0], torch.zeros(0).long()), "logits: expected at least 1 row, got 0"),
    ],
)
def test_errors_name_the_argument(call, says):
    with pytest.raises(ValueError, match=says):
        call(torch.randn(20, 4, generator=seeded(0)))


mu, sigma = torch.zeros(2).double(), torch.eye(2).double()


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize(
    ("moments", "says"),
    [
        ((mu * torch.nan, sigma, mu, sigma), "^mu: expected finite numbers, got 2 that are not"),
        ((mu, sigma, mu / 0, sigma), "other_mu: expected finite numbers, got 2"),
        ((mu, sigma, mu, sigma / 0), "other_sigma: expected finite numbers, got 4"),
        ((mu[:0], sigma[:0, :0], mu[:0], sigma[:0, :0]), "mu: expected at least one feature"),
        ((mu, sigma, mu[:1], sigma), r"other_mu: expected the shape \(2,\), as of mu, got \(1,\)"),
        ((mu, mu, mu, sigma), r"sigma: expected the shape \(2, 2\), as of mu, got \(2,\)"),
        ((mu, sigma.cumsum(1), mu, sigma), "sigma: expected a symmetric matrix, got entries that differ by 1"),
        ((mu, sigma, mu, -2 * sigma), "other_sigma: expected no eigenvalue below 0, got -2"),
    ],
)
def test_moments_that_are_none_are_refused_and_not_called_perfect(moments, says):
    """A nan in a mean, or the moments of no rows, gave the distance 0."""
    with pytest.raises(ValueError, match=says):
        gaussian_frechet_distance(*moments)


def test_labels_that_do_not_pair_are_refused(unchecked):
    with pytest.raises(ValueError, match="labels: expected 20, one a row of logits, got 1"):
        accuracy(normal(20, 4, 1), torch.zeros(1).long())


def test_nothing_is_changed_in_place():
    a, b = normal(30, 4, 1), normal(30, 4, 2)
    before = a.clone(), b.clone()
    for metric in (frechet_distance, kernel_distance, precision_and_recall, density_and_coverage, nearest):
        metric(a, b)
    memorisation(a, b, b)
    assert torch.equal(a, before[0])
    assert torch.equal(b, before[1])
