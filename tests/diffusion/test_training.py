"""The U-Net, its batches and step, and guidance."""

import pytest
import torch

from course_lib.attention.positions import sinusoidal
from course_lib.diffusion.guidance import guided_velocity, network_velocity, sample
from course_lib.diffusion.paths import COSINE, STRAIGHT, noised_pair
from course_lib.diffusion.samplers import euler, even_times, heun_euler_last
from course_lib.diffusion.step import (
    Pairs,
    draw_captioned,
    draw_pairs,
    flow_step,
    logit_normal_times,
    uniform_times,
)
from course_lib.diffusion.text_unet import TextUNet
from course_lib.diffusion.unet import TimeEmbedding, UNet
from course_lib.training.fit import fit
from course_lib.training.moving_average import moving_average
from course_lib.training.trained import Trained


def small(**options):
    torch.manual_seed(0)
    net = UNet(channels=8, **options)
    for parameter in net.parameters():  # what starts at zero hides what is behind it
        torch.nn.init.normal_(parameter, std=0.1)
    return net


def images(n=20, seed=0):
    return torch.rand(n, 1, 28, 28, generator=torch.Generator().manual_seed(seed)) * 2 - 1


@pytest.mark.parametrize(
    ("options", "shape"),
    [
        ({}, (3, 1, 28, 28)),
        ({"image_channels": 3}, (1, 3, 32, 32)),
        ({"image_channels": 4, "fold": 1}, (2, 4, 7, 7)),
        ({"depth": 2, "fold": 4}, (2, 1, 28, 28)),
    ],
)
def test_what_comes_out_has_the_shape_of_what_goes_in(options, shape):
    x = torch.randn(shape)
    assert small(**options)(x, torch.rand(len(x))).shape == shape
    assert (UNet(channels=8, **options)(x, torch.rand(len(x))) == 0).all()  # untrained


def test_a_prediction_depends_on_pixels_near_and_far_on_the_time_and_on_the_class():
    net, x, t, y = small(n_classes=10), images(2), torch.tensor([0.2, 0.7]), torch.tensor([3, 10])
    base = net(x, t, y)
    assert not torch.allclose(base, net(x, t + 0.05, y))
    assert not torch.allclose(base, net(x, t, y - 1))
    other = x.clone()
    other[0, 0, 0, 0] += 1
    changed = net(other, t, y) - base
    assert changed[0, 0, 20:, 20:].abs().max() > 0
    assert (changed[1] == 0).all()


def test_each_example_meets_its_own_time_and_class():
    net, x, t, y = small(n_classes=10), images(5), torch.rand(5), torch.arange(5)
    alone = torch.cat([net(x[i : i + 1], t[i : i + 1], y[i : i + 1]) for i in range(5)])
    torch.testing.assert_close(net(x, t, y), alone, rtol=1e-4, atol=1e-5)


def test_the_size_of_the_chapters_network():
    assert sum(p.numel() for p in UNet().parameters()) == 310_564


def test_times_between_0_and_1_are_told_apart_only_where_they_are_stretched():
    """Fed as they are to what was made for positions 0, 1, 2, …, all but the first few features stand still."""
    t = torch.linspace(0, 1, 50)
    assert TimeEmbedding(8).scale == 1000
    moving = [int((sinusoidal(scale * t, 64).std(0) > 0.1).sum()) for scale in (1.0, 1000.0)]
    assert moving[0] < 15
    assert moving[1] > 45


def test_what_the_network_cannot_take_is_named(unchecked):
    x, t = images(2), torch.rand(2)
    with pytest.raises(ValueError, match=r"x_t: expected \(batch, channels, height, width\), sides that 2 divides"):
        small()(x[..., :27, :27], t)
    with pytest.raises(ValueError, match=r"t: expected a time for each of 2 images, got \(1,\)"):
        small()(x, t[:1])
    with pytest.raises(ValueError, match="labels: expected none for a model without classes"):
        small()(x, t, torch.tensor([1, 2]))
    with pytest.raises(ValueError, match=r"labels: expected one of 0 … 10 an image, got none"):
        small(n_classes=10)(x, t)


