"""How noised numbers of two bells are spread, against SciPy and against the library's density."""

import numpy as np
import torch
from scipy import stats

from course_lib.chapters.ch15_diffusion.bells import BELLS, by_chance, farthest, share_below
from course_lib.diffusion.mixtures import log_density
from course_lib.diffusion.paths import COSINE, STRAIGHT


def test_shares_below_are_the_integral_of_the_density():
    x = torch.linspace(-6, 6, 12_001, dtype=torch.float64)
    for path in (STRAIGHT, COSINE):
        for t in (0.0, 0.4, 1.0):
            density = log_density(BELLS, x[:, None], torch.full_like(x, t), path).exp()
            summed = torch.cumulative_trapezoid(density, x)
            assert (share_below(x[1:], t, path) - summed).abs().max() < 1e-6


def test_the_farthest_gap_is_scipys_and_chance_exceeds_its_bound_once_in_a_thousand():
    sample = BELLS.sample(500, torch.Generator().manual_seed(0))[:, 0]
    cdf = lambda x: share_below(torch.as_tensor(np.asarray(x)), 1.0).numpy()
    assert abs(farthest(sample, 1.0) - stats.kstest(sample.numpy(), cdf).statistic) < 1e-12
    assert abs(stats.kstwobign.sf(by_chance(500) * 500**0.5) - 1e-3) < 1e-4
