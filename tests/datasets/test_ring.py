"""The ring of eight Gaussians, and how much of it samples cover."""

import math

import pytest
import torch
from made import seeded

from course_lib.datasets.ring import centres, draw_ring, modes_and_quality


def test_centres_and_data():
    assert torch.allclose(centres()[:3], torch.tensor([[2.0, 0], [2**0.5, 2**0.5], [0, 2]]), atol=1e-6)
    points = draw_ring(2, 40_000, seeded())
    assert points.shape == (2, 40_000, 2)
    offset, mode = torch.cdist(points, centres()).min(-1)
    assert (mode.flatten().bincount(minlength=8) / 80_000 - 1 / 8).abs().max() < 0.01
    assert offset.square().mean().item() == pytest.approx(2 * 0.02**2, rel=0.03)


def test_modes_and_quality_by_hand():
    data_modes, share = modes_and_quality(draw_ring(3, 20_000, seeded()))
    assert data_modes.tolist() == [8, 8, 8]
    assert share.tolist() == pytest.approx([1 - math.exp(-4.5)] * 3, abs=0.004)
    samples = torch.zeros(2500, 2)
    samples[:24], samples[24:49], samples[49:100] = centres()[0], centres()[1], centres()[2] + torch.tensor([0.061, 0])
    modes, share = modes_and_quality(samples)
    assert (modes.item(), share.item()) == (1, 49 / 2500)  # 24 of 2,500 are too few, 0.061 too far