def test_times_are_drawn_as_said():
    g = torch.Generator().manual_seed(0)
    t, even = logit_normal_times(50_000, g), uniform_times(50_000, g)
    noisy = logit_normal_times(50_000, g, mean=-0.5)
    for low, high in ((0.1, 0.3), (0.4, 0.6)):
        for times, mean in ((t, 0.0), (noisy, -0.5)):
            normal = torch.distributions.Normal(mean, 1)
            share = normal.cdf(torch.logit(torch.tensor(high))) - normal.cdf(torch.logit(torch.tensor(low)))
            assert (
                abs(((times > low) & (times < high)).double().mean() - share) < 5 * (share * (1 - share) / 5e4) ** 0.5
            )
        assert abs(((even > low) & (even < high)).double().mean() - (high - low)) < 0.012


def test_a_batch_has_images_their_labels_and_a_share_of_any(unchecked):
    x, labels = images(), torch.arange(20) % 10
    pairs = draw_pairs(x, 2000, labels, unasked=0.25)(torch.Generator().manual_seed(0))
    which = (pairs.x[:, None] == x[None]).flatten(2).all(2).float().argmax(1)
    assert torch.equal(pairs.x, x[which])
    asked = pairs.labels != 10
    assert torch.equal(pairs.labels[asked], labels[which][asked])
    assert abs((~asked).double().mean() - 0.25) < 0.05
    assert draw_pairs(x, 5)(torch.Generator()).labels is None
    with pytest.raises(ValueError, match="labels: expected one for each of 20 images, got 19"):
        draw_pairs(x, 5, labels[:19])
    with pytest.raises(ValueError, match=r"unasked: expected a share from 0 to 1, got 1\.5"):
        draw_pairs(x, 5, labels, unasked=1.5)


def test_a_batch_of_captioned_images_has_their_words_and_a_share_of_silence(unchecked):
    x = torch.arange(20, dtype=torch.uint8)[:, None, None, None].expand(20, 3, 4, 4)
    tokens = torch.arange(1, 101).reshape(20, 5)
    pairs = draw_captioned(x, tokens, 2000, unasked=0.25)(torch.Generator().manual_seed(0))
    which = ((pairs.x[:, 0, 0, 0] + 1) * 127.5).round().long()
    torch.testing.assert_close(pairs.x, x[which].float() / 127.5 - 1)
    asked = (pairs.labels > 0).any(1)
    assert torch.equal(pairs.labels[asked], tokens[which][asked])
    assert abs((~asked).double().mean() - 0.25) < 0.05
    assert set(which.tolist()) == set(range(20))
    with pytest.raises(ValueError, match="tokens: expected one for each of 20 images, got 19"):
        draw_captioned(x, tokens[:19], 5)
    with pytest.raises(ValueError, match=r"unasked: expected a share from 0 to 1, got 1\.5"):
        draw_captioned(x, tokens, 5, unasked=1.5)


@pytest.mark.parametrize("path", [STRAIGHT, COSINE], ids=lambda p: p.name)
def test_the_step_is_gradient_descent_on_the_square(path):
    """Beside the loss written out: one example after the other, plain SGD."""
    pairs = draw_pairs(images(), 4)(torch.Generator().manual_seed(0))
    net, same = small(), small()
    weight = lambda t: 1 + t
    loss = flow_step(net, torch.optim.SGD(net.parameters(), 0.1), path, weight=weight)(pairs)["loss"]
    total = torch.zeros(())
    for x, eps, t in zip(pairs.x, pairs.eps, pairs.t, strict=True):
        c = path.at(t)
        v = same((c.alpha * x + c.sigma * eps)[None], t[None])[0]
        total = total + (1 + t) * (v - c.d_alpha * x - c.d_sigma * eps).square().mean() / 4
    torch.testing.assert_close(loss, total, rtol=1e-5, atol=1e-6)
    total.backward()
    for own, other in zip(net.parameters(), same.parameters(), strict=True):
        torch.testing.assert_close(own, other - 0.1 * other.grad, rtol=1e-4, atol=1e-6)


