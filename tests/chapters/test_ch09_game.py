"""Chapter 09's game as it stands in its cells: trained by the reader's own losses, each player by its own; its data."""

import math
from pathlib import Path
from types import SimpleNamespace

import jupytext
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from course_lib.chapters.ch09_gan_game.bumps import bell, draw_bumps, play_perfectly, two_bumps
from course_lib.gan import losses
from course_lib.gan.ring import SeedMLP
from course_lib.training.transfer import to_device

SOURCE = Path(__file__).parents[2] / "notebooks" / "source" / "09_gan_game.py"
STEPS = 3


@pytest.fixture
def scope():
    """What the cells of the game find, with both losses recorded, after the cell that defines the loop."""
    run = SimpleNamespace(device=torch.device("cpu"), pick=lambda quick, full: STEPS, expect=lambda *_, **__: None)
    called = []

    def recorded(name):
        return lambda *logits: called.append(name) or getattr(losses, name)(*logits)

    names = {"discriminator_loss", "nonsaturating_generator_loss"}
    found = {"torch": torch, "nn": nn, "F": F, "math": math, "run": run, "called": called, "SeedMLP": SeedMLP,
             "to_device": to_device, "draw_bumps": draw_bumps} | {name: recorded(name) for name in names}  # fmt: skip
    execute("def play(", found)
    return found


def execute(mark, scope):
    (code,) = (c.source for c in jupytext.read(SOURCE).cells if c.cell_type == "code" and mark in c.source)
    exec(code, scope)


def test_the_game_is_trained_by_the_losses_that_the_reader_wrote(scope):
    execute('run.expect("five games', scope)
    assert scope["called"] == ["discriminator_loss", "nonsaturating_generator_loss"] * STEPS
    assert scope["d_losses"].shape == (STEPS, 5)


def test_the_lines_take_them_too_and_every_arm_has_the_same_draws(scope):
    execute("class Line(", scope)
    arm = (scope["discriminator_loss"], scope["nonsaturating_generator_loss"])
    thetas, belief, _ = scope["play_lines"](*arm, steps=STEPS)
    assert scope["called"] == ["discriminator_loss", "nonsaturating_generator_loss"] * STEPS
    assert thetas.shape == (STEPS, 5)
    assert (thetas[0] == 2).all()
    assert belief.shape == (STEPS, 5)
    assert torch.equal(thetas, scope["play_lines"](*arm, steps=STEPS)[0])
    _, _, D = scope["play_lines"](*arm, steps=STEPS, box=0.01)
    assert max(weight.abs().max() for weight in D.parameters()) <= 0.01 + 1e-6


def test_each_turn_moves_one_player(scope):
    rng = torch.Generator().manual_seed(0)
    G, D = SeedMLP([4, 8, 1], 5, rng), SeedMLP([1, 8, 1], 5, rng)
    state = lambda network: torch.cat([w.detach().flatten() for w in network.parameters()])
    draw = lambda: (torch.randn(5, 6, 1, generator=rng), torch.randn(5, 6, 4, generator=rng))
    g, d = state(G), state(D)
    game = scope["play"](G, D, draw, losses.discriminator_loss, losses.nonsaturating_generator_loss, 0.1, 0.1, 2)
    fake, real_logits, fake_logits = next(game)
    assert torch.equal(state(G), g)
    assert not torch.equal(state(D), d)
    assert (fake.shape, real_logits.shape, fake_logits.shape) == ((5, 6, 1), (30,), (30,))
    between = state(D)
    judged = next(game)[0]
    assert not torch.equal(state(G), g)
    assert not torch.equal(state(D), between)
    assert judged.grad_fn is None


def test_the_bumps_have_their_density():
    draws = draw_bumps(2, 50_000, torch.Generator().manual_seed(0)).double()
    spread = 0.4**2 + 0.6 * 0.4 * 2.2**2
    assert (draws.mean(1) + 0.12).abs().max() < 5 * math.sqrt(spread / 50_000)
    assert (draws.var(1) / spread - 1).abs().max() < 0.02
    x = torch.linspace(-8, 8, 801, dtype=torch.float64)
    assert abs(two_bumps(x).sum() * 0.02 - 1) < 1e-9
    assert abs((x * two_bumps(x)).sum() * 0.02 + 0.12) < 1e-9
    assert bell(x, 0.3, 1.0)[415] == pytest.approx(1 / math.sqrt(2 * math.pi), rel=1e-9)


def test_the_perfect_game_ends_at_the_data():
    x = torch.linspace(-8, 8, 801, dtype=torch.float64)
    q, d, value = list(play_perfectly(x))[-1]
    assert (q - two_bumps(x)).abs().max() < 1e-3
    assert (d[200:600] - 0.5).abs().max() < 1e-2
    assert value == pytest.approx(-math.log(4), abs=1e-6)
