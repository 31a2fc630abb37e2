"""Noise put back, and missing coordinates filled in, where the conditional is known."""

import pytest
import torch
from torch import tensor

from course_lib.diffusion.inpainting import inpaint, noise_again
from course_lib.diffusion.mixtures import Mixture, exact
from course_lib.diffusion.paths import COSINE, PATHS, STRAIGHT, noised

f64 = torch.float64
TWO = Mixture(
    tensor([0.5, 0.5], dtype=f64), tensor([[1.0, 1.5], [-1.0, -1.5]], dtype=f64), tensor([0.5, 0.5], dtype=f64)
)


@pytest.mark.parametrize("path", PATHS.values(), ids=PATHS)
def test_noising_again_has_the_moments_of_the_earlier_time(path):
    now, then = tensor(0.35, dtype=f64), tensor(0.6, dtype=f64)
    x, eps, new = torch.randn(3, 200_000, dtype=f64, generator=torch.Generator().manual_seed(0))
    x = 0.4 * x + 2
    there = noised(x, eps, then.expand(len(x)), path)
    made = noise_again(there, new, path.at(now)[:2], path.at(then)[:2])
    (alpha, sigma) = path.at(now)[:2]
    left = made - alpha * x
    assert abs(left.mean()) < 5 * sigma / len(x) ** 0.5
    assert abs(left.var() / sigma**2 - 1) < 5 * (2 / len(x)) ** 0.5
    assert abs(torch.corrcoef(torch.stack([left, x]))[0, 1]) < 5 / len(x) ** 0.5


@pytest.mark.parametrize("path", [STRAIGHT, COSINE], ids=lambda p: p.name)
def test_jumps_bring_replacement_nearer_to_the_conditional(path):
    """Given 1.0, the second coordinate belongs to the upper bell with probability 1 / (1 + e⁻⁸)."""
    velocity = lambda x, t: exact(TWO, x, t, path)["velocity"]
    known = tensor([[1.0, 0.0]], dtype=f64).expand(500, 2).contiguous()
    mask = tensor([True, False])
    share = {}
    for jumps in (1, 10):
        made = inpaint(velocity, known, mask, 30, jumps, path, torch.Generator().manual_seed(1))
        assert (made[:, 0] == 1.0).all()
        share[jumps] = (made[:, 1] > 0).double().mean()
    assert share[1] < 0.88 < 0.93 < share[10]


def test_with_nothing_known_it_samples():
    velocity = lambda x, t: exact(TWO, x, t, STRAIGHT)["velocity"]
    made = inpaint(velocity, torch.zeros(4000, 2, dtype=f64), tensor([False, False]), 50, 1, STRAIGHT,
                   torch.Generator().manual_seed(2))  # fmt: skip
    true = TWO.sample(100_000, torch.Generator().manual_seed(3))
    assert (made.mean(0) - true.mean(0)).abs().max() < 0.15
    assert (made.var(0) / true.var(0) - 1).abs().max() < 0.1


def test_no_jumps_are_refused():
    with pytest.raises(ValueError, match="jumps: expected at least 1, got 0"):
        inpaint(lambda x, t: x, torch.zeros(2, 2), tensor([True, False]), 3, 0, STRAIGHT, torch.Generator())