def test_training_predicts_better_than_nothing_and_the_average_follows():
    x = torch.full((8, 1, 28, 28), -1.0)
    x[:, :, 8:20, 12:16] = 1.0  # a bar
    net = UNet(channels=8)
    average = moving_average(net, 0.9)
    optimizer = torch.optim.AdamW(net.parameters(), 2e-3)
    trained = Trained({"net": net, "average": average}, {"net": optimizer}, torch.Generator().manual_seed(0))
    history = fit(flow_step(net, optimizer, average=average), draw_pairs(x, 16), 100, trained, every=25, progress=False)
    values = history.curve("loss").values
    assert values[-1] < 0.8 * values[0]
    with torch.no_grad():
        made = euler(network_velocity(average), torch.randn(4, 1, 28, 28), even_times(10))
    assert (made - x[:4]).abs().mean() < 0.8  # noise alone: 1.3


def test_guidance_goes_beyond_the_class_on_the_line_through_any():
    net, x, t = small(n_classes=10), images(3), torch.rand(3)
    labels, anything = torch.tensor([1, 5, 9]), torch.tensor([10, 10, 10])
    of_any, asked = net(x, t, anything), net(x, t, labels)
    for weight in (0.0, 1.0, 2.5):
        told = guided_velocity(net, labels, weight)(x, t)
        torch.testing.assert_close(told, of_any + weight * (asked - of_any), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("wrap", [lambda net: net, moving_average])
def test_guidance_goes_beyond_a_caption_on_the_line_through_silence(wrap):
    torch.manual_seed(0)
    net, x, t = TextUNet(12, 5, channels=8, side=16), torch.randn(2, 3, 16, 16), torch.rand(2)
    for parameter in net.parameters():
        torch.nn.init.normal_(parameter, std=0.2)
    tokens = torch.tensor([[3, 4, 0, 0, 0], [5, 6, 7, 8, 9]])
    silent, asked = net(x, t, torch.zeros_like(tokens)), net(x, t, tokens)
    assert not torch.allclose(silent, asked, atol=1e-3)
    told = guided_velocity(wrap(net), tokens, 2.5)(x, t)
    torch.testing.assert_close(told, silent + 2.5 * (asked - silent), rtol=1e-3, atol=1e-4)


def test_in_bfloat16_velocities_come_back_in_float32():
    net, x, t = small(n_classes=10), images(3), torch.rand(3)
    for weight in (1.0, 2.0):
        assert guided_velocity(net, torch.tensor([1, 2, 3]), weight, bfloat16=True)(x, t).dtype == torch.float32
    assert network_velocity(small(), bfloat16=True)(x, t).dtype == torch.float32


def test_noise_and_image_make_the_pair():
    x, eps, t = images(3), torch.randn(3, 1, 28, 28), torch.rand(3)
    assert Pairs(x, eps, t).labels is None
    assert torch.equal(noised_pair(x, eps, t, STRAIGHT)[1], x - eps)


def test_samples_do_not_depend_on_how_many_are_made_together_and_the_model_stays_in_its_mode():
    net, z, labels = small(n_classes=10), torch.randn(5, 1, 28, 28), torch.arange(5)
    together, apart = (sample(net.train(), z, labels, 2.0, steps=2, at_once=n) for n in (5, 2))
    torch.testing.assert_close(together, apart, rtol=1e-3, atol=1e-4)
    assert net.training
    assert sample(small(), z[:0]).shape == (0, 1, 28, 28)
    with torch.no_grad():
        by_hand = heun_euler_last(guided_velocity(net, labels, 2.0), z, even_times(2))
    torch.testing.assert_close(together, by_hand, rtol=1e-3, atol=1e-4)


def test_a_model_without_classes_cannot_be_asked(unchecked):
    with pytest.raises(ValueError, match="model: expected one with classes or captions, got one that cannot be asked"):
        guided_velocity(small(), torch.arange(3))
