"""The two turns against the loop written out: who moves, by which gradient, and what is left behind."""

import pytest
import torch
from made import seeded
from torch import nn

from course_lib.gan.losses import discriminator_loss, nonsaturating_generator_loss
from course_lib.gan.turns import Penalty, discriminator_turn, generator_turn


def players(rate=0.1):
    """A linear generator and a discriminator with a hidden layer, their optimizers, real points and noise."""
    torch.manual_seed(0)
    g, d = nn.Linear(3, 2).double(), nn.Sequential(nn.Linear(2, 5), nn.Tanh(), nn.Linear(5, 1), nn.Flatten(0)).double()
    real, z = (torch.randn(6, n, dtype=torch.float64, generator=seeded(n)) for n in (2, 3))
    return g, d, torch.optim.SGD(g.parameters(), rate), torch.optim.SGD(d.parameters(), rate), real, z


def values(module):
    return [p.detach().clone() for p in module.parameters()]


def moves(before, module, rate=0.1):
    """The gradients by which SGD went."""
    return [(old - new.detach()) / rate for old, new in zip(before, module.parameters(), strict=True)]


def close(found, wanted):
    for a, b in zip(found, wanted, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-9, atol=1e-12)


PENALTIES = {
    "far": Penalty(0.3, lambda real, fake: ((real - fake) ** 2).mean()),
    "large": Penalty(2.0, lambda real, fake: real.pow(2).mean()),
}


@pytest.mark.parametrize("games", [1, 3])
def test_the_discriminators_turn_is_the_gradient_of_its_loss_and_its_penalties(games):
    g, d, _, optimizer, real, z = players()
    of_logits = {"large logits": Penalty(0.7, lambda real, fake: d(real).pow(2).mean() + d(fake).pow(4).mean())}
    loss = discriminator_loss(d(real), d(g(z)))
    logits = d(real).pow(2).mean() + d(g(z)).pow(4).mean()
    wanted = torch.autograd.grad(games * (loss + 0.7 * logits), list(d.parameters()))
    before, still = values(d), values(g)
    found = discriminator_turn(d, discriminator_loss, real, g(z), optimizer, of_logits, games)
    close(moves(before, d), wanted)
    close(values(g), still)
    close([found.loss, found.penalties["large logits"]], [loss.detach(), logits.detach()])
    close([found.real_logits.mean() - found.fake_logits.mean()], [critic_of(before, d, real, g(z).detach())])
    assert not any(t.requires_grad for t in (*found[:3], *found.penalties.values()))


def critic_of(weights, d, real, fake):
    """The discriminator's mean logit of real less that of fake, with other weights."""
    named = dict(zip(dict(d.named_parameters()), weights, strict=True))
    judge = lambda x: torch.func.functional_call(d, named, (x,)).mean()
    return judge(real) - judge(fake)


def test_every_penalty_is_added_and_told_under_its_name():
    g, d, _, optimizer, real, z = players()
    fake = g(z)
    seen = Penalty(1.0, lambda _, fake: torch.tensor(float(fake.requires_grad)))
    found = discriminator_turn(d, discriminator_loss, real, fake, optimizer, {**PENALTIES, "graph": seen})
    assert found.penalties.pop("graph") == 0  # no way back to the generator
    assert {n: v.item() for n, v in found.penalties.items()} == {
        n: p.of(real, fake.detach()).item() for n, p in PENALTIES.items()
    }


@pytest.mark.parametrize("games", [1, 3])
def test_the_generators_turn_goes_through_the_discriminator_and_leaves_it_alone(games):
    g, d, optimizer, _, _, z = players()
    wanted = torch.autograd.grad(games * nonsaturating_generator_loss(d(g(z))), list(g.parameters()))
    before, still = values(g), values(d)
    loss = generator_turn(d, nonsaturating_generator_loss, g(z), optimizer, games)
    close(moves(before, g), wanted)
    close(values(d), still)
    assert not loss.requires_grad


def test_no_gradient_is_left_and_none_that_waited_counts():
    for turn in ("d", "g"):
        found = []
        for stale in (False, True):
            g, d, g_optimizer, d_optimizer, real, z = players()
            if stale:
                (d(real).sum() + d(g(z)).sum()).backward()
            if turn == "d":
                discriminator_turn(d, discriminator_loss, real, g(z), d_optimizer)
            else:
                generator_turn(d, nonsaturating_generator_loss, g(z), g_optimizer)
            own = d if turn == "d" else g
            assert all(p.grad is None for p in own.parameters())
            found.append(values(own))
            if not stale:
                assert all(p.grad is None for p in (*g.parameters(), *d.parameters()))
        close(*found)


def test_a_turn_that_fails_leaves_both_players_as_they_were():
    g, d, g_optimizer, d_optimizer, real, z = players()
    before = values(g), values(d)

    def broken(*logits):
        raise KeyboardInterrupt

    for turn in (
        lambda: discriminator_turn(d, broken, real, g(z), d_optimizer),
        lambda: generator_turn(d, broken, g(z), g_optimizer),
    ):
        with pytest.raises(KeyboardInterrupt):
            turn()
    close(values(g) + values(d), before[0] + before[1])
    assert all(p.requires_grad for p in (*g.parameters(), *d.parameters()))


def test_a_frozen_part_of_a_player_stays():
    g, d, g_optimizer, d_optimizer, real, z = players()
    d[0].weight.requires_grad_(False)
    kept = d[0].weight.clone()
    discriminator_turn(d, discriminator_loss, real, g(z), d_optimizer)
    generator_turn(d, nonsaturating_generator_loss, g(z), g_optimizer)
    assert torch.equal(d[0].weight, kept)
