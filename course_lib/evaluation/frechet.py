"""Measures of generated images against real ones, as functions of feature arrays (n, d), one row an image.

The features are those of ``course_lib.evaluation.classifier``, d = 64; distances to training images may be taken
between pixels as well. All is computed in float64 on the processor, wherever the features lie: no other device is sure
to have it. No figure here means anything alone: beside each belongs ``real_floor``, the same measure between real
images and others, of the same number.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

AT_ONCE = 500  # rows of a matrix of distances that are in memory together


def _check(least: int, **features: Tensor) -> None:
    """Raise ValueError, with the argument's name, for too few rows, numbers not finite, and widths that differ."""
    width = next(iter(features.values())).shape[1]
    for name, x in features.items():
        if len(x) < least:
            raise ValueError(f"{name}: expected at least {least} rows, got {len(x)}")
        if x.shape[1] != width:
            raise ValueError(f"{name}: expected {width} features, as in {next(iter(features))}, got {x.shape[1]}")
        if not x.isfinite().all():
            raise ValueError(f"{name}: expected finite numbers, got {int((~x.isfinite()).sum())} that are not")


def _exact(x: Tensor) -> Tensor:
    """Return x in float64, on the processor; there first, for not every device has float64."""
    return x.cpu().double()


def _share(true: Tensor) -> float:
    """Return the share of trues."""
    return int(true.sum()) / len(true)


def gaussian_frechet_distance(
    mu: Float[Tensor, "d"], sigma: Float[Tensor, "d d"], other_mu: Float[Tensor, "d"], other_sigma: Float[Tensor, "d d"]
) -> float:
    """Return ‖μ₁ − μ₂‖² + tr(Σ₁ + Σ₂ − 2 (Σ₁Σ₂)^½), squared W₂ of two Gaussians (Dowson and Landau 1982).

    sigma, other_sigma: covariances, singular ones too. The eigenvalues of Σ₁Σ₂ are the squared singular values of
    Σ₁^½ Σ₂^½, so the trace of the root is the sum of these: only roots of symmetric matrices are taken, and the
    product, which is not symmetric, is never formed. Computed in float64; eigenvalues below the rounding of the largest
    count as 0, for their roots would be 10⁻⁸ of it and not 10⁻¹⁶. ValueError for shapes that do not fit, numbers that
    are not finite, and matrices that are no covariances: not symmetric, or with an eigenvalue below 0.
    """
    _check_moments(mu=mu, sigma=sigma, other_mu=other_mu, other_sigma=other_sigma)
    roots = []
    for name, each in (("sigma", sigma), ("other_sigma", other_sigma)):
        values, vectors = torch.linalg.eigh(_exact(each))
        largest = len(values) * values.abs().max()
        if values.min() < -10 * torch.finfo(each.dtype).eps * largest:
            raise ValueError(f"{name}: expected no eigenvalue below 0, got {values.min().item():.6g}")
        values = values.where(values > torch.finfo(values.dtype).eps * largest, 0)
        roots.append(values.sqrt() * vectors)  # a factor A with A Aᵀ = Σ does as well as the root
    return _distance_of_factors(_exact(mu), roots[0].T, _exact(other_mu), roots[1].T)


def _check_moments(**moments: Tensor) -> None:
    """Raise ValueError, with the argument's name, for moments that are no mean or covariance of one width."""
    d = len(next(iter(moments.values())))
    for name, x in moments.items():
        shape = (d,) if name.endswith("mu") else (d, d)
        if d == 0 or x.shape != shape:
            expected = f"the shape {shape}, as of mu" if d else "at least one feature"
            raise ValueError(f"{name}: expected {expected}, got {tuple(x.shape)}")
        if not x.isfinite().all():
            raise ValueError(f"{name}: expected finite numbers, got {int((~x.isfinite()).sum())} that are not")
        if x.ndim == 2 and (x - x.T).abs().max() > 1e3 * torch.finfo(x.dtype).eps * x.abs().max():
            gap = (x - x.T).abs().max().item()
            raise ValueError(f"{name}: expected a symmetric matrix, got entries that differ by {gap:.6g}")


def frechet_distance(a: Float[Tensor, "n d"], b: Float[Tensor, "m d"]) -> float:
    """Return the Fréchet distance of the Gaussians with the moments of a and b (Heusel et al. 2017, equation 6).

    In units of a feature, squared; 0 for equal moments. With A = (a − μ₁) / √(n − 1) the covariance is AᵀA, and the
    trace of (Σ₁Σ₂)^½ the sum of the singular values of A Bᵀ: no covariance, no root, exact where the covariances
    are singular. Computed in float64. ValueError for fewer than two rows, widths that differ, numbers not finite.

    Biased: two samples of one distribution are a distance apart that falls as 1/n. See ``extrapolate``.
    """
    _check(2, a=a, b=b)
    (mu, factor), (other_mu, other_factor) = (_moments(_exact(x)) for x in (a, b))
    return _distance_of_factors(mu, factor, other_mu, other_factor)


def _moments(x: Tensor) -> tuple[Tensor, Tensor]:
    """Return the mean and a factor R of the covariance RᵀR, with no more rows than columns."""
    mu = x.mean(0)
    return mu, torch.linalg.qr((x - mu) / (len(x) - 1) ** 0.5, mode="r").R


