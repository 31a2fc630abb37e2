"""Denoisers against conditional Gaussians, scikit-learn's PCA and a model whose best z has a closed form."""

import math

import pytest
import torch
from sklearn.decomposition import PCA
from torch import nn

from course_lib.datasets.images import load_digits
from course_lib.vae.denoising import fit_wiener, psnr, residual_variance, vae_denoise
from course_lib.vae.models import PIXELS, VAE

f64 = torch.float64


def random(*shape, seed):
    return torch.randn(*shape, dtype=f64, generator=torch.Generator().manual_seed(seed))


def test_psnr_by_hand():
    x = torch.zeros(2, 4, dtype=f64)
    x_hat = torch.tensor([[0.1, -0.1, 0.1, 0.1], [2.0, 0.0, 0.0, 0.0]], dtype=f64)
    assert psnr(x, x_hat).tolist() == pytest.approx([20.0, 0.0])
    assert psnr(x, x).tolist() == [math.inf] * 2


def test_the_wiener_filter_is_the_conditional_mean_of_a_gaussian():
    images = random(50, 6, seed=1) @ random(6, 6, seed=2) + 3
    noisy, std = random(4, 6, seed=3), 0.7
    covariance = torch.cov(images.T, correction=0)
    gain = covariance @ torch.linalg.inv(covariance + std**2 * torch.eye(6, dtype=f64))
    wanted = images.mean(0) + (noisy - images.mean(0)) @ gain.T
    found = fit_wiener(images)
    torch.testing.assert_close(found.denoise(noisy, std), wanted, rtol=1e-10, atol=1e-10)
    pca = PCA().fit(images.numpy())
    torch.testing.assert_close(
        found.variances.flip(0), torch.from_numpy(pca.explained_variance_) * 49 / 50, rtol=1e-8, atol=1e-10
    )


def test_directions_without_variance_stay_at_the_mean():
    images = torch.cat([random(30, 2, seed=4), torch.full((30, 1), 0.25, dtype=f64)], dim=1)
    assert torch.allclose(fit_wiener(images).denoise(random(5, 3, seed=5), 0.1)[:, 2], torch.tensor(0.25, dtype=f64))


class Linear(VAE):
    """Means that are linear in z, so that the best z is a ridge regression."""

    def means(self, z):
        return self.decoder(z)


def linear_model():
    model = Linear(nn.Linear(PIXELS, 6), nn.Linear(3, PIXELS), 3).double()
    with torch.no_grad():
        model.decoder.weight.copy_(0.1 * random(PIXELS, 3, seed=6))
        model.decoder.bias.copy_(0.5 + 0.01 * random(PIXELS, seed=7))
    return model


def test_the_vaes_estimate_is_ridge_regression_where_its_means_are_linear():
    model, std = linear_model(), 0.4
    residual = 0.01 + 0.02 * random(PIXELS, seed=8).abs()
    noisy = 0.5 + 0.4 * random(5, PIXELS, seed=9)
    W, b, precision = model.decoder.weight.detach(), model.decoder.bias.detach(), 1 / (residual + std**2)
    A = (W.T * precision) @ W + torch.eye(3, dtype=f64)
    m = (noisy - b) * precision @ W @ torch.linalg.inv(A) @ W.T + b
    wanted = m + residual * precision * (noisy - m)
    found = vae_denoise(model, noisy, std, residual, steps=1500, rate=0.1)
    torch.testing.assert_close(found, wanted, rtol=0, atol=1e-5)
    assert all(p.grad is None for p in model.parameters())
    assert not torch.allclose(vae_denoise(model, noisy, 4.0, residual, steps=200), found, atol=0.02)


def test_residual_variance_by_a_loop():
    model, images = linear_model(), random(7, PIXELS, seed=10).sigmoid()
    with torch.no_grad():
        wanted = sum((x - model.means(model.encode(x[None])[0])[0]) ** 2 for x in images) / 7
    torch.testing.assert_close(residual_variance(model, images), wanted)


@pytest.mark.parametrize("std", [0.0, -1.0, math.nan])
def test_a_standard_deviation_is_above_zero(std):
    with pytest.raises(ValueError, match="std: expected a standard deviation above 0"):
        fit_wiener(random(5, 3, seed=1)).denoise(random(2, 3, seed=2), std)
    with pytest.raises(ValueError, match="std: expected a standard deviation above 0"):
        vae_denoise(linear_model(), random(2, PIXELS, seed=3), std, torch.ones(PIXELS, dtype=f64))


@pytest.mark.parametrize("n", [300, 2, 1])
@pytest.mark.parametrize("dtype", [torch.float32, f64])
def test_fewer_images_than_pixels_make_a_filter_all_the_same(n, dtype):
    images = greys_of(n).to(dtype)
    noisy, std = images[:1] + 0.3 * random(1, PIXELS, seed=1).to(dtype), 0.3
    found = fit_wiener(images)
    mean = images.double().mean(0)
    _, singular, rows = torch.linalg.svd(images.double() - mean, full_matrices=False)  # the oracle needs no covariance
    variances = singular**2 / n
    wanted = mean + (noisy.double() - mean) @ rows.T * (variances / (variances + std**2)) @ rows
    assert found.variances.dtype == found.directions.dtype == dtype
    torch.testing.assert_close(found.denoise(noisy, std).double(), wanted, rtol=0, atol=1e-4 if dtype != f64 else 1e-9)


def greys_of(n):
    """Real digits as greys, many pixels of which are black in all of them."""
    return load_digits().train[:n].flatten(1) / 255


def test_no_images_are_refused():
    with pytest.raises(ValueError, match="images: expected at least one, got none"):
        fit_wiener(torch.zeros(0, 5))
