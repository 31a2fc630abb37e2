"""The phase portrait of chapter 10: path, multipliers and field of a state, its verdict, its still."""

import itertools
import math
from dataclasses import asdict

import pytest
import torch
from pictures import shown

from course_lib.chapters.ch10_gan_dynamics.phase import EDGE, PhaseExplorer, PhaseState, size, verdict
from course_lib.classroom import figures
from course_lib.gan.dirac import SLOPES, dirac_field

DATA, FIRST = PhaseExplorer("Field, path, distance and multipliers of the Dirac-GAN.").first


def compute(**state):
    return PhaseExplorer.compute(DATA, FIRST | state)


def test_the_first_state_is_the_default_and_another_can_be_given():
    assert asdict(PhaseState()) == FIRST
    assert PhaseExplorer("Another start.", PhaseState(theta=-1.0, method="optimistic")).first[1] == FIRST | {
        "theta": -1.0,
        "method": "optimistic",
    }


@pytest.mark.parametrize(("name", "value"), [("method", "together"), ("loss", "hinge")])
def test_an_update_or_a_loss_that_is_not_known_is_named(name, value):
    with pytest.raises(ValueError, match=rf"{name}: expected one of .*, got '{value}'"):
        PhaseState(**{name: value})


def test_one_step_by_hand():
    found = compute(theta=1.0, psi=-0.5, steps=1, rate_g=0.3, rate_d=0.2, gamma=0.4, loss="wasserstein")
    assert found["path"] == [[1.0, -0.5], pytest.approx([1.0 - 0.3 * 0.5, -0.5 + 0.2 * (-1.0 + 0.4 * 0.5)])]
    assert found["distance"][0] == pytest.approx(math.hypot(1.0, 0.5))
    assert found["mean"][1] == pytest.approx([0.925, -0.58])


@pytest.mark.parametrize("rate", [0.05, 0.2, 1.0])
def test_the_multipliers_are_those_of_the_determinant_conjugates_in_a_fixed_order(rate):
    found = compute(rate_g=rate, rate_d=rate)
    assert found["multipliers"] == [pytest.approx([1, -rate / 2]), pytest.approx([1, rate / 2])]
    assert found["largest"] == pytest.approx(math.sqrt(1 + rate**2 / 4))
    assert compute(rate_g=rate, rate_d=rate, method="alternating")["largest"] == pytest.approx(1)
    assert len(compute(rate_g=rate, rate_d=rate, method="optimistic")["multipliers"]) == 4


def test_who_runs_away_stops_where_numbers_can_still_be_drawn():
    found = compute(theta=2.5, psi=2.5, gamma=4.0, rate_g=2.0, rate_d=2.0, loss="wasserstein")
    assert max(abs(x) for pair in found["path"] for x in pair) == EDGE
    assert all(math.isfinite(x) for x in found["distance"])


@pytest.mark.parametrize("loss", SLOPES)
def test_the_field_has_a_row_for_each_psi(loss):
    found = torch.tensor(compute(loss=loss, gamma=0.5)["field"], dtype=torch.float64)
    ticks = torch.linspace(-DATA["plane"], DATA["plane"], DATA["arrows"], dtype=torch.float64)
    for row, column in ((0, 14), (3, 11), (7, 7)):
        expected = dirac_field(ticks[column], ticks[row], 0.5, loss)
        assert found[row, column].tolist() == pytest.approx([x.item() for x in expected])


@pytest.mark.parametrize(
    ("largest", "digits", "says"),
    [
        (0.99, "0.9900", "the pair comes nearer"),
        (1.01, "1.0100", "the pair moves away"),
        (1.000014, "1.000014", "the pair moves away"),
        (1 - 1.2e-6, "0.9999988", "the pair comes nearer"),
        (1.0, "1", "that alone does not decide"),
        (1 + 3e-8, "1", "that alone does not decide"),
    ],
)
def test_the_verdict_has_the_digits_that_tell_the_modulus_from_1_and_is_none_at_1(largest, digits, says):
    assert (size(largest), verdict(largest)) == (digits, says)


def test_at_1_the_loss_decides_and_a_double_multiplier_is_1_too():
    slow = compute(method="alternating", loss="nonsaturating", steps=2000)
    assert [round(slow["distance"][n], 2) for n in (200, 2000)] == [0.42, 0.14]
    round_about = compute(method="alternating", steps=2000)["distance"]
    assert 1.4 < min(round_about) < max(round_about) < 1.6
    double = compute(method="alternating", loss="wasserstein", rate_g=2.0, rate_d=2.0)
    assert double["distance"][-1] > 800
    assert {verdict(found["largest"]) for found in (slow, double)} == {"that alone does not decide"}


def test_single_steps_near_the_end_may_differ_much_from_the_multiplier():
    found = compute(theta=1e-6, psi=0.0, rate_g=0.01, rate_d=2.0, steps=2000)
    ratios = [b / a for a, b in itertools.pairwise(found["distance"])]
    assert found["largest"] == pytest.approx(1.0025, abs=1e-5)
    assert (min(ratios), max(ratios)) == pytest.approx((0.62, 1.61), abs=0.02)
    assert (found["distance"][-1] / found["distance"][0]) ** (1 / 2000) == pytest.approx(1.0025, abs=0.002)


STATES = [
    FIRST,
    FIRST | {"theta": -1.2, "psi": 1.8, "gamma": 0.3, "rate_g": 0.1, "rate_d": 0.1, "method": "alternating"},
    FIRST | {"theta": 2.0, "psi": -1.0, "rate_d": 0.05, "method": "optimistic", "loss": "nonsaturating"},
]


@pytest.mark.parametrize("state", STATES, ids=lambda s: s["method"])
def test_the_still_has_path_ends_mean_distance_and_multipliers_where_the_state_says(state):
    found, figure = PhaseExplorer.compute(DATA, state), PhaseExplorer.figure(DATA, state)
    png, (plane, distance, circle) = figures.png(figure), figure.axes
    end = [min(2.6, max(-2.6, x)) for x in found["path"][-1]]
    assert shown(png, figures.ORANGE, plane, *end, radius=5) > 10
    assert shown(png, figures.INK, plane, *found["path"][0], radius=3) > 15
    assert sum(shown(png, figures.INK, plane, *found["path"][step]) > 2 for step in range(5, 60, 5)) > 6
    assert sum(shown(png, figures.TEAL, plane, *mean) for mean in found["mean"][5:60:5]) > 20
    for step in (40, 120, 180):
        assert shown(png, figures.INK, distance, step, found["distance"][step], radius=3, tolerance=90) > 1
    for rate in found["multipliers"]:
        assert shown(png, figures.BERRY, circle, *rate, radius=3) > 15
    fate = f"|μ| = {size(found['largest'])}:\n{verdict(found['largest'])}"
    assert fate in circle.get_title(loc="left")
    assert f"{found['distance'][-1]:.3g} after 200 steps" in distance.get_title(loc="left")
