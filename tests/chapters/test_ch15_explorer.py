"""The explorer of chapter 15: where particles go, how far, by which sampler, and what its still shows."""

import math
from dataclasses import asdict

import pytest
import torch
from pictures import shown

from course_lib.chapters.ch15_diffusion.explorer import PATHS, TARGETS, FlowExplorer, FlowState, exact_velocity, mixture
from course_lib.classroom import figures
from course_lib.diffusion.samplers import ddim, euler, even_times, heun

DATA, FIRST = FlowExplorer("Particles on their way from noise to three clusters.").first
STARTS = torch.tensor(DATA["starts"], dtype=torch.float64)


def compute(data=DATA, **state):
    return FlowExplorer.compute(data, FIRST | state)


def ends(**state):
    return torch.tensor(compute(**state)["places"], dtype=torch.float64)[:, -1]


def test_the_first_state_is_the_default_and_another_can_be_given():
    assert asdict(FlowState()) == FIRST
    assert FlowExplorer("Another.", FlowState(path="cosine", t=0.1)).first[1] == FIRST | {"path": "cosine", "t": 0.1}


@pytest.mark.parametrize(("name", "value"), [("target", "a moon"), ("path", "linear beta"), ("sampler", "rk4")])
def test_what_is_not_known_is_named(name, value):
    with pytest.raises(ValueError, match=rf"{name}: expected one of .*, got '{value}'"):
        FlowState(**{name: value})


@pytest.mark.parametrize("target", TARGETS)
def test_the_field_begins_towards_the_mean_and_ends_with_the_place_itself(target):
    bells = TARGETS[target]
    mean = [sum(share * centre[axis] for share, centre, _ in bells) for axis in (0, 1)]
    ticks = [-3.2 + 6.4 * i / 12 for i in range(13)]
    for t, expected in ((0.0, lambda x, y: (mean[0] - x, mean[1] - y)), (1.0, lambda x, y: (x, y))):
        found = compute(target=target, t=t)["field"]
        for row, column in ((0, 12), (4, 7), (10, 3)):
            assert found[row][column] == pytest.approx(expected(ticks[column], ticks[row]))


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("target", TARGETS)
def test_every_path_carries_a_particle_to_the_same_end(target, path):
    exactly = torch.tensor(DATA["ends"][target], dtype=torch.float64)
    found = heun(exact_velocity(mixture(TARGETS[target]), PATHS[path]), STARTS, even_times(400, dtype=torch.float64))
    assert (found - exactly).norm(dim=-1).max() < 5e-4


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("steps", [1, 5, 64])
def test_the_ends_are_those_of_the_library_s_samplers(path, steps):
    v = exact_velocity(mixture(DATA["targets"]["ring of eight"]), PATHS[path])
    times = even_times(steps, dtype=torch.float64)
    at = {"target": "ring of eight", "path": path, "steps": steps}
    assert torch.equal(ends(**at, sampler="euler"), euler(v, STARTS, times))
    assert torch.equal(ends(**at, sampler="heun"), heun(v, STARTS, times))
    generator = torch.Generator().manual_seed(3)
    draws = [torch.randn(40, 2, dtype=torch.float64, generator=generator).tolist() for _ in range(steps)]
    found = compute(DATA | {"draws": draws}, **at, sampler="fresh noise")["places"]
    noisy = ddim(v, STARTS, times, PATHS[path], eta=1.0, generator=torch.Generator().manual_seed(3))
    assert torch.allclose(torch.tensor(found, dtype=torch.float64)[:, -1], noisy, atol=1e-12)


@pytest.mark.parametrize("sampler", ["euler", "heun", "fresh noise"])
def test_places_begin_at_the_start_and_there_is_one_a_step(sampler):
    found = compute(sampler=sampler, steps=6, t=0.5)
    assert [len(way) for way in found["places"]] == [7] * 40
    assert [way[0] for way in found["places"]] == DATA["starts"]
    assert found["now"] == [pytest.approx(way[3]) for way in found["places"]]
    assert found["evaluations"] == (12 if sampler == "heun" else 6)


def test_between_two_steps_a_particle_is_on_the_line_between():
    found = compute(steps=4, t=0.8)  # a fifth of the way from the third to the fourth
    for way, now in zip(found["places"], found["now"], strict=True):
        assert now == pytest.approx([0.8 * a + 0.2 * b for a, b in zip(way[3], way[4], strict=True)])
    for t, step in ((0.0, 0), (1.0, 4)):
        assert compute(steps=4, t=t)["now"] == [pytest.approx(way[step]) for way in found["places"]]


