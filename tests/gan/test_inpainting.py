"""The search for a generator's noise: it finds what the generator made, and leaves the generator alone."""

import pytest
import torch

from course_lib.gan.dcgan import Generator, sample
from course_lib.gan.inpainting import search_noise


def made(n=3, side=14):
    torch.manual_seed(0)
    generator = Generator(4, channels=4, side=side)
    with torch.no_grad():
        for parameter in generator.parameters():
            parameter.mul_(8 if parameter.ndim > 1 else 1)
    return generator, sample(generator, torch.randn(n, 4, generator=torch.Generator().manual_seed(1)))


def test_a_half_seen_image_of_the_generator_is_found_again_in_whole():
    generator, images = made()
    before = {name: tensor.clone() for name, tensor in generator.state_dict().items()}
    observed = torch.zeros(14, 14, dtype=torch.bool)
    observed[:7] = True
    rng = torch.Generator().manual_seed(2)
    found, error = search_noise(generator, images, observed, 4, rng, starts=8, steps=300, prior_weight=1e-4)
    spread = (images - images.mean(0)).square().mean()
    assert error.max() < 0.02 * spread
    assert (found - images)[:, :, 7:].square().mean() < 0.1 * spread  # the half that was not shown
    assert error.tolist() == pytest.approx(((found - images) ** 2 * observed).flatten(1).sum(1).div(98).tolist())
    assert generator.training
    assert all(torch.equal(before[name], tensor) for name, tensor in generator.state_dict().items())
    assert all(p.grad is None for p in generator.parameters())


@pytest.mark.parametrize(("wrong", "says"), [({"starts": 0}, "starts"), ({"steps": 0}, "steps")])
def test_numbers_that_make_no_search_are_refused(wrong, says):
    generator, images = made()
    everything = torch.ones(14, 14, dtype=torch.bool)
    with pytest.raises(ValueError, match=f"{says}: expected at least 1, got 0"):
        search_noise(generator, images, everything, 4, torch.Generator(), **wrong)
    with pytest.raises(ValueError, match="observed: expected at least 1, got 0"):
        search_noise(generator, images, ~everything, 4, torch.Generator())
