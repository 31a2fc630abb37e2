"""Points on the plane: always the same ones, of the density that is said."""

import pytest
import torch

from course_lib.datasets import plane
from course_lib.datasets.plane import LAMP, NOISE, fireflies, off_track, standardise, track, true_log_density

F64 = torch.float64


def test_the_flashes_are_always_the_same_ones():
    points = fireflies(400)
    assert points.dtype == F64
    assert torch.equal(points[:7], fireflies(400)[:7])
    assert not torch.equal(points, fireflies(400, seed=1))
    assert points.mean(0).tolist() == pytest.approx([119.0533, 98.5294], abs=1e-3)


def test_the_track_starts_and_ends_where_it_should():
    ends = track(torch.tensor([0.0, 1.0], dtype=F64)) - torch.tensor(LAMP, dtype=F64)
    assert ends.norm(dim=-1).tolist() == pytest.approx([plane.INNER, plane.OUTER])


def test_the_true_density_is_the_samples_own():
    """It sums to one, and in every square of a coarse grid as many flashes fall as it says."""
    ticks = torch.arange(0, 240, 2.0, dtype=F64) + 1  # 2 cm are fine against a noise of 5
    grid = torch.cartesian_prod(ticks, ticks - 40)
    cells = 4 * true_log_density(grid).exp().reshape(12, 10, 12, 10).sum((1, 3))  # squares of 20 cm
    assert abs(cells.sum() - 1) < 1e-6
    n = 20_000
    points = fireflies(n, seed=5)
    index = ((points - torch.tensor([0.0, -40.0])) / 20).floor().long()
    counts = torch.zeros(12, 12, dtype=F64).index_put_((index[:, 0], index[:, 1]), torch.ones(n, dtype=F64), True)
    assert ((counts / n - cells).abs() <= 5 * (cells * (1 - cells) / n).sqrt() + 3 / n).all()


def test_off_track_counts_what_is_further_than_three_standard_deviations():
    middle = track(torch.tensor([0.25], dtype=F64))
    out = torch.tensor(LAMP, dtype=F64) + (middle - torch.tensor(LAMP, dtype=F64)) * 0.2
    assert off_track(torch.cat([middle, middle + 0.1, out, out])).item() == 0.5
    assert off_track(middle + torch.tensor([[0.0, NOISE]], dtype=F64)) == 0


def test_points_in_float32_are_measured_as_those_in_float64():
    points = fireflies(300, seed=3).float()
    assert true_log_density(points).dtype == F64
    torch.testing.assert_close(true_log_density(points), true_log_density(points.double()), rtol=0, atol=0)
    assert off_track(points) == off_track(points.double())


def test_standardised_columns_have_mean_zero_and_spread_one():
    z = standardise(fireflies(50) * torch.tensor([1.0, 100.0]))
    torch.testing.assert_close(z.mean(0), torch.zeros(2, dtype=F64), rtol=0, atol=1e-12)
    torch.testing.assert_close(z.std(0), torch.ones(2, dtype=F64))
    assert standardise(torch.tensor([[1.0], [2.0], [3.0]])).flatten().tolist() == [-1, 0, 1]
