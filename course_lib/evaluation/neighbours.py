"""Measures of generated images by their nearest neighbours among the real ones.

Distances are computed in float64 on the processor, as in ``course_lib.evaluation.frechet``: in float32 the product that
makes them fast loses the distances within a narrow cluster, and with them every figure here.
"""

from collections.abc import Iterator
from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor

from course_lib.evaluation.frechet import AT_ONCE, _check, _exact, _share


def _squared_distances(x: Tensor, y: Tensor) -> Iterator[Tensor]:
    """Yield ‖xᵢ − yⱼ‖², AT_ONCE rows of x against all of y, by one matrix product: 10 times as fast as differences.

    |x|² + |y|² − 2 x·y cancels where two rows are close, hence float64. What is below the rounding of the terms is set
    to 0, so that a copy is at distance 0.
    """
    x, y = _exact(x), _exact(y)
    centre = y.mean(0)
    x, y = x - centre, y - centre
    lengths = (y * y).sum(1)
    rounding = 4 * torch.finfo(x.dtype).eps * x.shape[1] ** 0.5
    for rows in x.split(AT_ONCE):
        own = (rows * rows).sum(1, keepdim=True)
        squared = torch.addmm(lengths, rows, y.T, alpha=-2).add_(own)
        yield squared.masked_fill_(squared <= 2 * rounding * own, 0)


def _squared_radii(x: Tensor, k: int) -> Tensor:
    """Return each row's squared distance to its k-th nearest other row."""
    radii = []
    for i, squared in enumerate(_squared_distances(x, x)):
        rows = torch.arange(len(squared))
        squared[rows, rows + i * AT_ONCE] = torch.inf  # not itself
        radii.append(squared.topk(k, largest=False).values[:, -1])
    return torch.cat(radii)


def _check_balls(k: int, real: Tensor, fake: Tensor) -> None:
    """Raise ValueError for no neighbour, else as ``_check``: for a k-th other row it takes k + 1."""
    if k < 1:
        raise ValueError(f"k: expected at least 1 neighbour, got {k}")
    _check(k + 1, real=real, fake=fake)


class PrecisionRecall(NamedTuple):
    """Shares between 0 and 1: of fakes that could be real, and of reals that could be fake."""

    precision: float
    recall: float


def precision_and_recall(real: Float[Tensor, "n d"], fake: Float[Tensor, "m d"], k: int = 3) -> PrecisionRecall:
    """Return the share of fakes in the real manifold, and of reals in that of the fakes.

    Kynkäänniemi et al. 2019, equation 2. A manifold is the union of balls around its rows, each out to the k-th nearest
    other row of the same set, its rim included: see ``density_and_coverage`` for what ties do. One outlier has a ball
    that holds much. ValueError for a k below 1, for k rows or fewer, else as for ``frechet_distance``.
    """
    _check_balls(k, real, fake)
    in_real = torch.zeros(len(fake), dtype=torch.bool)
    in_fake = []
    real_radii, fake_radii = _squared_radii(real, k), _squared_radii(fake, k)
    for squared, radii in zip(_squared_distances(real, fake), real_radii.split(AT_ONCE), strict=True):
        in_real |= (squared <= radii[:, None]).any(0)
        in_fake.append((squared <= fake_radii).any(1))
    return PrecisionRecall(_share(in_real), _share(torch.cat(in_fake)))


class DensityCoverage(NamedTuple):
    """How many real balls a fake lies in, over k, and the share of real balls that hold a fake."""

    density: float
    coverage: float


def density_and_coverage(real: Float[Tensor, "n d"], fake: Float[Tensor, "m d"], k: int = 5) -> DensityCoverage:
    """Return how many real balls a fake lies in, over k, and the share of reals with a fake in their ball.

    Naeem et al. 2020, section 3: balls around reals alone, out to the k-th nearest other real, rim included. For fakes
    from the same distribution, and as many, density is 1 on average and coverage
    1 − (n − 1)…(n − k) / ((2 n − 1)…(2 n − k)), about 1 − 2⁻ᵏ: 0.969 for k = 5. The very same set has density
    (k + 1) / k. That is the rim, which the paper's formula includes (≤) and its authors' code, prdc, does not (<):
    there the very same set has density 1, here 1.2 for k = 5. The two differ only where a fake is exactly as far as a
    neighbour: with copies, or features that are whole numbers. ValueError as for ``precision_and_recall``.
    """
    _check_balls(k, real, fake)
    inside = torch.cat(
        [
            (squared <= radii[:, None]).sum(1)
            for squared, radii in zip(
                _squared_distances(real, fake), _squared_radii(real, k).split(AT_ONCE), strict=True
            )
        ]
    )
    return DensityCoverage(int(inside.sum()) / (k * len(fake)), _share(inside > 0))


class Memorisation(NamedTuple):
    """0.5 and ``share`` for samples as far from the training images as held-out ones; 1 and 1 for copies."""

    nearer: float
    copies: float


def memorisation(
    fake: Float[Tensor, "n d"], train: Float[Tensor, "m d"], held_out: Float[Tensor, "h d"], share: float = 0.01
) -> Memorisation:
    """Return how much nearer to their nearest training images samples are than real held-out images are to theirs.

    nearer: the probability that a random sample is nearer than a random held-out image, ties count half: the
    Mann-Whitney statistic of Meehan, Chaudhuri and Dasgupta 2020, 0.5 where nothing is copied. copies: the share of
    samples nearer than all but ``share`` of the held-out images, about ``share`` where nothing is copied; it finds a
    few copies among many samples. Rows are pixels or features. Blurred and average images lie near everything: look at
    the pairs before you say copied. ValueError for a share outside 0 … 1, else as for ``frechet_distance``.
    """
    _check(1, fake=fake, train=train, held_out=held_out)
    if not 0 <= share < 1:
        raise ValueError(f"share: expected 0 … 1, got {share}")
    of_fake, of_real = (_nearest(x, train)[0] for x in (fake, held_out))
    ordered = of_real.sort().values
    below, up_to = (torch.searchsorted(ordered, of_fake, right=right).sum() for right in (False, True))
    nearer = 1 - int(below + up_to) / (2 * len(of_fake) * len(of_real))
    return Memorisation(nearer, _share(of_fake < ordered[int(share * len(ordered))]))


def nearest(x: Float[Tensor, "n d"], among: Float[Tensor, "m d"]) -> tuple[Float[Tensor, "n"], Int[Tensor, "n"]]:
    """Return the Euclidean distance of each row to the nearest of among, and which one that is, where x is.

    ValueError as for ``frechet_distance``.
    """
    _check(1, x=x, among=among)
    distances, which = _nearest(x, among)
    return distances.to(x.dtype).to(x.device), which.to(x.device)


def _nearest(x: Tensor, among: Tensor) -> tuple[Tensor, Tensor]:
    """Return what ``nearest`` does, in float64 on the processor."""
    found = [squared.min(1) for squared in _squared_distances(x, among)]
    return torch.cat([each.values for each in found]).sqrt(), torch.cat([each.indices for each in found])
