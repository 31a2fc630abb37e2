"""The fuzz of the exercises finds holes: in probes that are weak, in loops that do not end."""

import fuzz_exercises
import pytest
import torch
from mutants import change, made, mutants
from toys import double, toy
from variations import jittered, variations

from course_lib.classroom.exercises.spec import Probe


def mean_of(x):
    """The mean."""
    return x.sum() / len(x)


def halvings(n):
    """How often n can be halved."""
    steps = 0
    while n > 1:
        n, steps = n // 2, steps + 1
    return steps


def windows(x, k=2, keep=True):
    """Something of everything that is mutated."""
    y = x + x.roll(k, dims=0)
    if k > 1 and keep:
        y = y - torch.maximum(x, y)[1:].mean(dim=0, keepdim=True)
    return y, -x


def of(reference, *sizes, **changes):
    def probe(size):
        return Probe((torch.randn(size, dtype=torch.float64, generator=torch.Generator().manual_seed(size)),))

    probes = lambda: [probe(size) for size in sizes]
    return toy(reference=reference, stub="", mistakes=(), probes=probes, **changes)


def test_weak_probes_are_found():
    drawn = lambda generator: Probe((torch.randn(4, dtype=torch.float64, generator=generator),))
    report = fuzz_exercises.fuzz(of(mean_of, 1, variations=drawn))
    assert any("return x.sum()" in what and "→  return x.sum()" in what for what, _ in report.holes)
    assert "accepted" in str(report)
    assert report.tried == report.killed + len(report.equivalent) + len(report.holes)
    with pytest.raises(AssertionError, match=r"return x\.sum"):
        fuzz_exercises.test_no_mutant_that_differs_is_accepted(of(mean_of, 1, variations=drawn))


def test_good_probes_leave_none():
    report = fuzz_exercises.fuzz(of(mean_of, 4, 1, variations=None))
    assert report.holes == []
    assert report.killed > 5


def test_a_loop_that_does_not_end_is_stopped(monkeypatch):
    monkeypatch.setattr(fuzz_exercises, "PATIENCE", 0.3)
    numbers = toy(
        reference=halvings, stub="", mistakes=(), gradients=False, probes=lambda: [Probe((n,)) for n in (9, 1, 40)]
    )
    report = fuzz_exercises.fuzz(numbers)
    assert report.holes == []
    endless = [source for source in mutants(halvings) if "while True" in source or "n // 1" in source]
    assert endless


def test_what_is_mutated():
    found = {change(windows, source).split("  →  ")[1] for source in mutants(windows)}
    for expected in (
        "y = x - x.roll(k, dims=0)",  # operators
        "y = x",
        "y = x + x.roll(k, dims=1)",  # axes and constants
        "def windows(x, k=4, keep=True):",
        "y = x + x.roll(k)",  # dropped keywords
        "y = y - torch.maximum(x, y)[1:].mean(dim=0)",
        "y = y - torch.maximum(x, y)[1 + 1:].mean(dim=0, keepdim=True)",  # off by one
        "if k >= 1 and keep:",
        "if k > 1 or keep:",
        "if False:",
        "pass",  # dropped statements
        "y = x.detach() + x.roll(k, dims=0)",
        "y = y - torch.minimum(x, y)[1:].mean(dim=0, keepdim=True)",
        "y = y - torch.maximum(y, x)[1:].mean(dim=0, keepdim=True)",  # swapped arguments
        "return (-x, y)",
        "return (y, x)",
    ):
        assert expected in found, (expected, sorted(found))
    assert any("x += x.roll(k, dims=0)" in each for each in found)  # in place
    assert len(list(mutants(windows))) == len(set(mutants(windows)))


def test_mutants_come_in_the_same_order_and_are_chosen_evenly():
    assert list(mutants(windows)) == list(mutants(windows))
    assert fuzz_exercises.chosen(list(range(10)), 4) == [0, 2, 5, 7]
    assert fuzz_exercises.chosen([1, 2], None) == fuzz_exercises.chosen([1, 2], 5) == [1, 2]


def test_a_mutant_leaves_the_reference_alone():
    tripled = made(double, next(source for source in mutants(double) if "3 * x" in source))
    assert (tripled(2), double(2)) == (6, 4)


def test_other_numbers_are_of_the_same_kind():
    x = torch.tensor([[0.2, 0.3, 0.5], [0.1, 0.1, 0.8]], dtype=torch.float64)
    bits = torch.tensor([1.0, 0.0, 1.0])
    probe = Probe((x, bits, 3, 9, [1, 2], torch.tensor([0.3, 0.9]), torch.tensor([5.0, 0.1]), 0.4))
    for seed in range(50):
        a, b, low, high, counts, share, positive, rate = jittered(probe, torch.Generator().manual_seed(seed)).args
        assert torch.allclose(a.sum(-1), torch.ones(2, dtype=torch.float64))
        assert set(b.tolist()) <= {0, 1}
        assert 1 <= low <= high
        assert min(counts) >= 1
        assert ((share > 0) & (share < 1)).all()
        assert (positive > 0).all()
        assert 0 < rate < 1


def test_inputs_that_the_reference_refuses_are_drawn_again():
    def half(n):
        if n % 2:
            raise ValueError("odd")
        return n // 2

    found = variations(toy(reference=half, stub="", mistakes=(), gradients=False, probes=lambda: [Probe((40,))]), 30)
    assert len(found) == 30
    assert len({probe.args for probe, _ in found}) > 5
