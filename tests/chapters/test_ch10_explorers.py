"""The explorers of chapter 10: pictures are functions of the state, controls draw once, errors are said."""

import io
import time
from dataclasses import replace

import ipywidgets
import numpy as np
import pytest
import torch
from PIL import Image

from course_lib.chapters.ch10_gan_dynamics.explorers import (
    GanExplorer,
    PhaseExplorer,
    PhasePicture,
    PhaseState,
    ScenePicture,
)
from course_lib.chapters.ch10_gan_dynamics.scene import Scene, preset


def pixels(png):
    return np.asarray(Image.open(io.BytesIO(png)))


@pytest.fixture(scope="module")
def phase():
    return PhasePicture()


def test_the_portrait_is_a_function_of_its_state(phase):
    state = PhaseState()
    first = phase.frame(state)
    assert pixels(first).shape == (350, 950, 3)
    other = PhaseState(0.7, 1.0, 0.5, 0.4, 0.1, "alternating", "wasserstein")
    for name, value in vars(other).items():
        assert phase.frame(replace(state, **{name: value})) != first, name
    assert phase.frame(state) == first
    assert PhasePicture().frame(state) == first


def test_extreme_knobs_still_give_a_picture(phase):
    for method in ("simultaneous", "optimistic"):
        state = PhaseState(2.5, 2.5, gamma=4.0, rate_g=2.0, rate_d=2.0, method=method, loss="wasserstein")
        assert pixels(phase.frame(state)).any()
    assert pixels(phase.frame(PhaseState(0.0, 0.0))).any()


def fastest(draw):
    times = []
    for _ in range(5):
        started = time.process_time()  # of this process alone, whatever else the machine does
        draw()
        times.append(time.process_time() - started)
    return min(times)


def test_pictures_come_within_100_ms(phase):
    scene, picture = Scene(preset("ring of eight")), ScenePicture()
    assert fastest(lambda: phase.frame(PhaseState())) < 0.1
    assert fastest(lambda: picture.frame(scene.look())) < 0.1


def test_a_moved_control_draws_once_and_the_still_stays():
    explorer = PhaseExplorer(alt="a phase portrait")
    drawn = []
    explorer.picture.observe(drawn.append, names="value")
    explorer.gamma.value = 1.5
    assert len(drawn) == 1
    explorer.method.value = "optimistic"
    assert len(drawn) == 2
    data, metadata = explorer._repr_mimebundle_()
    assert data["image/png"] == PhasePicture().frame(PhaseState())
    assert data["text/plain"] == metadata["image/png"]["alt"] == "a phase portrait"
    explorer.close()


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
    scene.train(20)
    made = GanExplorer("circle", own=torch.rand(30, 2), snapshots={"good": scene.snapshot()}, shown="good", alt="x y z")
    assert made.scene.step == 20
    assert "your points" in made.data.options
    assert list(made.snapshot.options) == ["", "good"]
    data, _ = made._repr_mimebundle_()
    assert data["text/plain"] == "x y z"
    assert data["image/png"] == ScenePicture().frame(made.scene.look())
    assert isinstance(made, ipywidgets.VBox)
    made.close()
