"""Wilson's interval against SciPy's, against what defines it, and counted over all outcomes."""

import math

import pytest
from scipy.stats import binom, binomtest, norm

from course_lib.evaluation.proportions import wilson_interval

CASES = [(0, 1), (1, 1), (0, 7), (3, 7), (7, 7), (5, 200), (123, 200), (200, 200), (1, 100_000)]


@pytest.mark.parametrize(("right", "n"), CASES)
@pytest.mark.parametrize("level", [0.5, 0.95, 0.999])
def test_it_is_scipys(right, n, level):
    expected = binomtest(right, n).proportion_ci(level, method="wilson")
    assert wilson_interval(right, n, norm.ppf((1 + level) / 2)) == pytest.approx(tuple(expected), abs=1e-12)


@pytest.mark.parametrize(("right", "n"), CASES)
def test_at_its_ends_the_count_is_z_standard_errors_away(right, n):
    low, high = wilson_interval(right, n, z=1.7)
    assert 0 <= low < high <= 1
    for end in (low, high):
        if 0 < end < 1:
            assert abs(right / n - end) == pytest.approx(1.7 * math.sqrt(end * (1 - end) / n), rel=1e-9)
    assert (low == 0) == (right == 0)
    assert (high == 1) == (right == n)


def test_by_hand():
    assert wilson_interval(0, 4, z=2) == pytest.approx((0, 1 / 2))  # z²/(n + z²)
    assert wilson_interval(2, 4, z=2) == pytest.approx((0.5 - 8**-0.5, 0.5 + 8**-0.5))  # z/(2 √(n + z²))
    assert wilson_interval(3, 4, z=0) == pytest.approx((3 / 4, 3 / 4))


def test_of_twenty_questions_it_holds_the_true_share_about_as_often_as_it_says():
    """Summed over all outcomes; p̂ ± 1.96 √(p̂ (1 − p̂)/n), which has no width at 0, holds it far more rarely."""
    n, share = 20, 0.06
    chances = binom.pmf(range(n + 1), n, share)
    intervals = [wilson_interval(k, n) for k in range(n + 1)]
    holds = sum(chance for chance, (low, high) in zip(chances, intervals, strict=True) if low <= share <= high)
    wald = sum(
        c for k, c in enumerate(chances) if abs(k / n - share) <= 1.96 * math.sqrt(k / n * (1 - k / n) / n)
    )  # fmt: skip
    assert holds > 0.9
    assert wald < 0.75


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0, 0), "n: expected at least 1, got 0"),
        ((3, 2), "right: expected 0 to n = 2, got 3"),
        ((-1, 2), "right: expected 0 to n = 2, got -1"),
        ((1, 2, -1.0), "z: expected a finite number of at least 0, got -1.0"),
        ((1, 2, math.nan), "z: .*, got nan"),
        ((1, 2, math.inf), "z: .*, got inf"),
    ],
)
def test_mistakes_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        wilson_interval(*arguments)
