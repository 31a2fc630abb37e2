"""Likelihoods, bounds and models against torch.distributions, quadrature, autograd and each other."""

import math

import pytest
import torch
from torch.distributions import Bernoulli, Independent, Normal
from vae_numbers import agree, bits, numbers

from course_lib.information.divergences import kl_to_standard_normal
from course_lib.vae.bounds import importance_weighted_bound, reparameterize
from course_lib.vae.models import (
    VAE,
    check_images,
    convolutional_vae,
    fully_connected_vae,
    log_likelihood,
    transposed_size,
)


@pytest.mark.parametrize("build", [fully_connected_vae, convolutional_vae])
def test_a_model_bounds_and_weights_agree(build):
    torch.manual_seed(0)
    model = build(latent_dim=3, hidden=11).double()
    x = bits(5, 784, seed=1)
    eps = numbers(7, 5, 3, seed=2)
    mu, logvar = model.encode(x)
    value, recon, kl = model.elbo(x, eps[0])
    agree(value, recon - kl)
    agree(kl, kl_to_standard_normal(mu, logvar))
    q = Independent(Normal(mu, logvar.div(2).exp()), 1)
    z = reparameterize(mu, logvar, eps)
    p_z = Independent(Normal(torch.zeros_like(z), torch.ones_like(z)), 1).log_prob(z)
    p_x = Independent(Bernoulli(logits=model.decode(z)), 1).log_prob(x)
    agree(model.log_weights(x, eps), p_x + p_z - q.log_prob(z))
    agree(model.means(z[0]), model.decode(z[0]).sigmoid())
    assert model.decode(z).shape == (7, 5, 784)


def test_a_class_conditions_every_part_and_a_missing_one_is_named():
    torch.manual_seed(0)
    model = fully_connected_vae(latent_dim=3, hidden=11, n_classes=4).double()
    x, eps, labels = bits(1, 784, seed=1).expand(4, -1), numbers(7, 1, 3, seed=2).expand(-1, 4, -1), torch.arange(4)
    mu, logvar = model.encode(x, labels)
    z = reparameterize(mu, logvar, eps)
    assert len(mu.unique(dim=0)) == len(model.means(z[0], labels).unique(dim=0)) == 4  # one image, four classes
    one_by_one = torch.cat([model.log_weights(x[i : i + 1], eps[:, i : i + 1], labels[i : i + 1]) for i in range(4)], 1)
    agree(model.log_weights(x, eps, labels), one_by_one)
    value, recon, _ = model.elbo(x, eps[0], labels)
    agree(recon, Independent(Bernoulli(logits=model.decode(z[0], labels)), 1).log_prob(x))
    assert len(value.unique()) == 4
    plain = fully_connected_vae(latent_dim=3, hidden=11).double()
    for other, given in ((model, None), (plain, labels)):
        with pytest.raises(ValueError, match="labels: expected"):
            other.elbo(x, eps[0], given)


def test_each_image_depends_on_itself_alone():
    torch.manual_seed(0)
    model = convolutional_vae(latent_dim=3, hidden=11).double()
    x, eps = bits(4, 784, seed=1), numbers(4, 3, seed=2)
    whole, part = model.elbo(x, eps)[0], model.elbo(x[2:3], eps[2:3])[0]
    agree(whole[2:3], part)


def test_what_is_no_batch_of_images_is_named():
    model = fully_connected_vae(latent_dim=2, hidden=5)
    eps = torch.zeros(1, 2)
    for x, error, says in (
        (torch.full((1, 784), 1.5), ValueError, "1.5"),
        (torch.full((1, 784), -0.1), ValueError, "-0.1"),
        (torch.full((1, 784), math.nan), ValueError, "nan"),
        (torch.zeros(1, 784, dtype=torch.uint8), TypeError, "divide bytes by 255"),
        (torch.zeros(1, 783), ValueError, r"\(1, 783\)"),
        (torch.zeros(1, 28, 28), ValueError, r"\(1, 28, 28\)"),
        (torch.zeros(0, 784), ValueError, "empty batch"),
        (torch.zeros(784), ValueError, r"\(784,\)"),
    ):
        with pytest.raises(error, match=says):
            check_images(x)
    for call in (model.elbo, lambda x, e: model.log_weights(x, e[None])):
        with pytest.raises(ValueError, match=r"\[0, 1\], got 0 to 2"):
            call(torch.linspace(0, 2, 784)[None], eps)
    with pytest.raises(ValueError, match="at least one draw"):
        importance_weighted_bound(torch.zeros(0, 3))
    with pytest.raises(ValueError, match="k: expected at least 1, got 0"):
        log_likelihood(model, torch.zeros(1, 784), 0, torch.Generator())


def test_the_log_likelihood_grows_with_k_and_takes_its_noise_from_the_generator():
    torch.manual_seed(0)
    model = fully_connected_vae(latent_dim=4, hidden=20)
    x = bits(50, 784, seed=1).float()
    value = lambda k, at_once: log_likelihood(model, x, k, torch.Generator().manual_seed(3), at_once)
    assert torch.equal(value(5, 1000), value(5, 1000))
    assert value(50, 700).mean() > value(1, 700).mean()
    assert value(5, 35).shape == (50,)


def test_the_mean_is_taken_from_the_images_and_given_to_the_logits():
    torch.manual_seed(0)
    mean = torch.rand(784, generator=torch.Generator().manual_seed(1))
    mean[:3] = torch.tensor([0.0, 1.0, 0.5])
    model = fully_connected_vae(latent_dim=3, hidden=11, mean=mean)
    plain = VAE(model.encoder, model.decoder, 3)
    x, z = bits(4, 784, seed=2).float(), numbers(4, 3, seed=3).float()
    kept = mean.clamp(1e-3, 1 - 1e-3)
    torch.testing.assert_close(model.decode(z), plain.decode(z) + kept.logit())
    torch.testing.assert_close(model.encode(x)[0], model.encoder(x - kept).chunk(2, -1)[0])
    assert "mean" in model.state_dict()
    with torch.no_grad():
        for parameter in model.decoder.parameters():
            parameter.zero_()
    torch.testing.assert_close(model.means(z), kept.expand(4, -1))  # independent pixels


def test_the_size_of_a_transposed_convolution_is_the_layers():
    for size, kernel, stride, padding in ((7, 3, 1, 0), (7, 4, 2, 1), (5, 3, 3, 0), (1, 5, 2, 2), (6, 2, 2, 0)):
        layer = torch.nn.ConvTranspose2d(1, 1, kernel, stride=stride, padding=padding)
        made = layer(torch.zeros(1, 1, size, size)).shape[-1]
        assert transposed_size(size, kernel, stride, padding) == made
    assert transposed_size(9, 3) == 11
    for wrong in ((0, 3, 1, 0), (3, 3, 0, 0), (3, 0, 1, 0), (3, 3, 1, -1), (1, 2, 1, 1)):
        with pytest.raises(ValueError, match=f"got size {wrong[0]}, kernel {wrong[1]}"):
            transposed_size(*wrong)
