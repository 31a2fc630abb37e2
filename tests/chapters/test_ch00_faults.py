"""The faulty trainings of chapter 00 have one fault each, and the pictures show what they are given."""

import pytest
import torch

from course_lib.chapters.ch00_start_here import figures
from course_lib.chapters.ch00_start_here.descent import fit_mixture
from course_lib.chapters.ch00_start_here.faults import FAULTS, curves
from course_lib.datasets.plane import fireflies, standardise


def test_a_training_without_a_fault_is_the_chapters_own():
    ours = curves(3, steps=5)
    _, losses = fit_mixture(standardise(fireflies(400, seed=3)), 16, steps=5, rate=0.05, seed=3)
    torch.testing.assert_close(ours[:, 0], losses, rtol=1e-12, atol=0)


@pytest.mark.parametrize("letter", FAULTS)
def test_each_fault_changes_one_thing(letter):
    assert len(FAULTS[letter]) == 1
    assert not torch.equal(curves(0, steps=3, **FAULTS[letter]), curves(0, steps=3))


def test_gradients_that_are_not_cleared_add_up():
    """The second step is along the first gradient and the second together."""
    kept, cleared = curves(0, steps=3, cleared=False), curves(0, steps=3)
    assert torch.equal(kept[:2], cleared[:2])
    assert kept[2, 0] < cleared[2, 0]  # it goes twice as far, downhill still


def test_the_diagram_stacks_three_parts_up_to_the_density():
    figure, alt = figures.how_a_mixture_draws()
    bars, plane, density = figure.axes
    assert [round(bar.get_height(), 2) for bar in bars.patches] == [0.5, 0.3, 0.2]
    assert len(plane.patches) == 6  # two rings a component
    assert len(density.collections) == 3
    assert "0.5, 0.3 and 0.2" in alt


def test_the_title_of_the_sizes_says_what_the_numbers_say():
    grid = torch.zeros(5, 5, 2)  # sizes, seeds, training and held-out
    grid[-1, :, 0], grid[-1, :, 1] = -0.25, 0.5
    figure, alt = figures.excess_by_size([1, 4, 16, 32, 64], grid)
    assert figure.axes[0].get_title(loc="left") == "From 16 to 64 components: training −0.25 nats, held-out +0.50"
    assert "0.25 nats below the truth at 64" in alt