def test_lengths_and_distances_by_hand():
    found = compute(steps=5, particle=3, sampler="heun", path="cosine")
    lengths = [sum(math.dist(way[n], way[n + 1]) for n in range(5)) for way in found["places"]]
    distances = [math.dist(way[0], way[-1]) for way in found["places"]]
    assert (found["length"], found["distance"]) == (pytest.approx(lengths[3]), pytest.approx(distances[3]))
    assert found["detour"] == pytest.approx(sum(lengths) / sum(distances))
    off = [math.dist(way[-1], end) for way, end in zip(found["places"], DATA["ends"]["three clusters"], strict=True)]
    assert found["off"] == pytest.approx(sum(off) / 40)
    inside = [any(math.dist(way[-1], c) < 2 * w for _, c, w in TARGETS["three clusters"]) for way in found["places"]]
    assert found["near"] == sum(inside) / 40


@pytest.mark.parametrize("target", TARGETS)
def test_one_step_of_euler_leads_to_the_mean_and_on_the_other_path_nearly_nowhere(target):
    found = compute(target=target, steps=1)
    assert found["spread"] < 1e-12
    assert found["mean"] == pytest.approx(found["places"][0][-1])
    moved = ends(target=target, steps=1, path="cosine") - STARTS
    assert torch.allclose(moved, math.pi / 2 * torch.tensor(found["mean"], dtype=torch.float64).expand(40, 2))


@pytest.mark.parametrize("target", TARGETS)
def test_twice_the_steps_halve_the_error_of_euler_and_quarter_that_of_heun(target):
    for path in PATHS:
        for sampler, order in (("euler", 1), ("heun", 2)):
            fewer, more = (compute(target=target, path=path, sampler=sampler, steps=n)["off"] for n in (32, 64))
            assert 0.75 * 2**order < fewer / more < 1.3 * 2**order, (path, sampler)


@pytest.mark.parametrize("target", TARGETS)
def test_the_flow_of_the_straight_path_is_the_less_straight_one(target):
    straight, cosine = (compute(target=target, path=p, sampler="heun", steps=64)["detour"] for p in PATHS)
    assert straight > cosine + 0.1 > 1.1


@pytest.mark.parametrize("target", TARGETS)
def test_of_the_data_86_in_100_lie_within_two_widths(target):
    bells = mixture(TARGETS[target])
    points = bells.sample(100_000, torch.Generator().manual_seed(0))
    inside = (points[:, None] - bells.centres).norm(dim=-1) < 2 * bells.widths
    assert inside.any(1).double().mean().item() == pytest.approx(1 - math.exp(-2), abs=0.005)
    assert 1 - math.exp(-2) == pytest.approx(0.865, abs=5e-4)


STATES = [
    FIRST,
    FIRST | {"target": "ring of eight", "path": "cosine", "sampler": "heun", "t": 0.95, "field": False, "particle": 5},
    FIRST | {"target": "two bells", "sampler": "fresh noise", "steps": 20, "t": 0.2, "particle": 30},
]


@pytest.mark.parametrize("state", STATES, ids=lambda s: s["target"])
def test_the_still_has_particles_circles_and_the_way_where_the_state_says(state):
    found, figure = FlowExplorer.compute(DATA, state), FlowExplorer.figure(DATA, state)
    png, (left, right) = figures.png(figure), figure.axes
    for ax, spots in ((left, found["now"]), (right, [way[-1] for way in found["places"]])):
        assert sum(shown(png, figures.ORANGE, ax, *spot, radius=4, tolerance=60) > 8 for spot in spots[::5]) >= 6
        assert shown(png, figures.BERRY, ax, *spots[state["particle"]], radius=3) > 10
        for _, (x, y), width in TARGETS[state["target"]]:
            assert shown(png, figures.BLUE, ax, x, y, radius=2 * width * 66 + 3, tolerance=90) > 100 * width
    way = found["places"][state["particle"]]
    assert sum(shown(png, figures.INK, right, *place, radius=3, tolerance=60) > 3 for place in way[:8]) > 3
    assert f"t = {state['t']:.2f}" in left.get_title(loc="left")
    assert f"went {found['length']:.2f}, came {found['distance']:.2f} far" in right.get_title(loc="left")


def test_arrows_are_drawn_where_they_are_asked_for():
    grey, ((x, y), (ahead, up)) = "#A8A8A8", ((2.666666667, 2.666666667), (-0.1, -0.1))
    for field in (True, False):
        state = FIRST | {"field": field, "t": 0.0}
        figure = FlowExplorer.figure(DATA, state)
        png = figures.png(figure)
        assert (shown(png, grey, figure.axes[0], x + ahead, y + up, radius=6) > 5) == field
