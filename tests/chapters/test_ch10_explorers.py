"""The explorers of chapter 10: pictures are functions of the state, controls draw once, errors are said."""

import time
from dataclasses import replace

import ipywidgets
import pytest
import torch
from elsewhere import GPU, Away, SecondDevice
from pictures import pixels, shown

from course_lib.chapters.ch10_gan_dynamics.explorers import (
    GanExplorer,
    PhaseExplorer,
    PhasePicture,
    PhaseState,
    ScenePicture,
)
from course_lib.chapters.ch10_gan_dynamics.scene import CELLS, EXTENT, Scene, View, preset
from course_lib.classroom import figures
from course_lib.gan.dirac import SLOPES, dirac_field, dirac_path, multipliers, running_mean


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


PHASES = [
    PhaseState(),
    PhaseState(-1.2, 1.8, gamma=0.3, rate_g=0.1, rate_d=0.1, method="alternating", loss="nonsaturating"),
    PhaseState(2.0, -1.0, rate_g=0.3, rate_d=0.05, method="optimistic", loss="wasserstein"),
    PhaseState(2.5, 2.5, gamma=4.0, rate_g=2.0, rate_d=2.0, loss="wasserstein"),  # as far as the knobs go
    PhaseState(2.5, -2.5, gamma=4.0, rate_g=2.0, rate_d=2.0, method="optimistic", loss="wasserstein"),
    PhaseState(0.0, 0.0),
]


def solution(state):
    """The path (201, 2), its multipliers and the length of each pair, as the portrait should show them."""
    place = (torch.tensor(x, dtype=torch.float64) for x in (state.theta, state.psi))
    path = dirac_path(*place, 200, state.rate_g, state.rate_d, state.gamma, state.method, state.loss)
    rates = multipliers(state.method, state.rate_g, state.rate_d, state.gamma, SLOPES[state.loss])
    return path, rates, path.norm(dim=-1)


@pytest.mark.parametrize("state", PHASES, ids=lambda s: f"{s.method}, {s.loss}, {s.gamma}")
def test_the_portrait_has_start_end_and_multipliers_where_the_state_says(phase, state):
    png, (plane, _, circle) = phase.frame(state), phase.figure.axes
    path, rates, _ = solution(state)
    end = path[-1].clamp(-2.6, 2.6)
    assert shown(png, figures.ORANGE, plane, *end, radius=5) > 10  # a half of it in a corner
    if (path[0] - end).norm() > 0.4:
        assert shown(png, figures.INK, plane, *path[0], radius=3) > 15
    for rate in rates[rates.abs() < 1.5]:  # others are outside
        assert shown(png, figures.BERRY, circle, rate.real, rate.imag, radius=3) > 15


def test_the_portrait_has_path_mean_distance_and_equilibrium_in_their_colours(phase):
    state = PhaseState(1.5, 0.5, gamma=0.1, rate_g=0.1, rate_d=0.1)
    png, (plane, distance, circle) = phase.frame(state), phase.figure.axes
    path, rates, length = solution(state)
    for step in (5, 10, 15):
        assert shown(png, figures.INK, plane, *path[step]) > 2
    assert sum(shown(png, figures.TEAL, plane, *mean) for mean in running_mean(path)[5:60:5]) > 30
    assert shown(png, figures.BERRY, plane, 0, 0, radius=8) > 8
    for step in (40, 120, 180):
        assert shown(png, figures.INK, distance, step, length[step], radius=2, tolerance=60) > 2
    far = replace(state, theta=0.0, psi=2.0)  # starts where the path does not follow the line that is predicted
    predicted = [(n, 2.0 * rates.abs()[0] ** n) for n in range(20, 200, 5)]
    assert sum(shown(phase.frame(far), figures.MUTE, distance, *at, radius=5) for at in predicted) > 20
    assert shown(png, figures.MUTE, circle, 0, 1, radius=8) > 4


@pytest.mark.parametrize("loss", SLOPES)
def test_the_field_s_arrows_point_where_the_pair_is_driven(phase, loss):
    state = PhaseState(0.0, 0.0, gamma=0.5, loss=loss)  # no path in the way
    png, plane = phase.frame(state), phase.figure.axes[0]
    ticks, before, behind = torch.linspace(-2.6, 2.6, 15, dtype=torch.float64), 0, 0
    for i, j in ((2, 3), (11, 4), (3, 12), (12, 11), (1, 7), (9, 2), (5, 3), (10, 8)):
        node = torch.stack([ticks[i], ticks[j]])
        pull = torch.stack(dirac_field(*node, state.gamma, loss))
        ahead = 0.12 * pull / pull.norm()
        before += shown(png, "#B9B9B9", plane, *(node + ahead), radius=2)
        behind += shown(png, "#B9B9B9", plane, *(node - ahead), radius=2)
    assert before > 30
    assert before > 2 * behind


def test_the_titles_say_how_far_and_what_becomes_of_it(phase):
    says = {
        "moves away": PhaseState(),
        "comes nearer": PhaseState(gamma=1.0),
        "keeps its distance": PhaseState(method="alternating"),
    }
    for verdict, state in says.items():
        phase.frame(state)
        _, rates, length = solution(state)
        first, second, third = (title.get_text() for title in phase._titles)
        assert first == f"{state.method},\n{state.loss}"
        assert f"{length[0]:.2f} from (0, 0) at first,\n{length[-1]:.3g} after 200 steps" == second
        assert f"|μ| = {rates.abs()[0]:.4f}:\n{verdict}" in third


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
    shades = figures.SIGNED.reversed()
    for x, belief in ((-2.5, 0.1), (2.7, 0.9)):
        assert shown(png, shades((belief + 0.3) / 1.6)[:3], scene, x, -0.5, radius=3) > 20
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
