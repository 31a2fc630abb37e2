"""Power laws: exact ones come back, noisy ones as SciPy fits them, and intervals hold the truth as often as they say."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from made import seeded
from scipy.optimize import curve_fit

from course_lib.evaluation.power_laws import (
    Interval,
    PowerLaw,
    fit_power_law,
    fit_with_floor,
    law_intervals,
    predict,
    resampled_means,
)

f64 = torch.float64
SIZES = torch.tensor([100.0, 300, 1000, 3000, 9000], dtype=f64)


def law_of(floor, scale, exponent):
    return PowerLaw(*(torch.tensor(float(x), dtype=f64) for x in (floor, scale, exponent)))


def test_a_worked_value():
    law = law_of(1, 6, 0.5)
    assert law(torch.tensor([1.0, 4.0, 36.0])).tolist() == pytest.approx([7, 4, 2])
    scale, exponent = fit_power_law(torch.tensor([1.0, 4.0]), torch.tensor([7.0, 4.0]), 1.0)
    assert (scale.item(), exponent.item()) == pytest.approx((6, 0.5))


@given(st.floats(0.0, 5), st.floats(0.5, 1e4), st.floats(0.05, 2.0))
def test_an_exact_law_comes_back(floor, scale, exponent):
    law = law_of(floor, scale, exponent)
    loss = law(SIZES)
    found = fit_with_floor(SIZES, loss)
    assert torch.allclose(found(SIZES), loss, rtol=1e-6)
    if scale * 9000**-exponent > 0.05 * floor:  # something of the law is left at the largest size
        parts = (found.floor.item(), found.scale.item(), found.exponent.item())
        assert parts == pytest.approx((floor, scale, exponent), rel=1e-4, abs=1e-4)
    given_floor = fit_power_law(SIZES, loss, floor)
    if scale * 9000**-exponent > 1e-4 * floor:
        assert [part.item() for part in given_floor] == pytest.approx([scale, exponent], rel=1e-6)


def test_without_a_floor_two_sizes_are_enough():
    law = fit_with_floor(SIZES[:2], law_of(0, 30, 0.4)(SIZES[:2]), floor=False)
    assert (law.floor.item(), law.scale.item(), law.exponent.item()) == pytest.approx((0, 30, 0.4))


def test_a_noisy_law_is_fitted_as_scipy_fits_it():
    for seed in range(5):
        loss = law_of(2, 40, 0.5)(SIZES) * (1 + 0.02 * torch.randn(5, generator=seeded(seed), dtype=f64))
        found = fit_with_floor(SIZES, loss)
        theirs, _ = curve_fit(
            lambda n, c, a, b: c + a * n**-b, SIZES.numpy(), loss.numpy(), (2, 40, 0.5), sigma=loss.numpy(),
            bounds=([0, 0, 0.01], np.inf), xtol=1e-12, ftol=1e-12, gtol=1e-12, max_nfev=100_000,
        )  # fmt: skip
        assert [found.floor.item(), found.scale.item(), found.exponent.item()] == pytest.approx(theirs, rel=1e-4)


def test_many_laws_at_once_are_each_fitted_as_alone():
    loss = law_of(1, 20, 0.4)(SIZES) * (1 + 0.03 * torch.randn(7, 5, generator=seeded(1), dtype=f64))
    together = fit_with_floor(SIZES, loss)
    alone = [fit_with_floor(SIZES, each).exponent.item() for each in loss]
    assert together.exponent.tolist() == pytest.approx(alone, rel=1e-12)
    assert together(torch.tensor([50.0, 1e6])).shape == (7, 2)


def test_floor_and_scale_are_never_below_zero():
    steep = SIZES**-0.3 - 0.01  # bends down: the best floor would be negative
    assert fit_with_floor(SIZES, steep).floor == 0
    rising = fit_with_floor(SIZES, SIZES**0.1)
    assert rising.scale == 0
    assert rising.floor > 0


def test_resampled_means_scatter_as_wide_as_students_interval():
    loss = 10 + torch.randn(5, 3, generator=seeded(2), dtype=f64)
    means = resampled_means(loss, 20_000, seeded(3))
    expected = loss.std(0) / 5**0.5 * 2.132 / 1.645  # Student's 95 % quantile of four degrees, and the Gaussian's
    assert torch.allclose(means.std(0), expected, rtol=0.02)
    assert torch.allclose(means.mean(0), loss.mean(0), atol=0.02)
    assert torch.equal(means, resampled_means(loss, 20_000, seeded(3)))


@pytest.mark.parametrize(("law", "noise"), [((2, 30, 0.3), 0.02), ((1, 100, 0.5), 0.01)])
def test_ninety_percent_intervals_hold_the_truth_about_as_often(law, noise):
    law, generator = law_of(*law), seeded(4)
    new_n, repeats = 30_000.0, 100
    truth = law(torch.tensor([new_n])).item()
    held = {"law": 0, "runs": 0, "exponent": 0}
    for _ in range(repeats):
        loss = law(SIZES) * (1 + noise * torch.randn(5, 5, generator=generator, dtype=f64))
        runs = truth * (1 + noise * torch.randn(5, generator=generator, dtype=f64)).mean().item()
        held["law"] += predict(SIZES, loss, new_n, generator, draws=200).holds(truth)
        held["runs"] += predict(SIZES, loss, new_n, generator, draws=200, new_seeds=5).holds(runs)
        found = law_intervals(SIZES, loss, generator, draws=200)
        held["exponent"] += found["exponent"].holds(law.exponent.item())
    assert all(0.8 <= count / repeats <= 0.98 for count in held.values()), held


def test_an_interval_is_wider_for_single_runs_than_for_the_law():
    loss = law_of(2, 30, 0.3)(SIZES) * (1 + 0.02 * torch.randn(5, 5, generator=seeded(5), dtype=f64))
    of_law, of_run = (predict(SIZES, loss, 3e4, seeded(6), new_seeds=k) for k in (0, 1))
    assert of_run.high - of_run.low > of_law.high - of_law.low
    assert of_law.low < of_law.middle < of_law.high
    assert Interval(1.0, 0.5, 2.0).holds(2.0)
    assert not Interval(1.0, 0.5, 2.0).holds(2.1)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: fit_with_floor(SIZES[:2], SIZES[:2]), r"n: expected at least 3 different sizes, got \[100.0, 300.0\]"),
        (lambda: fit_with_floor(torch.tensor([1.0, 1, 2]), SIZES[:3]), r"at least 3 different sizes"),
        (lambda: fit_with_floor(SIZES[:1], SIZES[:1], floor=False), r"n: expected at least 2 different sizes"),
        (lambda: fit_with_floor(torch.tensor([0.0, 1, 2]), SIZES[:3]), r"n: expected sizes above 0, got \[0.0"),
        (lambda: law_of(1, 1, 1)(torch.tensor([-1.0])), r"n: expected sizes above 0, got \[-1.0\]"),
        (lambda: fit_with_floor(SIZES, -SIZES), r"loss: expected numbers above 0, got -100.0"),
        (lambda: fit_with_floor(SIZES, SIZES * torch.nan), r"loss: expected numbers above 0, got nan"),
        (lambda: fit_with_floor(SIZES, SIZES[:3]), r"loss: expected one for each of 5 sizes, got the shape \(3,\)"),
        (lambda: fit_power_law(SIZES, SIZES, 100.0), r"floor: expected one below every loss, got 100 and a loss of 100"),
        (lambda: resampled_means(SIZES[None], 9, seeded(0)), r"expected at least 2 seeds and 1 draw, got 1 and 9"),
        (lambda: resampled_means(SIZES.expand(2, 5), 9, seeded(0), 1.0), r"share: expected more than 0 and less than 1"),
    ],
)  # fmt: skip
def test_what_makes_no_law_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
