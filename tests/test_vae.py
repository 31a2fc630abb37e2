"""Likelihoods, bounds and models against torch.distributions, quadrature, autograd and each other."""

import math

import pytest
import torch
from torch.distributions import Bernoulli, Categorical, Independent, Normal, kl_divergence

from course_lib.divergences import kl_to_standard_normal
from course_lib.training import Trained, fit
from course_lib.vae import (
    VAE,
    bernoulli_log_likelihood,
    categorical_log_likelihood,
    check_images,
    convolutional_vae,
    discretized_logistic_log_likelihood,
    draw_binary,
    elbo,
    fully_connected_vae,
    gaussian_log_likelihood,
    importance_weighted_bound,
    kl_warmup,
    log_likelihood,
    log_standard_normal,
    reparameterize,
    transposed_size,
    vae_step,
)

f64 = torch.float64


def numbers(*shape, seed):
    return torch.randn(*shape, dtype=f64, generator=torch.Generator().manual_seed(seed)) + 0.3


def bits(*shape, seed):
    return (numbers(*shape, seed=seed) > 0.2).to(f64)


def agree(ours, theirs):
    torch.testing.assert_close(ours, theirs, rtol=1e-10, atol=1e-12)


def test_likelihoods_are_those_of_torch():
    x, logits = bits(2, 3, 7, seed=1), numbers(2, 3, 7, seed=2) * 4
    agree(bernoulli_log_likelihood(x, logits), Independent(Bernoulli(logits=logits), 1).log_prob(x))
    mu, logvar = numbers(2, 3, 7, seed=3), numbers(2, 3, 7, seed=4)
    agree(gaussian_log_likelihood(x, mu, logvar), Independent(Normal(mu, logvar.div(2).exp()), 1).log_prob(x))
    levels = torch.randint(5, (3, 7), generator=torch.Generator().manual_seed(5))
    logits = numbers(2, 3, 7, 5, seed=6)
    agree(categorical_log_likelihood(levels, logits), Independent(Categorical(logits=logits), 1).log_prob(levels))


def test_the_discretised_logistic_is_a_difference_of_logistic_distribution_functions_and_sums_to_one():
    levels = torch.arange(256)
    for mu, log_scale in ((-20.0, 1.0), (0.2, 0.0), (127.4, 3.0), (254.9, -1.0), (300.0, 2.0)):
        mean, width = torch.tensor([mu], dtype=f64), torch.tensor([log_scale], dtype=f64)
        log_p = discretized_logistic_log_likelihood(levels[:, None], mean, width)
        assert log_p.exp().sum().item() == pytest.approx(1, rel=1e-12)
        cdf = lambda at, m=mean, w=width: ((at - m) / w.exp()).sigmoid()
        upper = torch.where(levels == 255, 1.0, cdf(levels + 0.5))
        lower = torch.where(levels == 0, 0.0, cdf(levels - 0.5))
        seen = upper - lower > 1e-6  # further out the difference has no digits left
        torch.testing.assert_close(log_p[seen].exp(), (upper - lower)[seen], rtol=1e-9, atol=0)
    far = discretized_logistic_log_likelihood(
        torch.tensor([[200]]), torch.tensor([[10.0]], dtype=f64), torch.zeros(1, 1, dtype=f64)
    )
    assert far.item() == pytest.approx(-189.5 + math.log(-math.expm1(-1)), rel=1e-12)  # the tail, to its last digit


def test_kl_is_that_of_torch_and_of_monte_carlo_and_zero_at_the_prior():
    mu, logvar = numbers(3, 5, seed=1), numbers(3, 5, seed=2)
    q = Independent(Normal(mu, logvar.div(2).exp()), 1)
    p = Independent(Normal(torch.zeros_like(mu), torch.ones_like(mu)), 1)
    agree(kl_to_standard_normal(mu, logvar), kl_divergence(q, p))
    assert torch.equal(kl_to_standard_normal(torch.zeros(2, 3), torch.zeros(2, 3)), torch.zeros(2))
    eps = numbers(100_000, 3, 5, seed=3) - 0.3
    z = reparameterize(mu, logvar, eps)
    draws = q.log_prob(z) - p.log_prob(z)
    error = draws.std(0) / math.sqrt(len(draws))
    assert ((draws.mean(0) - kl_to_standard_normal(mu, logvar)).abs() < 5 * error).all()
    agree(log_standard_normal(z), p.log_prob(z))


