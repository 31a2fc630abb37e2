"""The Transformer over pixels: a distribution that sums to one, exact for every image, drawn from and completed."""

import itertools

import pytest
import torch

from course_lib.attention.pixels import (
    PixelTransformer,
    after_start,
    complete_pixels,
    draw_pixels,
    pixel_log_likelihoods,
)


def small(pixels=4, levels=3, scale=20.0):
    """A model whose distribution is far from uniform: its embedding, the readout, enlarged."""
    torch.manual_seed(0)
    model = PixelTransformer(pixels, levels, n_layers=2, n_heads=2, d_model=8).eval()
    with torch.no_grad():
        model.embedding.weight.mul_(scale)
        for parameter in model.blocks.parameters():
            parameter.add_(0.3 * torch.randn(parameter.shape))
    return model


def every_image(pixels=4, levels=3):
    return torch.tensor(list(itertools.product(range(levels), repeat=pixels)))


def test_the_probabilities_of_all_images_sum_to_one():
    log_p = pixel_log_likelihoods(small(), every_image()).sum(1)
    assert log_p.std() > 0.3  # some images are likelier than others
    assert log_p.exp().sum().item() == pytest.approx(1, abs=1e-6)


def test_each_pixel_is_judged_by_those_before_it_alone():
    model, x = small(), every_image()[[5, 5]].clone()
    x[1, 2] = 1 - x[0, 2] if x[0, 2] < 2 else 0
    log_p = pixel_log_likelihoods(model, x)
    torch.testing.assert_close(log_p[0, :2], log_p[1, :2])
    assert (log_p[0, 2:] != log_p[1, 2:]).all()


def test_draws_have_the_models_frequencies():
    model, n = small(), 4000
    drawn = draw_pixels(model, n, torch.Generator().manual_seed(1), at_once=1000)
    images = every_image()
    p = pixel_log_likelihoods(model, images).sum(1).exp()
    counts = (drawn[:, None] == images).all(2).sum(0).double()
    assert counts.sum() == n
    chi_squared = ((counts - n * p) ** 2 / (n * p)).sum().item()
    assert chi_squared < 81 + 5 * (2 * 81) ** 0.5


def test_a_completion_keeps_what_was_given_and_draws_the_rest_given_it():
    model, n = small(), 3000
    given = torch.tensor([[2, 0]]).expand(n, -1)
    whole = complete_pixels(model, given, torch.Generator().manual_seed(2), at_once=1000)
    assert whole.shape == (n, 4)
    assert torch.equal(whole[:, :2], given)
    images = every_image()[(every_image()[:, :2] == given[0]).all(1)]
    p = pixel_log_likelihoods(model, images).sum(1).softmax(0)
    counts = (whole[:, None] == images).all(2).sum(0).double()
    assert ((counts - n * p) ** 2 / (n * p)).sum().item() < 9 + 5 * 18**0.5


def test_the_start_comes_first_and_the_last_pixel_is_never_read():
    assert after_start(torch.tensor([[0, 1, 2]]), 8).tolist() == [[8, 0, 1]]


def test_nothing_is_left_to_draw_in_a_whole_image_and_too_many_pixels_are_refused():
    model = small()
    whole = every_image()[:2]
    assert torch.equal(complete_pixels(model, whole, torch.Generator().manual_seed(0)), whole)
    with pytest.raises(ValueError, match="given: expected at most 4 pixels, got 5"):
        complete_pixels(model, torch.zeros(1, 5, dtype=torch.long), torch.Generator())
