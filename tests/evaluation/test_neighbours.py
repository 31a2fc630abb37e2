"""Each metric against SciPy or scikit-learn, and on sets whose figure is known: identical, disjoint, thinned, repeated."""

import math

import pytest
import torch
from clouds import modes, normal
from made import seeded
from scipy.stats import mannwhitneyu
from sklearn.neighbors import NearestNeighbors
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import FlopCounterMode

from course_lib.evaluation.frechet import (
    frechet_distance,
    kernel_distance,
)
from course_lib.evaluation.neighbours import density_and_coverage, memorisation, nearest, precision_and_recall


def balls(x, k):
    return NearestNeighbors(n_neighbors=k + 1).fit(x).kneighbors(x)[0][:, -1]


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
@pytest.mark.parametrize(("n", "m", "k"), [(83, 61, 3), (1207, 709, 5), (40, 520, 1)])
def test_manifolds_are_those_of_scikit_learns_neighbours(n, m, k, dtype):
    real, fake = normal(n, 6, 1).to(dtype), normal(m, 6, 2, scale=1.2, shift=0.5).to(dtype)
    apart = torch.cdist(real.double(), fake.double(), compute_mode="donot_use_mm_for_euclid_dist").numpy()
    in_real, in_fake = apart <= balls(real, k)[:, None], apart <= balls(fake, k)[None]
    found = precision_and_recall(real, fake, k)
    assert found == pytest.approx((in_real.any(0).mean(), in_fake.any(1).mean()), abs=1e-12)
    found = density_and_coverage(real, fake, k)
    assert found == pytest.approx((in_real.sum(0).mean() / k, in_real.any(1).mean()), abs=1e-12)


def test_a_common_offset_costs_no_digits():
    """|x|² + |y|² − 2 x·y of rows far from 0 would lose them all in float32."""
    real, fake = (x.float() + 1000 for x in (normal(300, 6, 1), normal(200, 6, 2, shift=0.5)))
    assert density_and_coverage(real, fake) == density_and_coverage(real.double(), fake.double())
    assert precision_and_recall(real, fake) == precision_and_recall(real.double(), fake.double())


@pytest.mark.parametrize("seed", range(5))
def test_narrow_clusters_keep_their_figures_in_float32(seed):
    """Rows 1e-3 apart and 8 from the middle: a product in float32 has no digit of their distances left."""
    centres = torch.randn(10, 64, generator=seeded(seed))
    real, fake = (
        centres[torch.arange(500) % 10] + 1e-3 * torch.randn(500, 64, generator=seeded(10 * seed + s)) for s in (1, 2)
    )
    apart = torch.cdist(real.double(), fake.double(), compute_mode="donot_use_mm_for_euclid_dist").numpy()
    in_real = apart <= balls(real.double(), 5)[:, None]
    assert density_and_coverage(real, fake) == pytest.approx((in_real.sum(0).mean() / 5, in_real.any(1).mean()))
    in_real, in_fake = apart <= balls(real.double(), 3)[:, None], apart <= balls(fake.double(), 3)[None]
    assert precision_and_recall(real, fake) == pytest.approx((in_real.any(0).mean(), in_fake.any(1).mean()))
    assert nearest(fake, real)[0].numpy() == pytest.approx(apart.min(0), rel=1e-5)
    assert memorisation(fake, real, real + 0).nearer == 0  # the held-out ones are copies, the fakes near misses


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_identical_and_disjoint_sets(dtype):
    real = (normal(1100, 64, 1) + 3).to(dtype)
    assert precision_and_recall(real, real.clone()) == (1, 1)
    density, coverage = density_and_coverage(real, real.clone())
    assert coverage == 1
    assert density == pytest.approx(6 / 5, abs=1e-3)  # itself and five others, the fifth on the rim
    assert precision_and_recall(real, real + 100) == (0, 0)
    assert density_and_coverage(real, real + 100) == (0, 0)
    assert memorisation(real, real, real + 1) == (1, 1)


def test_two_samples_of_one_distribution_have_density_one_and_the_expected_coverage():
    n, k = 1000, 5
    found = torch.tensor([density_and_coverage(normal(n, 5, 2 * s), normal(n, 5, 2 * s + 1)) for s in range(5)])
    expected = 1 - math.prod(n - i for i in range(1, k + 1)) / math.prod(2 * n - i for i in range(1, k + 1))
    assert found.mean(0).tolist() == pytest.approx([1, expected], abs=0.02)


