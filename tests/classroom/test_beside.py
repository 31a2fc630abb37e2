"""A live number beside the recorded ones: which interval it is, what the reader is told, how often chance says outside."""

import math
import re
from pathlib import Path

import pytest
import torch

from course_lib.classroom.beside import LEAST_SEEDS, OUTSIDE, beside
from course_lib.classroom.claims import claim

FIVE = [2.0, 1.0, 1.25, 1.5, 1.75]  # the range is 1: from 0 to 3
CONFIGURED = (Path(__file__).parents[1] / "nbval.cfg").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("live", "outside"),
    [(0.0, 0), (3.0, 0), (-0.01, 1), (3.01, 1), (math.nan, 1), (math.inf, 1), ([0.5, 9.0, -9.0], 2)],
)
def test_the_interval_is_the_recorded_one_and_its_range_at_either_end(live, outside):
    found = beside(live, FIVE, "abacus")
    assert (found.interval, found.outside) == ((0.0, 3.0), outside)


@pytest.mark.parametrize(
    ("live", "said"),
    [
        (1.23456, "1.235 (recorded 1 … 2, give or take their range: yours is inside; 5 seeds, abacus)"),
        (
            torch.tensor([0.5, 1]),
            "[0.5, 1] (recorded 1 … 2, give or take their range: yours are inside; 5 seeds, abacus)",
        ),
        (4, f"4 (recorded 1 … 2, give or take their range: yours is outside, {OUTSIDE}; 5 seeds, abacus)"),
        (
            [4, 1],
            f"[4, 1] (recorded 1 … 2, give or take their range: yours: 1 of 2 outside, {OUTSIDE}; 5 seeds, abacus)",
        ),
    ],
)
def test_the_reader_is_told_where_the_number_lies_and_what_that_means(live, said):
    assert str(beside(live, torch.tensor(FIVE), "abacus")) == said


def test_a_claim_prints_it_and_the_notebooks_validation_leaves_it_out(capsys):
    lines = []
    for live in (1.0, 9.0):  # outside is no error, and no difference to nbval
        claim("it learned", True, loss=beside(live, FIVE, "abacus"))
        lines.append(capsys.readouterr().out)
    assert (
        lines[0]
        == "✓ it learned\n    measured: loss = 1 (recorded 1 … 2, give or take their range: yours is inside; 5 seeds, abacus)\n"
    )
    for regex, replacement in re.findall(r"(?m)^regex: (.*)\nreplace: (.*)$", CONFIGURED):
        lines = [re.sub(regex, replacement, line) for line in lines]
    assert lines[0] == lines[1]


def test_each_has_a_line_of_its_own_after_the_other_measured_values(capsys):
    there = beside(1.0, FIVE, "abacus")
    claim("it learned", True, loss=there, steps=600, score=there, seeds=5)
    assert capsys.readouterr().out == (
        "✓ it learned\n    measured: steps = 600, seeds = 5\n"
        f"    measured: loss = {there}\n    measured: score = {there}\n"
    )


@pytest.mark.parametrize(
    ("live", "recorded", "message"),
    [
        (1.0, FIVE[:4], "recorded: expected at least 5 finite numbers"),
        (1.0, [*FIVE, math.nan], "recorded: expected at least 5 finite numbers"),
        ([], FIVE, "live: expected at least one number"),
    ],
)
def test_what_gives_no_interval_is_refused(live, recorded, message):
    with pytest.raises(ValueError, match=message):
        beside(live, recorded, "abacus")


@pytest.mark.parametrize("seeds", [LEAST_SEEDS, 8])
def test_chance_puts_3_in_100_further_seeds_outside_of_five_and_fewer_outside_of_more(seeds):
    draws = torch.randn(100_000, seeds + 1, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    low, high = draws[:, :-1].amin(1), draws[:, :-1].amax(1)
    room, further = high - low, draws[:, -1]
    share = ((further < low - room) | (further > high + room)).double().mean().item()
    assert 0.027 < share < 0.032 if seeds == LEAST_SEEDS else share < 0.01
    rows = [beside(row[-1], row[:-1], "") for row in draws[:200]]  # and the interval is the library's
    mine = torch.stack([low - room, high + room], dim=1)[:200]
    torch.testing.assert_close(torch.tensor([row.interval for row in rows], dtype=torch.float64), mine)
