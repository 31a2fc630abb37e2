"""GANs on a stand-in for an accelerator: the same numbers, one copy a step, and nothing that waits for a value."""

import pytest
import torch
from made import seeded
from standin import DEVICE, accelerator

from course_lib.chapters.ch00_start_here.mixture import mixture_log_density, mixture_sample, mixture_start
from course_lib.chapters.ch09b_divergences.critics import share_of_distance
from course_lib.datasets.ring import draw_ring
from course_lib.gan.dcgan import Discriminator, Generator, sample, to_images
from course_lib.gan.dirac import running_mean
from course_lib.gan.penalties import convolution_norm
from course_lib.gan.ring import Game, Treatment, make_players, play
from course_lib.gan.step import adversarial_step, draw_turns, training_step
from course_lib.training.moving_average import moving_average

FREE = ("from the device", "waits")  # what no step of training does


def flat(*modules):
    return torch.cat([t.detach().cpu().double().flatten() for m in modules for t in m.state_dict().values()])


def networks(device, n_classes=0):
    torch.manual_seed(0)
    g, d = Generator(5, 4, n_classes).to(device), Discriminator(3, n_classes).to(device)
    for network in (g, d):
        network.to(memory_format=torch.channels_last)
    return g, d, *(torch.optim.Adam(m.parameters(), lr=1e-3, betas=(0.5, 0.999)) for m in (g, d))


def trained(device, ledger=None, n_classes=0, n_critic=1, **options):
    """Weights after three steps; with a ledger, what the last two of them did is counted."""
    x = torch.rand(40, 1, 28, 28, generator=seeded(9)) * 2 - 1
    labels = torch.randint(3, (40,), generator=seeded(8)) if n_classes else None  # these stay on the CPU
    g, d, g_optimizer, d_optimizer = networks(device, n_classes)
    average, rng = moving_average(g, 0.9), seeded(1)
    assert average.n_averaged.device == g.first.weight.device  # which the stand-in would not mind
    step = adversarial_step(g, d, g_optimizer, d_optimizer, average=average, **options)
    draw = draw_turns(x.to(device), labels, 6, 5, n_critic)
    step(draw(rng))
    if ledger is not None:
        ledger.counts.clear()
    for _ in range(2):
        step(draw(rng))
    counts = None if ledger is None else dict(ledger.counts)
    return flat(g, d, average), counts


@pytest.mark.parametrize(
    "options", [{}, {"n_classes": 3, "n_critic": 2, "r1_weight": 0.3}, {"bfloat16": True, "n_classes": 3}]
)
def test_a_step_of_images_is_the_same_there_by_one_copy_and_no_wait(options):
    with accelerator() as ledger:
        there, counts = trained(DEVICE, ledger, **options)
    assert counts.get("to the device", 0) <= 2  # of two steps
    assert all(counts.get(kind, 0) == 0 for kind in FREE), counts
    tolerance = 2e-2 if "bfloat16" in options else 1e-3
    torch.testing.assert_close(there, trained("cpu", **options)[0], rtol=tolerance, atol=tolerance)


def test_the_textbooks_step_and_samples_are_the_same_there():
    def both(device):
        g, d, *optimizers = networks(device)
        training_step(g, d, *optimizers, to_images(torch.zeros(6, 28, 28, dtype=torch.uint8)).to(device), z.to(device))
        g, d, *optimizers = networks(device, 3)
        made = sample(g, z.to(device), torch.tensor([0, 1, 2, 0, 1, 2]), at_once=4)  # classes from the CPU
        return flat(g, d), made.cpu()

    z = torch.randn(6, 5, generator=seeded(2))
    with accelerator():
        there = both(DEVICE)
    for a, b in zip(there, both("cpu"), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-3, atol=1e-4)


TREATMENTS = [{}, {"r1_weight": 0.1, "gp_weight": 1.0, "noise": 0.5}, {"optimistic": True, "gp_weight": 1.0}]


@pytest.mark.parametrize("treatment", TREATMENTS)
def test_a_game_is_the_same_there_by_one_copy_a_step(treatment):
    def played(device):
        rng = seeded(3)
        players = make_players(2, rng, latent=4, hidden=7, device=device)
        for step in play(Game(players, Treatment(**treatment)), draw_ring, 4, rng, batch=8):
            if step == 1:
                ledger.counts.clear()
        counts = dict(ledger.counts)
        assert players.sample(3, rng).device == players.device
        return flat(players.generator, players.discriminator), counts

    with accelerator() as ledger:
        there, counts = played(DEVICE)
    assert counts.get("to the device", 0) <= 3
    assert all(counts.get(kind, 0) == 0 for kind in FREE), counts
    torch.testing.assert_close(there, played("cpu")[0], rtol=1e-3, atol=1e-4)


def test_critics_are_the_same_there_by_one_copy_a_step():
    def found(device):
        shares = share_of_distance((5, 7), 4, 1.5, g_rate=1e-2, gp_weight=10.0, device=device)
        counts = dict(ledger.counts)
        return shares.cpu(), counts

    with accelerator() as ledger:
        there, counts = found(DEVICE)
    critics, asked = 6, 2  # tensors that are moved once; marks, at which fresh points are drawn
    assert counts["to the device"] <= 7 + critics + asked + 1
    assert all(counts.get(kind, 0) == 0 for kind in FREE), counts
    torch.testing.assert_close(there, found("cpu")[0], rtol=1e-3, atol=1e-3)


def test_norms_means_and_mixtures_are_the_same_there():
    def found(device):
        kernel = torch.randn(3, 2, 3, 3, generator=seeded(1))
        points = torch.randn(20, 2, generator=seeded(3)).to(device)
        theta = [t.detach() for t in mixture_start(points, 3, seeded(4))]
        drawn = mixture_sample(30, *theta, generator=seeded(5))
        return [
            convolution_norm(kernel.to(device), 6, 1, 1, steps=20),
            running_mean(points),
            drawn,
            mixture_log_density(drawn, *theta),
        ]

    with accelerator(float64=False):
        there = [t.cpu() for t in found(DEVICE)]
    for a, b in zip(there, found("cpu"), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-5)
