"""The explorer of chapter 17b: the tilt is the best at every price, and best of n is what counting all draws gives."""

import itertools
import math

import pytest
import torch
from live_cases import ALT

from course_lib.chapters.ch17b_preferences_and_rewards.explorer import REFERENCE, REWARDS, TiltExplorer, best_of, moved

f64 = torch.float64
P = torch.tensor(REFERENCE, dtype=f64)


@pytest.fixture(scope="module")
def compute():
    explorer = TiltExplorer(ALT)
    yield lambda **changes: TiltExplorer.compute(explorer.first[0], explorer.first[1] | changes)
    explorer.close()


@pytest.mark.parametrize("rewards", [REWARDS, (0.0, 1.0, 1.0, -1.0, 0.0), (2.0,) * 5])
def test_best_of_three_is_a_count_over_all_draws(rewards):
    expected = [0.0] * 5
    for draws in itertools.product(range(5), repeat=3):
        best = max(draws, key=lambda i: rewards[i])  # of equal ones the first drawn
        expected[best] += math.prod(REFERENCE[i] for i in draws)
    found = best_of(P, torch.tensor(rewards, dtype=f64), 3)
    torch.testing.assert_close(found, torch.tensor(expected, dtype=f64), rtol=1e-12, atol=1e-14)
    torch.testing.assert_close(best_of(P, torch.tensor(rewards, dtype=f64), 1), P)


@pytest.mark.parametrize("power", [-1.5, -0.3, 0.7])
def test_no_other_model_is_worth_more_than_the_tilt(compute, power):
    found, r = compute(power=power), torch.tensor(REWARDS, dtype=f64)
    worth = lambda q: q @ r - found["beta"] * moved(q, P)
    assert found["value"] == pytest.approx(worth(torch.tensor(found["q"], dtype=f64)).item(), rel=1e-10)
    others = torch.distributions.Dirichlet(torch.ones(5, dtype=f64)).sample((500,))
    assert max(worth(q).item() for q in (*others, P)) < found["value"]
    assert found["reward"]["q"] - found["beta"] * found["moved"]["q"] == pytest.approx(found["value"], rel=1e-10)


@pytest.mark.parametrize("n", [2, 4, 16])
def test_best_of_n_lies_under_the_line_and_costs_less_than_its_bound(compute, n):
    found = compute(n=n)
    line = sorted(map(tuple, found["line"]))
    after = next(i for i, (kl, _) in enumerate(line) if kl > found["moved"]["best"])
    (x0, y0), (x1, y1) = line[after - 1 : after + 1]
    at = y0 + (y1 - y0) * (found["moved"]["best"] - x0) / (x1 - x0)
    assert found["reward"]["best"] < at
    assert found["moved"]["best"] <= math.log(n) - (n - 1) / n + 1e-12


def test_the_ends_of_the_prices(compute):
    cheap, dear = compute(power=-2.0), compute(power=1.0)
    assert cheap["q"][4] > 0.999
    assert cheap["moved"]["q"] == pytest.approx(-math.log(0.04), rel=1e-3)
    assert max(abs(a - b) for a, b in zip(dear["q"], REFERENCE, strict=True)) < 0.05


def test_the_still_names_the_answer_that_moved_most(compute):
    explorer = TiltExplorer(ALT)
    figure = explorer.figure(explorer.first[0], explorer.first[1] | {"power": -2.0})
    assert figure.axes[0].get_title(loc="left") == "β = 0.01: E goes from 0.04 to 1.00"
    assert len(figure.axes[0].patches) == 15
    explorer.close()
