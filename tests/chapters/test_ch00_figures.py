"""What chapter 00 shows beside its model: describe() and the opening picture."""

import pytest
import torch

from course_lib.chapters.ch00_start_here.figures import opening
from course_lib.classroom import figures


def test_the_opening_is_data_samples_and_density_of_a_model_that_learned():
    figure, alt = opening()
    data, drawn, density = figure.axes[:3]
    assert len(data.collections[0].get_offsets()) == len(drawn.collections[0].get_offsets()) == 400
    values = density.images[0].get_array()
    side = 120
    assert values.shape == (side, side)
    cell = (density.images[0].get_extent()[1] * 2 / (side - 1)) ** 2
    assert float(torch.tensor(values.data).exp().sum()) * cell == pytest.approx(1, abs=0.02)
    at = torch.as_tensor(data.collections[0].get_offsets().data)
    place = ((at + 2.3) / 4.6 * (side - 1)).round().long()
    on_data = torch.tensor(values.data)[place[:, 1], place[:, 0]]
    assert on_data.median() > -2.5  # rows are x₂: a transposed picture is white where the data are
    assert "400" in alt


def test_samples_are_triangles_and_data_dots():
    _, ((ax, other),) = figures.new(1, 2)
    figures.points(ax, torch.zeros(3, 2))
    figures.points(other, torch.zeros(3, 2), figures.ORANGE, s=4)
    dots, triangles = (len(each.collections[0].get_paths()[0].vertices) for each in (ax, other))
    assert triangles == 4
    assert dots > 10
