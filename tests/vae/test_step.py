"""Likelihoods, bounds and models against torch.distributions, quadrature, autograd and each other."""

import pytest
import torch

from course_lib.training.fit import fit
from course_lib.training.trained import Trained
from course_lib.vae.models import (
    fully_connected_vae,
)
from course_lib.vae.step import draw_binary, vae_step


def trainer(seed=0, **options):
    torch.manual_seed(seed)
    model = fully_connected_vae(latent_dim=3, hidden=16)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, fused=True)
    trained = Trained({"vae": model}, {"adamw": optimizer}, torch.Generator().manual_seed(seed))
    return model, trained, vae_step(model, optimizer, **options)


def test_a_step_raises_the_bound_and_clears_its_gradients():
    greys = torch.rand(60, 784, generator=torch.Generator().manual_seed(1)) ** 4
    for k, options in ((1, {}), (3, {}), (1, {"beta": 2.0}), (1, {"bfloat16": True})):
        model, trained, step = trainer(**options)
        history = fit(step, draw_binary(greys, 20, 3, k), 60, trained, every=10, progress=False)
        assert history.curve("loss").values[-1] < history.curve("loss").values[0] - 5
        assert all(p.grad is None for p in model.parameters())
        if k == 1:
            recon, kl, loss = (torch.tensor(history.curve(name).values) for name in ("recon", "kl", "loss"))
            torch.testing.assert_close(loss, options.get("beta", 1) * kl - recon, rtol=1e-4, atol=1e-3)


def test_a_batch_is_drawn_anew_with_the_greys_as_probabilities():
    greys = torch.linspace(0, 1, 784)[None]
    draw, generator = draw_binary(greys, 2000, 3), torch.Generator().manual_seed(0)
    first, second = draw(generator).x, draw(generator).x
    assert not torch.equal(first, second)
    assert first.unique().tolist() == [0.0, 1.0]
    assert (first.mean(0) - greys[0]).abs().max() < 5 * 0.5 / 2000**0.5


def test_warm_up_weighs_the_kl_and_goes_on_after_an_interruption(tmp_path):
    greys = torch.rand(60, 784, generator=torch.Generator().manual_seed(1)) ** 4
    draw = draw_binary(greys, 8, 3)
    _, trained, step = trainer(warmup=10)
    first = step(draw(trained.generator))
    assert first["loss"].item() == pytest.approx(-first["recon"].item(), rel=1e-6)  # step 0: no KL at all
    second = step(draw(trained.generator))
    assert second["loss"].item() == pytest.approx(0.1 * second["kl"].item() - second["recon"].item(), rel=1e-6)

    def weights(parts, name):
        model, trained, step = trainer(warmup=10)
        for until in parts:
            model, trained, step = trainer(warmup=10)
            fit(step, draw, 12, trained, until=until, every=3, checkpoint=tmp_path / name, progress=False)
        return torch.cat([p.detach().flatten() for p in model.parameters()])

    assert torch.equal(weights((12,), "whole"), weights((6, 12), "parts"))


def test_options_that_cannot_go_together_are_named():
    greys, generator = torch.rand(60, 784, generator=torch.Generator().manual_seed(1)), torch.Generator()
    with pytest.raises(ValueError, match="k: expected at least 1 draw of z an image, got 0"):
        draw_binary(greys, 8, 3, k=0)
    five = draw_binary(greys, 8, 3, k=5)(generator)
    with pytest.raises(ValueError, match=r"expected 1 and 0 with k = 5 draws, got 2\.0 and 0"):
        trainer(beta=2.0)[2](five)
    with pytest.raises(ValueError, match=r"got 1\.0 and 10"):
        trainer(warmup=10)[2](five)


def test_a_shifted_image_is_the_image_moved_with_zeros_behind_it():
    image = torch.zeros(28, 28)
    image[0, 5] = image[13, 27] = 1.0  # at two borders
    draw, generator = draw_binary(image.view(1, 784), 600, 0, shift=1), torch.Generator().manual_seed(0)
    seen = {tuple(x.view(28, 28).nonzero().flatten().tolist()) for x in draw(generator).x}
    expected = set()
    for down in (-1, 0, 1):
        for right in (-1, 0, 1):
            spots = [(r + down, c + right) for r, c in ((0, 5), (13, 27))]
            inside = [spot for spot in spots if 0 <= spot[0] < 28 and 0 <= spot[1] < 28]
            expected.add(tuple(n for spot in inside for n in spot))
    assert seen == expected


def test_gradients_are_clipped_together_and_their_norm_before_is_told():
    greys = torch.rand(60, 784, generator=torch.Generator().manual_seed(1)) ** 4
    torch.manual_seed(0)
    model = fully_connected_vae(latent_dim=3, hidden=16)
    before = [p.detach().clone() for p in model.parameters()]
    generator = torch.Generator().manual_seed(0)
    step = vae_step(model, torch.optim.SGD(model.parameters(), lr=1.0), clip=0.5)
    told = step(draw_binary(greys, 8, 3)(generator))
    moved = sum(((p - q) ** 2).sum() for p, q in zip(model.parameters(), before, strict=True)).sqrt()
    assert told["norm"] > 1
    assert moved.item() == pytest.approx(0.5, rel=1e-4)


def test_a_batch_keeps_each_images_class(unchecked):
    greys = torch.zeros(10, 784)
    greys[torch.arange(10), torch.arange(10)] = 1  # the class can be read off
    batch = draw_binary(greys, 50, latent_dim=2, labels=torch.arange(10))(torch.Generator().manual_seed(0))
    assert torch.equal(batch.labels, batch.x.argmax(1))
    with pytest.raises(ValueError, match="labels: expected one for each of 10 images, got 9"):
        draw_binary(greys, 50, latent_dim=2, labels=torch.arange(9))


def test_a_vae_with_classes_learns_what_the_class_tells():
    torch.manual_seed(0)
    greys = torch.zeros(2, 784)
    greys[0, :392], greys[1, 392:] = 1, 1
    model = fully_connected_vae(latent_dim=2, hidden=20, mean=greys.mean(0), n_classes=2)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    step, draw = vae_step(model, optimizer), draw_binary(greys, 32, 2, labels=torch.arange(2))
    generator = torch.Generator().manual_seed(0)
    for _ in range(60):
        step(draw(generator))
    with torch.no_grad():
        means = model.means(torch.zeros(2, 2), torch.arange(2))
    assert (means.round() == greys).all()
