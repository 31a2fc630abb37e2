"""The explorer of chapter 01: both directions of KL on a grid, the best q of each, the still."""

import math

import pytest
import torch
from pictures import shown

from course_lib.chapters.ch01_likelihood.explorer import DIRECTIONS, DRAWN, TARGETS, WIDE, KLExplorer, best
from course_lib.classroom import figures

ALT = "One bell q lies between the two of p, and a map shows the divergence of every q."
FIRST = {"target": "two bells", "direction": "forward", "mean": 0.5, "std": 1.5}


@pytest.fixture(scope="module")
def data():
    explorer = KLExplorer(ALT)
    assert explorer.first[1] == FIRST
    return explorer.first[0]


def compute(data, **state):
    return KLExplorer.compute(data, FIRST | state)


def test_the_best_q_has_the_mixture_s_mean_and_width_forward_and_lies_on_a_bell_in_reverse():
    found = best(TARGETS["two bells"])
    ((mean, std, _),) = found["forward"]
    assert (mean, std) == pytest.approx((-0.4, math.sqrt(0.6**2 + 0.6 * 1.6**2 + 0.4 * 2.4**2)), abs=1e-5)
    for (mean, std, nats), (share, middle, width) in zip(found["reverse"], TARGETS["two bells"], strict=True):
        assert (mean, std) == pytest.approx((middle, width), abs=0.01)
        assert nats == pytest.approx(-math.log(share), abs=0.01)
    assert best(TARGETS["one bell"]) == {name: [[-0.5, 1.2, 0.0]] for name in DIRECTIONS}


@pytest.mark.parametrize("direction", DIRECTIONS)
def test_what_is_stored_as_best_costs_what_is_said_and_less_than_its_neighbours(data, direction):
    for mean, std, nats in data["best"]["two bells"][direction]:
        cost = lambda m, s: compute(data, mean=m, std=s)[direction]
        assert cost(mean, std) == pytest.approx(nats, abs=1e-6)
        assert min(cost(mean + m, std + s) for m, s in ((0.01, 0), (-0.01, 0), (0, 0.01), (0, -0.01))) > nats + 1e-6


@pytest.mark.parametrize(("mean", "std"), [(0.5, 1.5), (-4.0, 0.3), (4.0, 4.0), (-0.5, 1.2)])
def test_for_one_bell_the_sum_is_the_closed_form_and_for_two_there_is_none(data, mean, std):
    found = compute(data, target="one bell", mean=mean, std=std)
    assert found["forward"] == pytest.approx(math.log(std / 1.2) + (1.44 + (mean + 0.5) ** 2) / (2 * std**2) - 0.5)
    assert (found["closed_forward"], found["closed_reverse"]) == pytest.approx((found["forward"], found["reverse"]))
    two = compute(data, mean=mean, std=std)
    assert (two["closed_forward"], two["closed_reverse"]) == (None, None)


@pytest.mark.parametrize(("mean", "std"), [(-4.0, 0.3), (4.0, 0.3), (0.0, 4.0)])
def test_jensen_shannon_stays_between_0_and_ln_2_however_far_apart(data, mean, std):
    for target in TARGETS:
        assert 0 < compute(data, target=target, mean=mean, std=std)["js"] < math.log(2)
    assert compute(data, target="one bell", mean=-0.5, std=1.2)["js"] == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("direction", DIRECTIONS)
def test_the_shaded_area_is_the_divergence(data, direction):
    found = compute(data | {"drawn": WIDE}, direction=direction)
    dx = (WIDE[1] - WIDE[0]) / (WIDE[2] - 1)
    assert sum(found["integrand"]) * dx == pytest.approx(found[direction])
    assert sum(found["p"]) * dx == pytest.approx(1) == pytest.approx(sum(found["q"]) * dx)


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("direction", DIRECTIONS)
def test_the_map_has_each_q_s_divergence_where_its_mean_and_width_are(data, target, direction):
    drawn = torch.tensor(compute(data, target=target, direction=direction)["map"])
    assert drawn.shape == (len(data["map"]["std"]), len(data["map"]["mean"]))
    for row, column in ((0, 3), (12, 30), (24, 0)):
        at = {"mean": data["map"]["mean"][column], "std": data["map"]["std"][row]}
        found = compute(data, target=target, direction=direction, **at)
        assert drawn[row, column].item() == pytest.approx(found[direction], rel=1e-5)


def test_the_still_has_both_densities_the_integrand_q_on_the_map_and_the_best(data):
    state = FIRST | {"mean": 1.0, "std": 0.7, "direction": "reverse"}
    found, figure = KLExplorer.compute(data, state), KLExplorer.figure(data, state)
    png, (left, right) = figures.png(figure), figure.axes
    xs = torch.linspace(*DRAWN[:2], DRAWN[2]).tolist()
    for name, colour in (("p", figures.BLUE), ("q", figures.ORANGE)):
        along = [shown(png, colour, left, x, y, radius=2) for x, y in zip(xs[::6], found[name][::6], strict=True)]
        assert sum(each > 0 for each in along) > 12, name
    tall = [(x, y) for x, y in zip(xs, found["integrand"], strict=True) if 0.3 < abs(y) < 0.5]
    assert sum(shown(png, "#F3DCEE", left, x, y / 2, radius=2) > 0 for x, y in tall) >= len(tall) - 1 > 0
    assert not any(shown(png, "#F3DCEE", left, x, -y / 2, radius=2) for x, y in tall)
    assert shown(png, figures.ORANGE, right, 1.0, 0.7, radius=4) > 8
    for mean, std, _ in data["best"]["two bells"]["reverse"]:
        assert shown(png, figures.INK, right, mean, std, radius=4) > 5
    assert right.get_title(loc="left") == "KL(q‖p): + bottom of a valley, ▲ q"
    assert f"{found['reverse']:.2f} nats" in left.get_title(loc="left")
