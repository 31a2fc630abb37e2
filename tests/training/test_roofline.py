"""The roof: closed forms, the ridge, and that measured rates are those of a call whose time is known."""

import time

import pytest
import torch

from course_lib.training import roofline as roof
from course_lib.training.roofline import (
    bandwidth_of_copies,
    clock,
    fastest,
    matrix_rate,
    product_intensity,
    ridge,
    roofline,
    step_seconds,
)


def test_the_roof_is_the_slope_up_to_the_ridge_and_the_peak_from_there():
    peak, bandwidth = 100e9, 20e9
    assert ridge(peak, bandwidth) == 5
    assert roofline(1 / 12, peak, bandwidth) == pytest.approx(20e9 / 12)
    assert roofline(5, peak, bandwidth) == roofline(1000, peak, bandwidth) == peak
    rising = [roofline(i, peak, bandwidth) for i in (0.1, 1, 4, 5, 6, 50)]
    assert rising == sorted(rising)


def test_the_intensity_of_products_by_hand():
    assert product_intensity(2, 3, 5, 4) == pytest.approx(60 / (4 * (6 + 15 + 10)))
    assert product_intensity(600, 600, 600) == pytest.approx(600 / 6)  # 2 n³ over 12 n²
    assert product_intensity(600, 600, 600, 2) == pytest.approx(600 / 3)
    assert product_intensity(1, 10_000, 10_000) == pytest.approx(0.5, rel=1e-3)  # a row: each weight is used once
    assert product_intensity(64, 512, 256) == product_intensity(256, 512, 64)  # the transposed product


def test_a_step_is_the_sum_of_its_operations_each_under_the_roof():
    assert step_seconds([(100.0, 1.0), (1.0, 50.0)], peak=10, bandwidth=5) == 10 + 10
    assert step_seconds([(100.0, 1.0), (1.0, 50.0)], 10, 5, launch=0.5) == 21
    assert step_seconds([], 10, 5, 1.0) == 0
    flops, moved = 2 * 64**3, 4 * 3 * 64**2
    under = flops / roofline(product_intensity(64, 64, 64), 1e9, 1e8)
    assert step_seconds([(flops, moved)], 1e9, 1e8) == pytest.approx(under)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: roofline(0, 1, 1), "intensity: expected a number above 0, got 0"),
        (lambda: roofline(1, -1, 1), "peak: expected a number above 0, got -1"),
        (lambda: ridge(1, 0), "bandwidth: expected a number above 0, got 0"),
        (lambda: ridge(float("nan"), 1), "peak: expected a number above 0, got nan"),
        (lambda: product_intensity(1, 0, 2), "m: expected a whole number of at least 1, got 0"),
        (lambda: product_intensity(1, 2, 3, 0), "itemsize"),
        (lambda: step_seconds([], 1, 1, -1), "launch: expected seconds of at least 0, got -1"),
        (lambda: matrix_rate(1, 2, 0), "p: expected a whole number"),
        (lambda: bandwidth_of_copies(0), "size: expected a whole number"),
        (lambda: fastest(lambda: None, "cpu", 0), "repeats: expected a whole number"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_the_fastest_of_several_is_reported_and_short_calls_are_repeated(monkeypatch):
    """A false clock that each call moves on by its own seconds: 1 to warm up, then 5, 3 and 4."""
    now = [0.0]
    takes = iter([1.0, 5.0, 3.0, 4.0])
    monkeypatch.setattr(roof, "clock", lambda device: lambda: now[0])

    def call():
        now[0] += next(takes)

    assert fastest(call, "cpu", 3) == 3.0
    calls = []

    def short():
        calls.append(1)
        now[0] += 1e-4

    assert fastest(short, "cpu", 2) == pytest.approx(1e-4)
    assert len(calls) == 1 + (1 + 2 + 4 + 8 + 16 + 32) + 32  # until a stretch lasts 2 ms


def test_one_thread_is_timed_by_its_own_work_and_more_by_a_clock():
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(1)
        assert clock("cpu") is time.process_time
        torch.set_num_threads(2)
        assert clock("cpu") is clock("cuda") is time.perf_counter
    finally:
        torch.set_num_threads(before)


def test_measured_rates_are_of_this_machine():
    rate, bandwidth = matrix_rate(256, 256, 256, repeats=2), bandwidth_of_copies(2**20, repeats=2)
    assert 1e8 < rate < 1e16
    assert 1e8 < bandwidth < 1e15
