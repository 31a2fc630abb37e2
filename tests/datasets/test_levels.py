"""Images of a few levels: there and back, and what is refused."""

import pytest
import torch

from course_lib.datasets.levels import from_levels, quantise, to_levels


def test_levels_come_back_as_they_were():
    x = torch.randint(8, (5, 16), generator=torch.Generator().manual_seed(0))
    images = from_levels(x)
    assert images.shape == (5, 1, 4, 4)
    assert torch.equal(quantise(images), x)
    large = from_levels(x, enlarge=3)
    assert large.shape == (5, 1, 12, 12)
    assert torch.equal(large[:, :, 1::3, 1::3], images)


def test_a_square_of_bytes_is_averaged_and_rounded_to_the_nearest_level():
    image = torch.tensor([[[0, 0, 255, 255], [0, 255, 255, 255]]], dtype=torch.uint8)
    assert to_levels(image, levels=8, shrink=2).tolist() == [[2, 7]]  # a quarter of white is 1.75 of 7 levels
    assert to_levels(image, levels=2).tolist() == [[0, 0, 1, 1, 0, 1, 1, 1]]


def test_rounding_goes_to_the_nearest_level_and_ends_at_black_and_white():
    greys = torch.tensor([-1.0, -0.87, -0.84, 0.99, 1.0]).view(5, 1, 1, 1)  # levels are 2/7 = 0.286 apart
    assert quantise(greys).flatten().tolist() == [0, 0, 1, 7, 7]


def test_other_images_are_refused_by_name(unchecked):
    with pytest.raises(TypeError, match="images: expected bytes"):
        to_levels(torch.zeros(1, 4, 4))
    with pytest.raises(ValueError, match="shrink: expected a divisor of both sides"):
        to_levels(torch.zeros(1, 4, 6, dtype=torch.uint8), shrink=4)
    with pytest.raises(ValueError, match="levels: expected at least 2, got 1"):
        to_levels(torch.zeros(1, 4, 4, dtype=torch.uint8), levels=1)
    with pytest.raises(ValueError, match="x: expected rows of a square number of pixels, got 6"):
        from_levels(torch.zeros(1, 6, dtype=torch.long))
    with pytest.raises(ValueError, match="x: expected levels 0 … 7, got 0 … 8"):
        from_levels(torch.tensor([[0, 8, 1, 2]]))
