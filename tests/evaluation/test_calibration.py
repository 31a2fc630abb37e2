"""Calibration against a loop over answers, and where it is known in closed form."""

import math

import pytest
import torch
from made import seeded

from course_lib.evaluation.calibration import calibration


def looped(confidence, right, bins):
    """(mean confidence, share right, count) of each bin and the error, an answer at a time."""
    held = [[] for _ in range(bins)]
    for c, r in zip(confidence.tolist(), right.tolist(), strict=True):
        held[max(0, math.ceil(c * bins) - 1)].append((c, r))
    rows = [(sum(c for c, _ in h) / len(h), sum(r for _, r in h) / len(h), len(h)) if h else None for h in held]
    return rows, sum(row[2] / len(right) * abs(row[0] - row[1]) for row in rows if row)


@pytest.mark.parametrize(("n", "bins"), [(1, 3), (57, 7), (400, 10), (400, 1), (20, 13)])
def test_it_is_what_a_loop_finds(n, bins):
    confidence = torch.rand(n, dtype=torch.float64, generator=seeded(n)) ** 2
    right = torch.rand(n, generator=seeded(n + 1)) < 0.4
    found, (rows, error) = calibration(confidence, right, bins), looped(confidence, right, bins)
    assert found.error == pytest.approx(error, abs=1e-12)
    for row, c, r, count in zip(rows, found.confidence, found.right, found.count, strict=True):
        assert count.item() == (row[2] if row else 0)
        if row:
            assert (c.item(), r.item()) == pytest.approx(row[:2], abs=1e-12)
        else:
            assert math.isnan(c)
            assert math.isnan(r)


def test_in_closed_form():
    confidence = torch.arange(1, 101).double() / 100  # those of bin 1 are 0.01 … 0.1, their mean 0.055
    found = calibration(confidence, torch.ones(100, dtype=torch.bool))
    assert found.confidence == pytest.approx([0.055 + m / 10 for m in range(10)])
    assert found.error == pytest.approx(1 - 0.505)
    half = calibration(torch.full((8,), 0.8), torch.tensor([True, False] * 4))
    assert half.error == pytest.approx(0.3)
    assert half.count.tolist() == [0] * 7 + [8, 0, 0]
    exact = calibration(torch.tensor([0.25] * 4 + [0.75] * 4), torch.tensor([1, 0, 0, 0, 1, 1, 1, 0]).bool(), 2)
    assert exact.error == 0


def test_one_bin_hides_what_two_show():
    confidence, right = torch.tensor([0.4, 0.6], dtype=torch.float64), torch.tensor([True, False])
    assert calibration(confidence, right, bins=1).error == pytest.approx(0)
    assert calibration(confidence, right, bins=2).error == pytest.approx(0.6)


def test_answers_that_are_calibrated_have_the_error_that_chance_leaves():
    """E|share − c| ≈ √(2/π) √(c (1 − c) bins/n) in a bin, and √(c (1 − c)) is π/8 on average."""
    n, bins, generator = 2_000, 10, seeded(3)
    errors = []
    for _ in range(60):
        confidence = torch.rand(n, generator=generator)
        errors.append(calibration(confidence, torch.rand(n, generator=generator) < confidence, bins).error)
    expected = (2 / math.pi) ** 0.5 * math.pi / 8 * (bins / n) ** 0.5
    assert sum(errors) / 60 == pytest.approx(expected, rel=0.1)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_border_belongs_to_the_bin_below_it(dtype):
    found = calibration(torch.tensor([0.0, 0.1, 0.3, 0.7, 1.0], dtype=dtype), torch.ones(5, dtype=torch.bool))
    assert found.count.nonzero().flatten().tolist() == [0, 2, 6, 9]
    assert found.count[0] == 2


def test_half_precision_is_added_up_in_full():
    confidence = torch.full((3_000,), 0.75, dtype=torch.bfloat16)
    found = calibration(confidence, torch.arange(3_000) % 4 != 0)
    assert found.error == pytest.approx(0, abs=1e-12)
    assert found.confidence.dtype == torch.float64


def test_mistakes_are_named(unchecked):
    fine = torch.tensor([0.5])
    for confidence, right, bins, message in [
        (fine, fine > 0, 0, "bins: expected at least 1, got 0"),
        (fine[:0], fine[:0] > 0, 10, "at least one, got 0 and 0"),
        (fine, torch.ones(2).bool(), 10, "as many, at least one, got 1 and 2"),
        (fine + 1, fine > 0, 10, "confidence: expected numbers from 0 to 1, got 1.5"),
        (fine - 1, fine > 0, 10, "got -0.5"),
        (fine / 0 * 0, fine > 0, 10, "got nan"),
    ]:
        with pytest.raises(ValueError, match=message):
            calibration(confidence, right, bins)
