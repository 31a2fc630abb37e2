"""The explorer of chapter 06: its numbers are the integrals that they stand for, and what it asks has the answer given."""

import itertools

import pytest
import torch
from pictures import shown
from torch.distributions import Normal, kl_divergence

from course_lib.chapters.ch06_vae_math.explorer import BoundExplorer, bell, missing
from course_lib.classroom import figures
from course_lib.classroom.live import source

GRID = torch.linspace(-20, 20, 40_001, dtype=torch.float64)
DZ = 1e-3


def state(mean=0.5, width=0.8, x=1.6, noise=0.6):
    return {"mean": mean, "width": width, "x": x, "noise": noise}


STATES = [state(*each) for each in itertools.product((-2.0, 0.37, 2.0), (0.1, 1.5), (-2.0, 1.6), (0.5, 1.5))]


@pytest.mark.parametrize("at", STATES, ids=str)
def test_every_number_is_the_integral_that_it_stands_for(at):
    found = BoundExplorer.compute({}, at)
    q = Normal(torch.tensor(at["mean"], dtype=torch.float64), at["width"])
    log_q, log_prior = q.log_prob(GRID), Normal(torch.zeros((), dtype=torch.float64), 1.0).log_prob(GRID)
    log_likelihood = Normal(GRID, at["noise"]).log_prob(torch.tensor(at["x"], dtype=torch.float64))
    joint = log_prior + log_likelihood
    log_p = (joint.logsumexp(0).exp() * DZ).log()
    mean_of = lambda values: (log_q.exp() * values).sum() * DZ
    expected = {
        "log_p": log_p,
        "recon": mean_of(log_likelihood),
        "kl": mean_of(log_q - log_prior),
        "elbo": mean_of(joint - log_q),
        "gap": mean_of(log_q - joint + log_p),
    }
    for name, value in expected.items():
        assert found[name] == pytest.approx(value.item(), abs=1e-8), name
    mean = ((joint - log_p).exp() * GRID).sum() * DZ
    spread = (((joint - log_p).exp() * (GRID - mean) ** 2).sum() * DZ).sqrt()
    assert found["posterior"] == pytest.approx([mean.item(), spread.item()], abs=1e-8)
    prior = Normal(torch.zeros((), dtype=torch.float64), 1.0)
    assert found["kl"] == pytest.approx(kl_divergence(q, prior).item())


def test_the_elbo_is_largest_at_the_posterior_which_is_best_at_neither_term():
    m, s = BoundExplorer.compute({}, state())["posterior"]
    top = BoundExplorer.compute({}, state(m, s))
    assert top["gap"] == pytest.approx(0, abs=1e-12)
    assert top["elbo"] == pytest.approx(top["log_p"])
    for mean, width in itertools.product((-0.2, 0.0, 0.2), (0.9, 1.0, 1.1)):
        if (mean, width) != (0.0, 1.0):
            assert BoundExplorer.compute({}, state(m + mean, s * width))["elbo"] < top["elbo"]
    reconstructs = BoundExplorer.compute({}, state(1.6, 0.1))
    assert reconstructs["recon"] > top["recon"] + 0.3
    assert reconstructs["elbo"] < top["elbo"] - 0.5
    assert BoundExplorer.compute({}, state(0.0, 1.0))["kl"] == 0 < top["kl"]


def test_a_small_gap_keeps_two_digits_and_rounding_alone_is_none():
    gaps = (1.234, 0.0996, 0.0012, 1e-4, 2e-16, -2e-16)
    assert [missing(gap) for gap in gaps] == ["1.23", "0.1", "0.0012", "0.0001", "0", "0"]


def test_the_still_shows_the_three_bells_and_the_ladder():
    explorer = BoundExplorer("an explorer of a bound for the test of its still")
    assert source(explorer.module).count("export default live.explorer") == 1
    figure = explorer.figure(*explorer.first)
    png, (left, right) = figures.png(figure), figure.axes
    assert png == explorer.still()
    found = explorer.compute(*explorer.first)
    z = torch.tensor([-1.0], dtype=torch.float64)
    assert shown(png, figures.TEAL, left, -1, bell(z, 0.5, 0.8).item())
    assert shown(png, figures.MUTE, left, -1, bell(z, 0.0, 1.0).item(), radius=9)
    m, s = found["posterior"]
    assert shown(png, figures.INK, left, m, bell(torch.tensor([m]), m, s).item(), radius=6, tolerance=60)
    recon, elbo, log_p = (found[name] for name in ("recon", "elbo", "log_p"))
    bars = ((recon, 0, 2, figures.ORANGE), (elbo, recon, 1, figures.MUTE), (elbo, log_p, 0, figures.BERRY))
    for low, high, y, colour in bars:  # the upper edges
        for part in (0.08, 0.92):
            assert shown(png, colour, right, low + part * (high - low), y + 0.2), (low, y)
        assert not shown(png, colour, right, low - 0.2, y + 0.2)
    assert BoundExplorer("words", x=-1.0, noise=1.5).still() != png