def test_gradients_are_right_and_reach_mean_and_log_variance():
    mu, logvar, eps = (numbers(2, 3, seed=i).requires_grad_() for i in (1, 2, 3))
    assert torch.autograd.gradcheck(kl_to_standard_normal, (mu, logvar))
    assert torch.autograd.gradcheck(reparameterize, (mu, logvar, eps))
    x, logits = bits(2, 4, seed=4), numbers(2, 4, seed=5).requires_grad_()
    assert torch.autograd.gradcheck(lambda at, m, v: elbo(x, at, m, v)[0], (logits, mu, logvar))
    assert torch.autograd.gradcheck(importance_weighted_bound, (numbers(5, 2, seed=6).requires_grad_(),))
    levels = torch.tensor([[0, 3, 255, 128]])
    width = numbers(1, 4, seed=7).requires_grad_()
    mean = (numbers(1, 4, seed=8) * 50 + 100).requires_grad_()
    assert torch.autograd.gradcheck(lambda m, w: discretized_logistic_log_likelihood(levels, m, w + 2), (mean, width))


def test_bounds_against_quadrature():
    """One latent, three pixels: ln p(x) is a sum on a grid; the ELBO lies below it by KL(q‖posterior)."""
    w, b = torch.tensor([2.0, -1.5, 1.0], dtype=f64), torch.tensor([0.3, 0.2, -0.5], dtype=f64)
    z = torch.linspace(-9, 9, 4001, dtype=f64)[:, None]
    dz = z[1, 0] - z[0, 0]
    x = torch.tensor([[1.0, 0.0, 1.0]], dtype=f64)
    joint = bernoulli_log_likelihood(x, z * w + b) + log_standard_normal(z)
    log_p = (joint.exp().sum() * dz).log()
    mu, logvar = torch.tensor([[0.4]], dtype=f64), torch.tensor([[-0.7]], dtype=f64)
    log_q = Normal(mu, logvar.div(2).exp()).log_prob(z)[:, 0]
    gap = (log_q.exp() * (log_q - (joint - log_p))).sum() * dz
    eps = torch.randn(200_000, 1, dtype=f64, generator=torch.Generator().manual_seed(0))
    at = reparameterize(mu, logvar, eps)
    value, recon, kl = elbo(x.expand(len(at), 3), at * w + b, *(t.expand(len(at), 1) for t in (mu, logvar)))
    agree(value, recon - kl)
    error = value.std() / len(value) ** 0.5
    assert abs(value.mean() + gap - log_p) < 5 * error
    log_w = (bernoulli_log_likelihood(x, at * w + b) + log_standard_normal(at)).view(100, -1)
    log_w = log_w - Normal(mu, logvar.div(2).exp()).log_prob(at).view(100, -1)
    bound = importance_weighted_bound(log_w)
    assert abs(bound.mean() - log_p) < 5 * bound.std() / len(bound) ** 0.5 + 1e-2
    agree(importance_weighted_bound(log_w[:1]), log_w[0])


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


def test_each_image_depends_on_itself_alone():
    torch.manual_seed(0)
    model = convolutional_vae(latent_dim=3, hidden=11).double()
    x, eps = bits(4, 784, seed=1), numbers(4, 3, seed=2)
    whole, part = model.elbo(x, eps)[0], model.elbo(x[2:3], eps[2:3])[0]
    agree(whole[2:3], part)


def test_extreme_log_variances_stay_finite():
    torch.manual_seed(0)
    model = convolutional_vae(latent_dim=2)
    x = bits(2, 784, seed=1).float()
    for logvar in (-30.0, 30.0):
        mu = torch.full((2, 2), 1.5, requires_grad=True)
        width = torch.full((2, 2), logvar, requires_grad=True)
        value, _, _ = elbo(x, model.decode(reparameterize(mu, width, torch.full((2, 2), 0.7))), mu, width)
        value.sum().backward()
        assert value.isfinite().all()
        assert mu.grad.isfinite().all()
        assert width.grad.isfinite().all()
        assert gaussian_log_likelihood(x, torch.zeros(784), torch.full((784,), logvar)).isfinite().all()


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


def test_warm_up():
    assert [kl_warmup(step, 4) for step in (0, 1, 2, 4, 9)] == [0.0, 0.25, 0.5, 1.0, 1.0]
    assert kl_warmup(0, 0) == 1.0
    for arguments in ((-1, 4), (1, -4)):
        with pytest.raises(ValueError, match="below 0"):
            kl_warmup(*arguments)


def test_the_log_likelihood_grows_with_k_and_takes_its_noise_from_the_generator():
    torch.manual_seed(0)
    model = fully_connected_vae(latent_dim=4, hidden=20)
    x = bits(50, 784, seed=1).float()
    value = lambda k, at_once: log_likelihood(model, x, k, torch.Generator().manual_seed(3), at_once)
    assert torch.equal(value(5, 1000), value(5, 1000))
    assert value(50, 700).mean() > value(1, 700).mean()
    assert value(5, 35).shape == (50,)


