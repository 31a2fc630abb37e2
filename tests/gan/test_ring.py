"""The ring of eight Gaussians and games of several seeds: each seed trains as it would alone, each turn moves one player."""

import pytest
import torch
from made import seeded
from torch import nn

from course_lib.datasets.ring import draw_ring
from course_lib.gan.losses import discriminator_loss, nonsaturating_generator_loss
from course_lib.gan.penalties import gradient_penalty, r1_penalty
from course_lib.gan.ring import Game, OptimisticAdam, Players, SeedMLP, Treatment, make_players, play


def small(seeds=3, **treatment):
    return Game(make_players(seeds, seeded(), latent=4, hidden=7), Treatment(**treatment))


def alone(network, seed):
    """One seed's network in PyTorch's own layers."""
    layers = []
    for weight, bias in zip(network.weights, network.biases, strict=True):
        linear = nn.Linear(*weight.shape[1:])
        linear.weight.data, linear.bias.data = weight[seed].detach().T.clone(), bias[seed, 0].detach().clone()
        layers += [nn.ReLU(), linear]
    return nn.Sequential(*layers[1:])


def test_several_networks_are_each_their_own():
    networks = SeedMLP((3, 5, 4, 2), 4, seeded())
    x = torch.randn(4, 6, 3, generator=seeded(1))
    for seed in range(4):
        assert torch.allclose(networks(x)[seed], alone(networks, seed)(x[seed]), atol=1e-6)
    wide = networks.weights[1][0]
    assert torch.allclose(wide.T @ wide, 1.4**2 * torch.eye(4), atol=1e-5)
    with pytest.raises(ValueError, match="x: expected 4 seeds along the first axis, got 2"):
        networks(x[:2])


@pytest.mark.parametrize("treatment", [{}, {"r1_weight": 0.3}, {"gp_weight": 0.7}])
def test_a_seed_trains_as_it_would_alone(treatment):
    game, rng = small(**treatment), seeded(5)
    g, d = alone(game.players.generator, 1), alone(game.players.discriminator, 1)
    adam = lambda net, rate: torch.optim.Adam(net.parameters(), lr=rate, betas=(0.5, 0.999))
    g_optimizer, d_optimizer, logits = adam(g, 1e-3), adam(d, 1e-4), lambda x: d(x)[:, 0]
    for _ in range(3):
        real, z = draw_ring(3, 8, rng), torch.randn(3, 8, 4, generator=rng)
        t = torch.rand(24, generator=seeded(9)).view(3, 8)
        fake = game.players.generator(z)
        game.discriminator_turn(real, fake, *game.draw_mixing(8, seeded(9)))
        game.generator_turn(fake)
        own = g(z[1])
        loss = discriminator_loss(logits(real[1]), logits(own.detach()))
        loss = loss + 0.5 * game.treatment.r1_weight * r1_penalty(logits, real[1])
        loss = loss + game.treatment.gp_weight * gradient_penalty(logits, real[1], own, t[1])
        for optimizer, value in ((d_optimizer, loss), (g_optimizer, None)):
            g_optimizer.zero_grad()
            d_optimizer.zero_grad()
            (nonsaturating_generator_loss(logits(own)) if value is None else value).backward()
            optimizer.step()
    for ours, theirs in ((game.players.generator, g), (game.players.discriminator, d)):
        assert torch.allclose(ours.weights[1][1].T, theirs[2].weight, atol=2e-5)


def test_a_turn_moves_one_player_and_leaves_no_gradient_with_the_other():
    game = small(r1_weight=0.1)
    g, d = game.players.generator, game.players.discriminator
    state = lambda net: torch.cat([p.detach().flatten().clone() for p in net.parameters()])
    before_g, before_d, fake = state(g), state(d), game.players.fake(8, seeded(1))
    game.discriminator_turn(draw_ring(3, 8, seeded(2)), fake)
    assert torch.equal(state(g), before_g)
    assert not torch.equal(state(d), before_d)
    before_d = state(d)
    game.generator_turn(game.players.fake(8, seeded(3)))
    assert torch.equal(state(d), before_d)
    assert all(p.grad is None and p.requires_grad for p in (*g.parameters(), *d.parameters()))
    assert not torch.equal(state(g), before_g)


def test_optimistic_adam_takes_twice_the_move_less_the_one_before():
    w, same = torch.zeros(3, requires_grad=True), torch.zeros(3, requires_grad=True)
    optimistic, plain = OptimisticAdam([w], lr=0.1), torch.optim.Adam([same], lr=0.1)
    gradients, moves = torch.randn(4, 3, generator=seeded()), [torch.zeros(3)]
    for gradient in gradients:
        before, expected = same.detach().clone(), w.detach().clone()
        w.grad, same.grad = gradient.clone(), gradient.clone()
        optimistic.step()
        plain.step()
        moves.append(same.detach() - before)
        assert torch.allclose(w.detach(), expected + 2 * moves[-1] - moves[-2], atol=1e-6)


def test_play_is_deterministic_counts_steps_and_lets_the_noise_end():
    def run(**treatment):
        game = small(seeds=2, **treatment)
        assert list(play(game, draw_ring, 4, seeded(1), batch=8)) == [1, 2, 3, 4]
        return game.players.sample(5, seeded(2))

    assert torch.equal(run(), run())
    assert not torch.equal(run(), run(noise=0.3))
    assert not torch.equal(run(), run(optimistic=True))
    assert run().shape == (2, 5, 2)


def test_players_have_the_sizes_of_the_paper():
    both = make_players(2, seeded())
    assert isinstance(both, Players)
    assert [tuple(w.shape) for w in both.generator.weights] == [(2, 256, 128), (2, 128, 128), (2, 128, 2)]
    assert [tuple(w.shape) for w in both.discriminator.weights] == [(2, 2, 128), (2, 128, 128), (2, 128, 1)]
    assert both.logits(torch.zeros(6, 2)).shape == (6,)