def test_dropped_modes_cost_recall_and_coverage_alone():
    real, fake = modes(2000, 1), modes(2000, 2, which=range(6))
    precision, recall = precision_and_recall(real, fake)
    density, coverage = density_and_coverage(real, fake)
    whole = density_and_coverage(real, modes(2000, 2))
    assert precision == pytest.approx(precision_and_recall(real, modes(2000, 2)).precision, abs=0.03)
    assert recall == pytest.approx(0.6, abs=0.08)
    assert density == pytest.approx(whole.density, rel=0.1)
    assert coverage == pytest.approx(0.6, abs=0.02)


def test_repeated_samples_keep_precision_and_lose_the_rest():
    """Ten images, 100 times each: their balls have radius 0, and each covers few reals."""
    real = modes(1000, 1)
    fake = modes(10, 2).repeat(100, 1)
    precision, recall = precision_and_recall(real, fake)
    assert precision > 0.6
    assert recall == 0
    assert density_and_coverage(real, fake).coverage < 0.1
    copied = real[:10].repeat(100, 1)
    assert precision_and_recall(real, copied) == (1, 0.01)
    assert precision_and_recall(copied, real[:10]).precision == 1  # a ball of radius 0 holds its centre


def test_one_outlier_swells_the_manifold_and_leaves_density_alone():
    """What Naeem et al. 2020 hold against precision."""
    real, far = normal(500, 3, 1), normal(500, 3, 2, shift=8)
    with_outlier = torch.cat([real, torch.full((1, 3), 9.0).double()])
    assert precision_and_recall(real, far).precision == 0
    assert precision_and_recall(with_outlier, far).precision > 0.9
    assert density_and_coverage(with_outlier, far).density < 0.5


def test_nearest_is_scikit_learns():
    x, among = normal(701, 12, 1), normal(305, 12, 2)
    distances, indices = NearestNeighbors(n_neighbors=1).fit(among).kneighbors(x)
    found = nearest(x, among)
    assert torch.equal(found[1], torch.from_numpy(indices[:, 0]))
    torch.testing.assert_close(found[0], torch.from_numpy(distances[:, 0]))


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_copies_are_at_distance_zero(dtype):
    among = torch.randint(-3, 4, (900, 784), generator=seeded(0)).to(dtype) / 7 + 1
    distances, indices = nearest(among[100:800], among)
    assert torch.equal(distances, torch.zeros(700, dtype=dtype))
    assert torch.equal(indices, torch.arange(100, 800))


def test_memorisation_is_the_mann_whitney_statistic_and_finds_copies():
    train, held_out, fresh = normal(800, 5, 1), normal(600, 5, 2), normal(700, 5, 3)
    of_fresh, of_held_out = (
        NearestNeighbors(n_neighbors=1).fit(train).kneighbors(x)[0][:, 0] for x in (fresh, held_out)
    )
    honest = memorisation(fresh, train, held_out)
    statistic = mannwhitneyu(of_held_out, of_fresh).statistic
    assert honest.nearer == pytest.approx(statistic / (600 * 700), abs=1e-12)
    assert honest.nearer == pytest.approx(0.5, abs=0.04)
    assert honest.copies == pytest.approx(0.01, abs=0.015)
    assert memorisation(train[:300], train, held_out) == (1, 1)
    few = memorisation(torch.cat([fresh, train[:70]]), train, held_out)  # one in eleven is a copy
    assert few.copies == pytest.approx((70 + 700 * honest.copies) / 770, abs=1e-12)
    assert memorisation(held_out, train, held_out).nearer == 0.5  # ties count half
    assert memorisation(fresh + 50, train, held_out) == (0, 0)


class Largest(TorchDispatchMode):
    """Remembers the number of elements of the largest tensor that an operation gives back."""

    elements = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        result = func(*args, **(kwargs or {}))
        for tensor in tree_leaves(result):
            if isinstance(tensor, torch.Tensor):
                self.elements = max(self.elements, tensor.numel())
        return result


@pytest.mark.parametrize(
    ("metric", "products"),
    [(frechet_distance, 0.1), (kernel_distance, 3), (density_and_coverage, 2), (precision_and_recall, 3)],
)
def test_many_images_cost_a_few_matrix_products_and_never_a_whole_matrix_of_distances(metric, products):
    """Counted, not timed: how many n × n tables of inner products are multiplied out, a part of each at a time."""
    n, d = 4_000, 64
    a, b = (torch.randn(n, d, generator=seeded(s)) for s in range(2))
    with FlopCounterMode(display=False) as counted, Largest() as largest:
        metric(a, b)
    assert counted.get_total_flops() <= 1.05 * products * 2 * n * n * d
    assert largest.elements <= n * n / 8