def _distance_of_factors(mu: Tensor, factor: Tensor, other_mu: Tensor, other_factor: Tensor) -> float:
    """Return ‖μ₁ − μ₂‖² + ‖A‖² + ‖B‖² − 2 Σ singular values of A Bᵀ, for covariances AᵀA and BᵀB."""
    traces = (factor**2).sum() + (other_factor**2).sum()
    shared = torch.linalg.svdvals(factor @ other_factor.T).sum()
    distance = (((mu - other_mu) ** 2).sum() + traces - 2 * shared).item()
    return max(distance, 0.0)  # not −10⁻¹⁵; in this order, or nan would become 0


class Extrapolation(NamedTuple):
    """Distances at several sizes, the line limit + slope / n through them, and what it says for n → ∞."""

    sizes: list[int]
    distances: list[float]
    limit: float
    slope: float


def extrapolate(
    a: Float[Tensor, "n d"],
    b: Float[Tensor, "n d"],
    generator: torch.Generator,
    parts: Sequence[int] = (1, 2, 3, 4, 5),
    metric: Callable[[Tensor, Tensor], float] = frechet_distance,
) -> Extrapolation:
    """Return the Fréchet distance for n → ∞ by a line through its values over 1/n (Chong and Forsyth 2020).

    a and b are shuffled and cut into as many parts as each entry of parts says; the value at that size is the mean over
    the pairs of parts. Both sides shrink here, so that the bias of both goes; in the paper the real side is whole.
    The limit is an estimate and may lie below 0. ValueError where a and b differ in length, where parts holds fewer
    than two different numbers, and where the smallest part has no more rows than features.
    """
    _check(2, a=a, b=b)
    n, d = a.shape
    if len(b) != n:
        raise ValueError(f"b: expected {n} rows, as in a, got {len(b)}")
    if len(set(parts)) < 2 or min(parts) < 1:
        raise ValueError(f"parts: expected at least two different numbers from 1, got {tuple(parts)}")
    if n // max(parts) <= d:
        raise ValueError(f"parts: expected parts of more than {d} rows, got {n} // {max(parts)} = {n // max(parts)}")
    sizes, distances = [], []
    for count in parts:
        size = n // count
        pairs = zip(*(_shuffled(x, generator)[: size * count].split(size) for x in (a, b)), strict=True)
        sizes.append(size)
        distances.append(sum(metric(*pair) for pair in pairs) / count)
    over_n = torch.tensor([[1, 1 / size] for size in sizes], dtype=torch.float64)
    limit, slope = torch.linalg.lstsq(over_n, torch.tensor(distances, dtype=torch.float64)[:, None]).solution
    return Extrapolation(sizes, distances, limit.item(), slope.item())


def _shuffled(x: Tensor, generator: torch.Generator) -> Tensor:
    """Return the rows in another order; the generator is on the CPU, x where it likes."""
    return x[torch.randperm(len(x), generator=generator).to(x.device)]


def real_floor(
    metric: Callable[[Tensor, Tensor], float],
    real: Float[Tensor, "m d"],
    n: int,
    generator: torch.Generator,
    repeats: int = 5,
) -> list[float]:
    """Return what metric says of n real images against n others, once for each of the shuffles.

    Shuffled, for a data set has an order: the two halves of the official MNIST test set were written by different
    people. ValueError where 2 n is more than there is.
    """
    if not 1 <= n <= len(real) // 2:
        raise ValueError(f"n: expected 1 … {len(real) // 2}, half of the real images, got {n}")
    shuffles = (_shuffled(real, generator) for _ in range(repeats))
    return [metric(mixed[:n], mixed[n : 2 * n]) for mixed in shuffles]


def kernel_distance(a: Float[Tensor, "n d"], b: Float[Tensor, "m d"]) -> float:
    """Return KID, the unbiased estimate of MMD² with k(x, y) = (x·y / d + 1)³ (Bińkowski et al. 2018).

    Mean of k over pairs of different rows of a, the same of b, less twice the mean over pairs of both (Gretton et al.
    2012, equation 3). Its expectation does not depend on n: 0 for one distribution, so that half of its values are
    negative there. Computed in float64. ValueError as for ``frechet_distance``.
    """
    _check(2, a=a, b=b)
    a, b = _exact(a), _exact(b)

    one = torch.ones((), dtype=torch.float64)  # on the processor, as a and b now are

    def total(x: Tensor, y: Tensor) -> Tensor:
        sums = []
        for rows in x.split(AT_ONCE):
            for columns in y.split(AT_ONCE):  # squares that fit into the cache: four times as fast as whole rows
                base = torch.addmm(one, rows, columns.T, alpha=1 / x.shape[1]).flatten()
                sums.append(torch.dot(base * base, base))
        return torch.stack(sums).sum()

    def within(x: Tensor) -> Tensor:
        itself = (((x * x).sum(1) / x.shape[1] + 1) ** 3).sum()
        return (total(x, x) - itself) / (len(x) * (len(x) - 1))

    return (within(a) + within(b) - 2 * total(a, b) / (len(a) * len(b))).item()
