"""The VAE on a stand-in for an accelerator: the same numbers, one copy a step, and nothing that waits for a value."""

from collections import Counter
from functools import partial

import numpy as np
import pytest
import torch
from made import seeded
from standin import DEVICE, accelerator

from course_lib.vae.autoregressive import AutoregressiveVAE
from course_lib.vae.bernoulli_mixture import bernoulli_mixture_log_likelihood, fit_bernoulli_mixture
from course_lib.vae.bits_back import compress, decompress
from course_lib.vae.denoising import fit_wiener, residual_variance, vae_denoise
from course_lib.vae.inpainting import gibbs_inpaint, importance_inpaint
from course_lib.vae.models import convolutional_vae, fully_connected_vae, log_likelihood
from course_lib.vae.step import draw_binary, vae_step

BUILDERS = {
    "fully connected": partial(fully_connected_vae, 3, 16),
    "convolutional": partial(convolutional_vae, 3, 4, 16),
    "autoregressive": partial(AutoregressiveVAE, 3, 16, reach=2),
}


def greys(n=40):
    return torch.rand(n, 784, generator=seeded(1)) ** 4


def model_on(device, build="fully connected", images=None):
    torch.manual_seed(0)
    return BUILDERS[build](mean=(greys() if images is None else images).mean(0)).to(device)


def weights(model):
    return torch.cat([p.detach().cpu().flatten() for p in model.parameters()])


def trained(device, build, ledger=None, k=1, shift=0, **options):
    """Weights and scalars after three steps; with a ledger, what the last two of them did is counted."""
    images = greys().to(device)
    model, rng = model_on(device, build, images), seeded(2)
    step = vae_step(model, torch.optim.AdamW(model.parameters(), 1e-3, fused=True), **options)
    draw = draw_binary(images, 8, 3, k, shift)
    found = [step(draw(rng))]
    if ledger is not None:
        ledger.counts.clear()
    found += [step(draw(rng)) for _ in range(2)]
    counts = None if ledger is None else dict(ledger.counts)
    return weights(model), torch.stack([torch.stack(list(each.values())).detach() for each in found]).cpu(), counts


@pytest.mark.parametrize("build", BUILDERS)
@pytest.mark.parametrize(
    "options", [{"clip": 5.0}, {"k": 3, "shift": 1}, {"beta": 2.0, "warmup": 3}, {"bfloat16": True}]
)
def test_a_step_gives_the_same_there_by_one_copy_and_no_wait(build, options):
    with accelerator() as ledger:
        there = trained(DEVICE, build, ledger, **options)
    here = trained("cpu", build, **options)
    assert there[2].get("to the device", 0) <= 2  # of two steps
    assert there[2].get("from the device", 0) == there[2].get("waits", 0) == 0
    tolerance = {"rtol": 2e-2, "atol": 5e-2} if "bfloat16" in options else {"rtol": 1e-4, "atol": 1e-4}
    torch.testing.assert_close(there[0], here[0], **tolerance)
    torch.testing.assert_close(there[1], here[1], **tolerance)


def question(n=4):
    x = (torch.rand(n, 784, generator=seeded(3)) < 0.4).float()
    return x, torch.arange(784).expand(n, -1) < 400


def close(there, here):
    for a, b in zip(there, here, strict=True):
        torch.testing.assert_close(a.cpu(), b, rtol=1e-4, atol=1e-4)


def test_inpainting_is_the_same_there_by_one_copy_a_step():
    def both(device):
        model, (x, observed) = model_on(device), (t.to(device) for t in question())
        by_weights = importance_inpaint(model, x, observed, 7, seeded(4))
        before = Counter(ledger.counts)
        by_chain = gibbs_inpaint(model, x, observed, 12, seeded(5), burn_in=3)
        return [t.cpu() for t in (*by_weights, *by_chain)], Counter(ledger.counts) - before

    with accelerator() as ledger:
        there, counts = both(DEVICE)
        assert counts["to the device"] <= 15 + 2  # and two before the first step
        assert counts["waits"] == 1  # for whether the observed pixels are zeros and ones
    close(there, both("cpu")[0])


def test_denoising_is_the_same_there():
    def all_of(device):
        model, images = model_on(device), greys().to(device)
        y = images[:5] + 0.3 * torch.randn(5, 784, generator=seeded(6)).to(device)
        residual, wiener = residual_variance(model, images), fit_wiener(images)
        assert {t.device for t in (wiener.mean, wiener.variances, wiener.directions)} == {y.device}
        found = residual, vae_denoise(model, y, 0.3, residual, steps=5), wiener.denoise(y, 0.3)
        return [t.cpu() for t in found]

    with accelerator(float64=False):
        there = all_of(DEVICE)
    close(there, all_of("cpu"))


def test_likelihoods_and_bits_come_back_without_float64_there():
    x, _ = question()
    model, words = model_on("cpu"), np.random.default_rng(0).integers(2**32, size=60, dtype=np.uint32)
    here = log_likelihood(model, x, 5, seeded(7))
    mixture = fit_bernoulli_mixture(x, 2, 3, seeded(8))
    with accelerator(float64=False):
        model = model_on(DEVICE)
        there = log_likelihood(model, x.to(DEVICE), 5, seeded(7))
        assert (there.dtype, there.device.type) == (torch.float64, "cpu")
        torch.testing.assert_close(there, here, rtol=1e-5, atol=1e-3)
        images, rest = decompress(model, compress(model, x.to(DEVICE), words, lanes=3), 4)
        assert torch.equal(images, x)
        assert np.array_equal(rest, words)
        found = fit_bernoulli_mixture(x.to(DEVICE), 2, 3, seeded(8))
        close([bernoulli_mixture_log_likelihood(x.to(DEVICE), *found)], [bernoulli_mixture_log_likelihood(x, *mixture)])


def test_a_mean_that_is_there_does_not_hold_the_networks_back():
    with accelerator():
        mean = greys().to(DEVICE).mean(0)
        for build in BUILDERS.values():
            model = build(mean=mean)
            assert {t.device.type for t in model.state_dict().values()} == {"cpu"}
            x = greys(2)
            assert model.elbo(x, torch.zeros(2, 3))[0].device.type == "cpu"
            model.to(DEVICE).elbo(x.to(DEVICE), torch.zeros(2, 3).to(DEVICE))


def test_what_is_no_image_is_told_there_where_it_enters(unchecked):
    with accelerator():
        model, x = model_on(DEVICE), (2 * greys(3)).to(DEVICE)
        with pytest.raises(ValueError, match=r"images: expected pixels in \[0, 1\]"):
            draw_binary(x, 2, 3)
        with pytest.raises(ValueError, match=r"x: expected pixels in \[0, 1\]"):
            log_likelihood(model, x, 2, seeded())
        with pytest.raises(ValueError, match=r"expected images of shape \(batch, 784\), got \(3, 783\)"):
            model.encode(x[:, 1:])
