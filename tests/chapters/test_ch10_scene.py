"""The GAN of the plane that can be watched: turns, measures, snapshots, and points that it cannot take."""

import math

import pytest
import torch
from torch.nn import functional as F

from course_lib.chapters.ch10_gan_dynamics.scene import CELLS, PRESETS, Scene, histogram_js, judge, preset
from course_lib.gan.ring import Treatment


@pytest.mark.parametrize("name", PRESETS)
def test_presets_fit_the_scene_and_are_fixed(name):
    points = preset(name, 500)
    assert points.shape == (500, 2)
    assert points.dtype == torch.float32
    assert torch.equal(points, preset(name, 500))
    assert Scene(points).floor < 0.2
    with pytest.raises(ValueError, match="name: expected one of two islands"):
        preset("moons")


def test_the_divergence_of_clouds_by_hand():
    left, right = torch.tensor([[-1.5, 0.1]] * 4), torch.tensor([[1.5, 0.1]] * 4)
    assert histogram_js(left, right) == pytest.approx(math.log(2))
    assert histogram_js(left, left) == 0
    half = torch.cat([left[:2], right[:2]])
    expected = 0.5 * (math.log(1 / 0.75) + 0.5 * math.log(0.5 / 0.75) + 0.5 * math.log(2))  # ½ KL(p‖m) + ½ KL(q‖m)
    assert histogram_js(left, half) == pytest.approx(expected)
    assert histogram_js(torch.tensor([[9.0, 9.0]]), torch.tensor([[2.99, 2.99]])) == 0  # outside: the nearest square


def test_what_there_is_to_see():
    scene = Scene(preset("circle", 400))
    scene.train(3)
    view = scene.look()
    networks = scene.game.players
    assert view.belief.shape == (CELLS, CELLS)
    corner = torch.tensor([[[3.0, -3.0]]])  # x₁ along the second axis
    assert torch.allclose(view.belief[0, -1], networks.discriminator(corner).sigmoid().squeeze())
    x = view.fake[None].clone().requires_grad_()
    (-F.logsigmoid(networks.discriminator(x))).sum().backward()
    assert torch.allclose(view.arrows, -x.grad[0])
    assert torch.allclose(view.grid[4, 12], networks.generator(torch.zeros(1, 1, 2)).squeeze(), atol=1e-6)
    assert view.steps == [0, 3]
    assert 0 <= view.js[-1] <= math.log(2) + 1e-12


def test_turns_move_one_player_and_training_is_turns():
    one, other = Scene(preset("circle", 400)), Scene(preset("circle", 400))
    one.train(2)
    for _ in range(2):
        other.discriminator_turn()
        other.generator_turn()
    assert torch.equal(one.look().fake, other.look().fake)
    assert (one.step, other.step) == (2, 2)
    before = one.look()
    one.discriminator_turn()
    assert torch.equal(one.look().fake, before.fake)
    assert not torch.equal(one.look().belief, before.belief)


def test_a_snapshot_goes_on_as_before():
    scene = Scene(preset("two islands", 400), Treatment(d_rate=1e-3, r1_weight=0.1))
    scene.train(3)
    kept = scene.snapshot()
    scene.train(4)
    expected = scene.look()
    fresh = Scene(preset("spiral", 400))
    for again in (scene, fresh):
        again.restore(kept)
        assert again.step == 3
        again.train(4)
        assert torch.equal(again.look().fake, expected.fake)
        assert again.look().js == expected.js
        assert again.game.treatment.r1_weight == 0.1


def test_rates_and_penalty_can_change_on_the_way():
    scene = Scene(preset("circle", 400))
    scene.set(g_rate=0.0, d_rate=0.0, r1_weight=2.0)
    before = scene.look()
    scene.train(2)
    assert torch.equal(scene.look().fake, before.fake)
    assert torch.equal(scene.look().belief, before.belief)
    assert scene.game.treatment.r1_weight == 2.0


@pytest.mark.parametrize(
    ("points", "says"),
    [
        (torch.zeros(50, 3), r"at least 16 rows of two numbers, got \(50, 3\)"),
        (torch.zeros(9, 2), r"at least 16 rows of two numbers, got \(9, 2\)"),
        (torch.full((50, 2), 4.0), "finite numbers from −3 to 3"),
        (torch.full((50, 2), math.nan), "finite numbers from −3 to 3"),
    ],
)
def test_points_that_the_scene_cannot_take_are_said(points, says):
    with pytest.raises(ValueError, match=says):
        Scene(points)


def test_a_scene_is_judged_by_its_modes_and_its_divergence():
    scene = Scene(preset("ring of eight"))
    modes, js = judge(scene)
    assert modes == 0  # untrained: all fakes lie about the middle
    assert 0.6 < js <= math.log(2) + 1e-12
    with torch.no_grad():  # all fakes at one centre, (2, 0)
        scene.game.players.generator.weights[-1].zero_()
        scene.game.players.generator.biases[-1].copy_(torch.tensor([2.0, 0.0]))
    assert judge(scene)[0] == 1
