"""DCGAN and its training step: shapes, whose parameters move in whose turn, checkpoints, moving average."""

import pytest
import torch
from gan_parts import images, parts
from torch import nn

from course_lib.gan.dcgan import Discriminator, Generator, sample, to_images
from course_lib.gan.step import draw_turns


def test_bytes_become_the_range_of_tanh():
    pixels = torch.tensor([0, 255, 51], dtype=torch.uint8)[:, None, None].expand(3, 28, 28)
    assert to_images(pixels).shape == (3, 1, 28, 28)
    torch.testing.assert_close(to_images(pixels)[:, 0, 0, 0], torch.tensor([-1.0, 1.0, -0.6]))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.int64])
def test_what_are_no_bytes_is_refused(unchecked, dtype):
    with pytest.raises(TypeError, match=f"pixels: expected bytes, torch.uint8 from 0 to 255, got {dtype}"):
        to_images(torch.ones(2, 28, 28, dtype=dtype))


@pytest.mark.parametrize("n_classes", [0, 3])
def test_networks_have_their_shapes_and_refuse_others(n_classes, unchecked):
    trained, _ = parts(n_classes=n_classes)
    g, d = trained.modules["g"], trained.modules["d"]
    labels = (torch.tensor([0, 2]),) if n_classes else ()
    fake = g(torch.randn(2, 5), *labels)
    assert fake.shape == (2, 1, 28, 28)
    assert fake.abs().max() <= 1
    assert d(fake, *labels).shape == (2,)
    with pytest.raises(ValueError, match=r"expected images of shape \(batch, 1, 28, 28\), got \(2, 1, 27, 28\)"):
        d(torch.zeros(2, 1, 27, 28), *labels)
    other = () if n_classes else (torch.tensor([0, 1]),)
    for call in (lambda: g(torch.randn(2, 5), *other), lambda: d(fake, *other)):
        with pytest.raises(ValueError, match="labels: expected"):
            call()


def test_the_class_matters_to_both():
    trained, _ = parts(n_classes=3)
    g, d = trained.modules["g"].eval(), trained.modules["d"].eval()
    z, x = torch.randn(1, 5), images(1)[0]
    for label in (1, 2):
        assert not torch.equal(g(z, torch.tensor([0])), g(z, torch.tensor([label])))
        assert d(x, torch.tensor([0])) != d(x, torch.tensor([label]))


def test_two_classes_differ_by_their_vectors_on_the_features():
    """D(x, y) − D(x, y') = (e_y − e_y') · h(x)."""
    trained, _ = parts(n_classes=3)
    d, x = trained.modules["d"].eval().double(), images(4)[0].double()
    nn.init.normal_(d.embedding.weight)
    one, other = torch.tensor([0, 1, 2, 0]), torch.tensor([1, 2, 0, 2])
    h = d.body(x).permute(0, 2, 3, 1).flatten(1)
    expected = ((d.embedding(one) - d.embedding(other)) * h).sum(1)
    torch.testing.assert_close(d(x, one) - d(x, other), expected)


def test_samples_depend_on_their_own_noise_and_leave_the_mode():
    trained, step = parts()
    step(draw_turns(images()[0], None, 6, 5)(trained.generator))
    g, z = trained.modules["g"], torch.randn(7, 5)
    whole = sample(g, z)
    assert g.training
    torch.testing.assert_close(sample(g, z[2:4]), whole[2:4])
    torch.testing.assert_close(sample(g, z, at_once=3), whole)


@pytest.mark.parametrize("n_classes", [0, 3])
def test_no_noise_makes_no_images(n_classes):
    trained, _ = parts(n_classes=n_classes)
    labels = torch.zeros(0, dtype=torch.long) if n_classes else None
    assert sample(trained.modules["g"], torch.zeros(0, 5), labels).shape == (0, 1, 28, 28)


def reach(d):
    """Return the rows of pixels that one place of the discriminator's last grid depends on."""
    x = torch.randn(1, 1, 28, 28, requires_grad=True)
    grid = d.body.eval()(x)
    (gradient,) = torch.autograd.grad(grid[0, :, grid.shape[2] // 2, grid.shape[3] // 2].sum(), x)
    return int(gradient[0, 0].any(1).sum())


def test_a_place_sees_ten_rows_of_pixels_or_eighteen():
    assert reach(Discriminator(3)) == 10
    assert reach(Discriminator(3, depth=3)) == 18
    with pytest.raises(ValueError, match="depth: expected 2 or 3 strided convolutions, got 4"):
        Discriminator(3, depth=4)


@pytest.mark.parametrize(("depth", "first", "adds"), [(2, 15, True), (3, 15, False), (3, 19, True)])
def test_without_a_hidden_layer_the_logit_adds_up_what_no_place_sees_together(depth, first, adds):
    """Rows to 8 and rows from 15 on: no window of 10 has both, that of rows 1 to 18 has; from 19 on none."""
    torch.manual_seed(0)
    d, x = Discriminator(3, depth=depth).eval(), torch.zeros(4, 1, 28, 28)
    x[1, :, :9], x[2, :, first:] = 1, -1
    x[3] = x[1] + x[2]
    none, one, other, both = d(x).tolist()
    assert (abs((both - none) - (one - none) - (other - none)) < 1e-6) == adds


@pytest.mark.parametrize("n_classes", [0, 3])
def test_a_hidden_layer_does_not_add_up(n_classes):
    torch.manual_seed(0)
    d, x = Discriminator(3, n_classes, hidden=7).eval(), torch.zeros(4, 1, 28, 28)
    x[1, :, :8, :8], x[2, :, 18:, 18:] = 1, -1
    x[3] = x[1] + x[2]
    labels = (torch.zeros(4, dtype=torch.long),) if n_classes else ()
    none, one, other, both = d(x, *labels).tolist()
    assert abs((both - none) - (one - none) - (other - none)) > 1e-6


def test_small_images_go_through_networks_of_as_many_doublings_less_one():
    torch.manual_seed(0)
    generator, discriminator = Generator(3, channels=2, side=14), Discriminator(channels=2, depth=3, hidden=5, side=14)
    images = generator(torch.randn(4, 3))
    assert images.shape == (4, 1, 14, 14)
    assert discriminator(images).shape == (4,)
    with pytest.raises(ValueError, match=r"x: expected images of shape \(batch, 1, 14, 14\), got \(4, 1, 28, 28\)"):
        discriminator(torch.zeros(4, 1, 28, 28))
    for network in (Generator, Discriminator):
        with pytest.raises(ValueError, match="side: expected 14 or 28 pixels, got 20"):
            network(side=20)
