"""The autoencoder of images, its step and the scale of its latents."""

import pytest
import torch

from course_lib.diffusion.latent import Autoencoder, autoencoder_step, draw_images, encode_all, scale_of
from course_lib.training.fit import fit
from course_lib.training.trained import Trained


def images(n=40):
    return torch.rand(n, 1, 8, 8, generator=torch.Generator().manual_seed(0)) * 2 - 1


def test_shapes_there_and_back():
    model = Autoencoder(channels=3, width=8)
    mu, logvar = model.encode(images(5))
    assert mu.shape == logvar.shape == (5, 3, 2, 2)
    assert model.decode(mu).shape == (5, 1, 8, 8)
    torch.testing.assert_close(encode_all(model, images(7), at_once=3), model.encode(images(7))[0])


def test_a_step_minimises_squares_plus_the_weighted_kl():
    torch.manual_seed(0)
    model, other = Autoencoder(2, 8), Autoencoder(2, 8)
    other.load_state_dict(model.state_dict())
    x, eps = images(4), torch.randn(4, 2, 2, 2)
    told = autoencoder_step(model, torch.optim.SGD(model.parameters(), 1e-3), 0.3)((x, eps))
    mu, logvar = other.encode(x)
    q = torch.distributions.Normal(mu, (logvar / 2).exp())
    kl = torch.distributions.kl_divergence(q, torch.distributions.Normal(0.0, 1.0)).flatten(1).sum(1).mean()
    squares = ((other.decode(mu + q.stddev * eps) - x) ** 2).flatten(1).sum(1).mean()
    (squares + 0.3 * kl).backward()
    torch.optim.SGD(other.parameters(), 1e-3).step()
    torch.testing.assert_close(told["squares"], squares)
    torch.testing.assert_close(told["kl"], kl)
    for mine, its in zip(model.parameters(), other.parameters(), strict=True):
        torch.testing.assert_close(mine, its)


def test_training_lowers_the_squares():
    torch.manual_seed(0)
    model = Autoencoder(2, 8)
    x = images(1) * torch.rand(40, 1, 1, 1, generator=torch.Generator().manual_seed(1))  # one pattern, more or less
    adam = torch.optim.Adam(model.parameters(), 3e-3)
    trained = Trained({"model": model}, {"adam": adam}, torch.Generator().manual_seed(0))
    history = fit(autoencoder_step(model, adam), draw_images(x, 16, 2), 60, trained, every=10, progress=False)
    squares = history.curve("squares").values
    assert squares[-1] < 0.8 * squares[0]


def test_scaled_latents_have_unit_channels_and_come_back():
    latents = torch.randn(200, 3, 2, 2, generator=torch.Generator().manual_seed(1)) * torch.tensor(
        [0.1, 2.0, 5.0]
    ).view(3, 1, 1) + torch.tensor([1.0, 0.0, -4.0]).view(3, 1, 1)
    scale = scale_of(latents)
    unit = scale.to_unit(latents)
    torch.testing.assert_close(unit.mean((0, 2, 3)), torch.zeros(3), rtol=0, atol=1e-5)
    torch.testing.assert_close(unit.std((0, 2, 3)), torch.ones(3))
    torch.testing.assert_close(scale.back(unit), latents, rtol=1e-5, atol=1e-5)


def test_what_cannot_be_encoded_or_scaled_is_named(unchecked):
    with pytest.raises(ValueError, match=r"images: expected sides that 4 divides, got \(2, 1, 6, 8\)"):
        Autoencoder(2, 8).encode(torch.zeros(2, 1, 6, 8))
    with pytest.raises(ValueError, match="latents: expected channels that change"):
        scale_of(torch.ones(5, 2, 3, 3))
