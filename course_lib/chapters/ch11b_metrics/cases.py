"""Four heaps of features, three of them wrong in a known way, and what four numbers say of them."""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from course_lib.evaluation.frechet import frechet_distance, kernel_distance
from course_lib.evaluation.neighbours import density_and_coverage

AT_ONCE = 2_000  # rows that each number is taken of


def four_cases(
    real: Float[Tensor, "n d"], labels: Int[Tensor, "n"], seed: int = 3
) -> tuple[dict[str, Tensor], Float[Tensor, "half d"]]:
    """Return the heaps by name, made of one shuffled half, and the other half, against which they are measured.

    real: that half; impostors: a Gaussian with its mean and covariance; no ones: without a class; again: 100 of its
    rows, 20 times each.
    """
    generator = torch.Generator().manual_seed(seed)
    order = torch.randperm(len(real), generator=generator)
    first, second = order.chunk(2)
    half = real[first]
    mean, covariance = half.double().mean(0), half.double().T.cov()
    width = real.shape[1]
    root = torch.linalg.cholesky(covariance + 1e-9 * torch.eye(width, dtype=torch.float64))
    normal = torch.randn(len(half), width, dtype=torch.float64, generator=generator)
    return {
        "real": half,
        "impostors": (mean + normal @ root.T).float(),
        "no ones": half[labels[first] != 1],
        "again": half[:100].repeat(20, 1),
    }, real[second]


def measured(cases: dict[str, Tensor], rest: Float[Tensor, "half d"]) -> dict[str, dict[str, float]]:
    """Return number → case → value, each of 2,000 rows of a case against 2,000 of the rest."""
    against = rest[:AT_ONCE]
    found: dict[str, dict[str, float]] = {"frechet": {}, "kernel": {}, "density": {}, "coverage": {}}
    for name, heap in cases.items():
        rows = heap[:AT_ONCE]
        both = density_and_coverage(against, rows)
        values = frechet_distance(rows, against), kernel_distance(rows, against), *both
        for number, value in zip(found, values, strict=True):
            found[number][name] = value
    return found


def sees(table: dict[str, dict[str, float]]) -> dict[str, list[str]]:
    """Return number → the cases that it tells from real rows.

    The squared distance is then three times that of real rows, the kernel distance above 0.02; the density is lower
    than that of real rows by 0.15, the coverage by 0.05.
    """
    bars = {
        "frechet": lambda value, of_real: value > 3 * of_real,
        "kernel": lambda value, _: value > 0.02,
        "density": lambda value, of_real: value < of_real - 0.15,
        "coverage": lambda value, of_real: value < of_real - 0.05,
    }
    return {
        number: [case for case, value in values.items() if bars[number](value, values["real"])]
        for number, values in table.items()
    }
