"""From a sentence's vector to a picture's, and from there to pixels: what is told, and what a mean of vectors is."""

import pytest
import torch
from torch.nn import functional as F

from course_lib.diffusion.guidance import sample
from course_lib.diffusion.step import flow_step
from course_lib.diffusion.unclip import (
    Decoder,
    Prior,
    draw_told,
    drawn_vectors,
    mean_step,
    mean_vectors,
    spread_of,
)
from course_lib.training.fit import fit
from course_lib.training.trained import Trained


def rng(seed=0):
    return torch.Generator().manual_seed(seed)


def stirred(net):
    """What starts at zero hides what is behind it."""
    torch.manual_seed(0)
    for name, parameter in net.named_parameters():
        if "norm" not in name:
            torch.nn.init.normal_(parameter, std=0.2)
    return net


def test_the_decoder_is_told_each_pictures_own_vector():
    net = stirred(Decoder(width=6, channels=8, side=16))
    x, t, vectors = torch.randn(3, 3, 16, 16, generator=rng()), torch.rand(3, generator=rng(1)), torch.eye(6)[:3]
    together = net(x, t, vectors)
    assert together.shape == x.shape
    alone = torch.cat([net(x[i : i + 1], t[i : i + 1], vectors[i : i + 1]) for i in range(3)])
    torch.testing.assert_close(together, alone, rtol=1e-4, atol=1e-5)
    assert not torch.allclose(net(x, t, vectors.roll(1, 0)), together, atol=1e-3)
    assert not torch.allclose(net(x, t, 0 * vectors), together, atol=1e-3)


def test_guidance_of_both_flows_asks_nothing_by_the_vector_0():
    decoder, prior = stirred(Decoder(width=6, channels=8, side=16)), stirred(Prior(6, 8))
    told = torch.eye(6)[:2]
    for net, noise in (
        (decoder, torch.randn(2, 3, 16, 16, generator=rng())),
        (prior, torch.randn(2, 6, generator=rng())),
    ):
        by_weight = {w: sample(net, noise, told, w, steps=2) for w in (0.0, 1.0, 2.0)}
        torch.testing.assert_close(by_weight[0.0], sample(net, noise, 0 * told, 1.0, steps=2))
        assert not torch.allclose(by_weight[2.0], by_weight[1.0], atol=1e-3)


def test_spread_makes_numbers_as_wide_as_noise_and_back():
    vectors = torch.randn(500, 4, generator=rng()) * torch.tensor([0.1, 1, 2, 3]) + 5
    spread = spread_of(vectors)
    units = spread.to_unit(vectors)
    torch.testing.assert_close(units.mean(0), torch.zeros(4), atol=1e-4, rtol=0)
    torch.testing.assert_close(units.std(0), torch.ones(4))
    torch.testing.assert_close(spread.back(units), vectors)
    with pytest.raises(ValueError, match="vectors: expected numbers that change, got a standard deviation of 0"):
        spread_of(torch.ones(3, 2))


def test_what_is_drawn_belongs_together_and_a_share_is_silent():
    images = torch.arange(20).view(20, 1, 1, 1).expand(20, 3, 4, 4).byte().contiguous()
    vectors = F.one_hot(torch.arange(20), 20).float()
    x, eps, t, told = draw_told(images, vectors, 400, unasked=0.25)(rng())
    own = ((x[:, 0, 0, 0] + 1) * 127.5).round().long()
    silent = (told == 0).all(1)
    assert torch.equal(told[~silent].argmax(1), own[~silent])
    assert 60 < silent.sum() < 140
    assert eps.shape == x.shape
    assert t.shape == (400,)
    numbers, *_ = draw_told(5 * vectors, vectors, 8)(rng())
    assert numbers.max() == 5


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"vectors": torch.ones(3, 2)}, "vectors: expected one for each of 4 examples, got 3"),
        ({"unasked": 1.2}, "unasked: expected a share from 0 to 1, got 1.2"),
    ],
)
def test_what_does_not_fit_is_refused(change, says):
    with pytest.raises(ValueError, match=says):
        draw_told(**{"data": torch.ones(4, 2), "vectors": torch.ones(4, 2), "batch": 2, "unasked": 0.1} | change)


def test_a_mean_of_unit_vectors_is_shorter_and_the_flow_draws_either_of_them():
    """One sentence, two pictures at a right angle: the regression learns (½, ½), the flow (1, 0) and (0, 1)."""
    vectors, texts = torch.eye(2).repeat(200, 1), torch.tensor([[1.0, 0.0]]).expand(400, 2)
    spread = spread_of(vectors)
    made = {}
    for name in ("mean", "flow"):
        torch.manual_seed(0)
        net = Prior(2, 32, 2)
        adam = torch.optim.AdamW(net.parameters(), 3e-3)
        step = mean_step(net, adam) if name == "mean" else flow_step(net, adam)
        trained = Trained({"net": net}, {"adam": adam}, rng())
        fit(step, draw_told(spread.to_unit(vectors), texts, 64, unasked=0.0), 400, trained, progress=False)
        made[name] = net
    mean = mean_vectors(made["mean"], spread, texts[:3])
    torch.testing.assert_close(mean, torch.full((3, 2), 0.5), atol=0.06, rtol=0)
    drawn = drawn_vectors(made["flow"], spread, torch.randn(200, 2, generator=rng(4)), texts[:200])
    torch.testing.assert_close(drawn.norm(dim=1), torch.ones(200))
    first = (drawn[:, 0] > 0.9).float().mean()
    assert 0.3 < first < 0.7
    assert (drawn.max(1).values > 0.9).float().mean() > 0.85