def trainer(seed=0, **options):
    torch.manual_seed(seed)
    model = fully_connected_vae(latent_dim=3, hidden=16)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, fused=True)
    trained = Trained({"vae": model}, {"adamw": optimizer}, torch.Generator().manual_seed(seed))
    return model, trained, vae_step(model, optimizer, trained.generator, **options)


def test_a_step_raises_the_bound_and_clears_its_gradients():
    greys = torch.rand(60, 784, generator=torch.Generator().manual_seed(1)) ** 4
    for options in ({}, {"k": 3}, {"beta": 2.0}, {"bfloat16": True}):
        model, trained, step = trainer(**options)
        history = fit(step, draw_binary(greys, 20), 60, trained, every=10, progress=False)
        assert history.values["loss"][-1] < history.values["loss"][0] - 5
        assert all(p.grad is None for p in model.parameters())
        if options.get("k", 1) == 1:
            recon, kl, loss = (torch.tensor(history.values[name]) for name in ("recon", "kl", "loss"))
            torch.testing.assert_close(loss, options.get("beta", 1) * kl - recon, rtol=1e-4, atol=1e-3)


def test_a_batch_is_drawn_anew_with_the_greys_as_probabilities():
    greys = torch.linspace(0, 1, 784)[None]
    draw, generator = draw_binary(greys, 2000), torch.Generator().manual_seed(0)
    first, second = draw(generator), draw(generator)
    assert not torch.equal(first, second)
    assert first.unique().tolist() == [0.0, 1.0]
    assert (first.mean(0) - greys[0]).abs().max() < 5 * 0.5 / 2000**0.5


def test_warm_up_weighs_the_kl_and_goes_on_after_an_interruption(tmp_path):
    greys = torch.rand(60, 784, generator=torch.Generator().manual_seed(1)) ** 4
    draw = draw_binary(greys, 8)
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
    with pytest.raises(ValueError, match="k: expected at least 1, got 0"):
        trainer(k=0)
    with pytest.raises(ValueError, match=r"expected 1 and 0 with k = 5 draws, got 2\.0 and 0"):
        trainer(k=5, beta=2.0)
    with pytest.raises(ValueError, match=r"got 1\.0 and 10"):
        trainer(k=5, warmup=10)


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


def test_a_shifted_image_is_the_image_moved_with_zeros_behind_it():
    image = torch.zeros(28, 28)
    image[0, 5] = image[13, 27] = 1.0  # at two borders
    draw, generator = draw_binary(image.view(1, 784), 600, shift=1), torch.Generator().manual_seed(0)
    seen = {tuple(x.view(28, 28).nonzero().flatten().tolist()) for x in draw(generator)}
    expected = set()
    for down in (-1, 0, 1):
        for right in (-1, 0, 1):
            spots = [(r + down, c + right) for r, c in ((0, 5), (13, 27))]
            inside = [spot for spot in spots if 0 <= spot[0] < 28 and 0 <= spot[1] < 28]
            expected.add(tuple(n for spot in inside for n in spot))
    assert seen == expected


def test_the_size_of_a_transposed_convolution_is_the_layers():
    for size, kernel, stride, padding in ((7, 3, 1, 0), (7, 4, 2, 1), (5, 3, 3, 0), (1, 5, 2, 2), (6, 2, 2, 0)):
        layer = torch.nn.ConvTranspose2d(1, 1, kernel, stride=stride, padding=padding)
        made = layer(torch.zeros(1, 1, size, size)).shape[-1]
        assert transposed_size(size, kernel, stride, padding) == made
    assert transposed_size(9, 3) == 11
    for wrong in ((0, 3, 1, 0), (3, 3, 0, 0), (3, 0, 1, 0), (3, 3, 1, -1), (1, 2, 1, 1)):
        with pytest.raises(ValueError, match=f"got size {wrong[0]}, kernel {wrong[1]}"):
            transposed_size(*wrong)


def test_gradients_are_clipped_together_and_their_norm_before_is_told():
    greys = torch.rand(60, 784, generator=torch.Generator().manual_seed(1)) ** 4
    torch.manual_seed(0)
    model = fully_connected_vae(latent_dim=3, hidden=16)
    before = [p.detach().clone() for p in model.parameters()]
    generator = torch.Generator().manual_seed(0)
    step = vae_step(model, torch.optim.SGD(model.parameters(), lr=1.0), generator, clip=0.5)
    told = step(draw_binary(greys, 8)(generator))
    moved = sum(((p - q) ** 2).sum() for p, q in zip(model.parameters(), before, strict=True)).sqrt()
    assert told["norm"] > 1
    assert moved.item() == pytest.approx(0.5, rel=1e-4)
