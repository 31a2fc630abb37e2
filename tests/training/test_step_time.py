"""A step's time told from rates: a made-up machine exactly, closed forms, monotone; counts against PyTorch's own."""

from dataclasses import replace

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from course_lib.training.step_time import Machine, Sizes, at, counted, measure_machine, predict_step, training_flops

MACHINE = Machine({100: 1e9, 400: 2e9}, {2**20: 8e8}, 5e8, 1e8, 1e7, 1e-5)
SIZES = Sizes(d_model=200, n_layers=3, vocab_size=7, batch=2, time=16)


def test_a_made_up_machine_exactly():
    """32 positions, 12 · 3 · 200² + 7 · 200 numbers in matrices; width 200 lies half way between 100 and 400."""
    told = predict_step(SIZES, MACHINE, 1000)
    matrices = 12 * 3 * 200**2 + 7 * 200
    assert told["products"] == pytest.approx(6 * 32 * matrices / 1.5e9)
    assert told["attention"] == pytest.approx(12 * 32 * 3 * 16 * 200 / 1e8)
    norms, sums, back, joined = 4, 6, 12, 12
    expected = 4 * 32 * 200 * 3 * (norms + sums + back + joined) / 8e8 + 32 * 4 * 200 * 3 / 1e7
    assert told["one by one"] == pytest.approx(expected)
    parameters = matrices + (16 + 2 * 3 + 1) * 200
    assert told["update"] == pytest.approx(40 * parameters / 5e8)
    assert told["launches"] == pytest.approx(0.01)
    assert told["total"] == pytest.approx(sum(part for name, part in told.items() if name != "total"))


def test_a_device_that_overlaps_takes_the_longer_of_launching_and_working():
    device = replace(MACHINE, overlaps=True)
    work = predict_step(SIZES, MACHINE, 0)["total"]
    assert predict_step(SIZES, device, 10)["total"] == pytest.approx(work)
    assert predict_step(SIZES, device, 10**6)["total"] == pytest.approx(10)


@pytest.mark.parametrize("name", ["d_model", "n_layers", "vocab_size", "batch", "time"])
def test_more_of_anything_takes_longer(name):
    larger = replace(SIZES, **{name: 2 * getattr(SIZES, name)})
    assert (
        predict_step(larger, replace(MACHINE, products={1: 1e9}), 10)["total"]
        > (predict_step(SIZES, replace(MACHINE, products={1: 1e9}), 10)["total"])
    )


def test_between_two_sizes_a_rate_lies_on_a_line_over_the_logarithm_and_outside_it_is_the_end():
    table = {100: 1.0, 10_000: 3.0}
    assert [at(table, size) for size in (1, 100, 1000, 10_000, 10**6)] == pytest.approx([1, 1, 2, 3, 3])


def test_the_counts_are_pytorchs():
    """A block's products written out, forward and backward."""
    C, T, V = 12, 5, 9
    sizes = Sizes(C, 1, V, 2, T)
    x = torch.randn(2, T, C, requires_grad=True)
    weights = [torch.randn(C, p, requires_grad=True) for p in (C, C, C, C, 4 * C)]
    down, out = torch.randn(4 * C, C, requires_grad=True), torch.randn(C, V, requires_grad=True)
    with FlopCounterMode(display=False) as counter:
        q, k, v = (x @ w for w in weights[:3])
        y = (q @ k.mT).softmax(-1) @ v @ weights[3]
        ((y @ weights[4]) @ down @ out).sum().backward()
    assert counter.get_total_flops() == training_flops(sizes)
    assert sizes.parameters == sizes.matrices + (T + 3) * C


def test_calls_and_waits_are_counted():
    a = torch.ones(3, 3)
    found = counted(lambda: (a @ a).sum().item())
    assert (found["mm"], found["sum"], found["_local_scalar_dense"]) == (1, 1, 1)
    assert counted(lambda: None).total() == 0


def test_a_machine_is_measured_and_predicts():
    machine = measure_machine(time=16)
    assert predict_step(SIZES, machine, 100)["total"] > 0
    assert not machine.overlaps


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Sizes(0, 1, 1, 1, 1), "d_model: expected a whole number of at least 1, got 0"),
        (lambda: Sizes(8, 1, 1, -2, 1), "batch: expected a whole number of at least 1, got -2"),
        (lambda: replace(MACHINE, launch=0), "launch: expected a number above 0, got 0"),
        (lambda: replace(MACHINE, products={}), "products: expected at least one size"),
        (lambda: replace(MACHINE, streams={1: 0.0}), "streams: expected at least one size with a rate above 0"),
    ],
)
def test_bad_input_is_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()
