"""The explorers of chapter 10: pictures are functions of the state, controls draw once, errors are said."""

import time
from dataclasses import replace

import ipywidgets
import pytest
import torch
from elsewhere import GPU, Away, SecondDevice
from pictures import shown

from course_lib.chapters.ch10_gan_dynamics.explorers import BELIEF, GanExplorer, ScenePicture
from course_lib.chapters.ch10_gan_dynamics.scene import CELLS, EXTENT, Scene, View, preset
from course_lib.classroom import figures


def view():
    """A scene by hand: D doubts the left half and believes the right one; the fakes are pulled up."""
    lines = torch.linspace(-2, 2, 25)
    return View(
        real=torch.tensor([[-2.0, -2.0], [1.0, -2.5], [2.5, 2.0]]),
        fake=torch.tensor([[-1.5, 1.0], [2.0, 0.5]]),
        arrows=torch.tensor([[0.0, 3.0], [0.0, 3.0]]),
        belief=torch.where(torch.linspace(-EXTENT, EXTENT, CELLS) < 0, 0.1, 0.9).expand(CELLS, CELLS).clone(),
        grid=torch.stack([lines, torch.full((25,), -1.3)], -1).expand(18, 25, 2).clone(),
        floor=0.05,
        steps=[0, 1000, 2000],
        js=[0.6, 0.3, 0.1],
        found=[0.0, 0.2, 0.05],
    )


def test_the_scene_has_everything_where_the_view_says_in_its_colour():
    picture = ScenePicture()
    png, (scene, curve) = picture.frame(view()), picture.figure.axes
    for at in view().real:
        assert shown(png, figures.BLUE, scene, *at, radius=2) > 5
    for at in view().fake:
        assert shown(png, figures.ORANGE, scene, *at, radius=2) > 2
        assert shown(png, figures.INK, scene, at[0], at[1] + 0.35, radius=3, tolerance=80) > 3  # pulled up
        assert not shown(png, figures.INK, scene, at[0], at[1] - 0.35, radius=3, tolerance=80)
    for height in (-2.5, -0.5, 1.5):  # the contour of one half
        assert shown(png, figures.INK, scene, 0, height) > 8
    for x in (-1.5, -0.5, 1.7):
        assert shown(png, figures.ORANGE, scene, x, -1.3, radius=2) > 2
    for x, belief in ((-2.5, 0.1), (2.7, 0.9)):
        assert shown(png, BELIEF(belief / 1.3)[:3], scene, x, -0.5, radius=3) > 20
    for step, js in ((500, 0.45), (1500, 0.2)):
        assert shown(png, figures.BERRY, curve, step, js, radius=2) > 4
    dots = (shown(png, figures.INK, curve, step, step / 5000, radius=2, tolerance=80) for step in range(100, 900, 50))
    assert sum(dots) > 15
    assert sum(shown(png, figures.MUTE, curve, step, 0.05, radius=2) for step in range(2200, 2900, 50)) > 20


def test_a_scene_that_is_turned_over_is_another_picture():
    picture, base = ScenePicture(), view()
    first = picture.frame(base)
    for name in ("real", "fake", "arrows", "grid"):
        assert picture.frame(replace(base, **{name: -getattr(base, name)})) != first, name
    assert picture.frame(replace(base, belief=1 - base.belief)) != first
    assert picture.frame(replace(base, belief=base.belief.T)) != first  # x₂ along the first axis
    for name in ("js", "found"):
        assert picture.frame(replace(base, **{name: [0.5, 0.5, 0.5]})) != first, name
    assert picture.frame(base) == first


def test_a_view_of_another_device_is_the_same_picture():
    away = {name: x.as_subclass(Away) if isinstance(x, torch.Tensor) else x for name, x in vars(view()).items()}
    assert ScenePicture().frame(View(**away)) == ScenePicture().frame(view())


def fastest(draw):
    times = []
    for _ in range(5):
        started = time.process_time()  # of this process alone, whatever else the machine does
        draw()
        times.append(time.process_time() - started)
    return min(times)


def test_a_picture_comes_within_100_ms():
    scene, picture = Scene(preset("ring of eight")), ScenePicture()
    assert fastest(lambda: picture.frame(scene.look())) < 0.1


@pytest.fixture
def explorer():
    made = GanExplorer("two islands", steps=40)
    yield made
    made.close()


def test_play_trains_ten_steps_a_tick_and_one_when_slow(explorer):
    before = explorer.picture.value
    explorer.play.value = 1
    assert explorer.scene.step == 10
    assert explorer.picture.value != before
    explorer.slow.value = True
    explorer.play.value = 2
    assert explorer.scene.step == 11


def test_the_budget_ends_with_a_word(explorer):
    for tick in range(1, 6):
        explorer.play.value = tick
    assert explorer.scene.step == 40
    assert "40 steps are done" in explorer.status.value


def test_single_turns(explorer):
    fake = explorer.scene.look().fake
    explorer.buttons["D turn"].click()
    assert torch.equal(explorer.scene.look().fake, fake)
    explorer.buttons["G turn"].click()
    assert not torch.equal(explorer.scene.look().fake, fake)
    assert explorer.scene.step == 1


def test_keep_reset_and_go_back(explorer):
    explorer.gamma.value = 0.5
    explorer.play.value = 1
    shown = explorer.picture.value
    explorer.buttons["keep"].click()
    explorer.gamma.value = 0.0
    explorer.buttons["reset"].click()
    assert explorer.scene.step == 0
    explorer.snapshot.value = "two islands, step 10"
    assert explorer.picture.value == shown
    assert explorer.gamma.value == 0.5


def test_your_points_may_be_on_another_device_and_reset_the_game_once(explorer):
    resets, mine = [], torch.rand(60, 2)
    explorer.picture.observe(resets.append, names="value")
    with SecondDevice():
        explorer.use(mine.to(GPU))
    assert torch.equal(explorer.scene.points, mine)
    assert len(resets) == 1
    explorer.play.value = 1
    assert explorer.scene.step == 10


def test_your_own_points_and_those_that_will_not_do(explorer):
    explorer.use(torch.rand(60, 2))
    assert explorer.data.value == "your points"
    assert len(explorer.scene.points) == 60
    explorer.use(torch.rand(60, 3))
    assert "expected at least 16 rows of two numbers, got (60, 3)" in explorer.status.value
    assert len(explorer.scene.points) == 60
    explorer.data.value = "spiral"
    assert explorer.status.value == ""


def test_given_snapshots_and_own_data_are_choices():
    scene = Scene(preset("circle"))
    scene.set(g_rate=3e-3, r1_weight=0.5)
    scene.train(20)
    made = GanExplorer("circle", own=torch.rand(30, 2), snapshots={"good": scene.snapshot()}, shown="good", alt="x y z")
    assert made.scene.step == 20
    assert (made.g_rate.value, made.gamma.value) == (3e-3, 0.5)  # with which it goes on
    assert "your points" in made.data.options
    assert list(made.snapshot.options) == ["", "good"]
    data, _ = made._repr_mimebundle_()
    assert data["text/plain"] == "x y z"
    assert data["image/png"] == ScenePicture().frame(made.scene.look())
    assert isinstance(made, ipywidgets.VBox)
    made.close()
