"""Two arms on the same seeds: a worked value, and what SciPy's paired test divides."""

import pytest
import torch
from made import seeded
from scipy.stats import ttest_rel

from course_lib.evaluation.comparisons import paired_difference


def test_a_worked_value():
    mean, error = paired_difference(torch.tensor([3.0, 5.0, 7.0]), torch.tensor([2.0, 3.0, 4.0]))
    assert (mean.item(), error.item()) == pytest.approx((2, 3**-0.5))


def test_mean_over_error_is_the_statistic_of_the_paired_test():
    first, second = torch.randn(2, 7, dtype=torch.float64, generator=seeded(1)) + torch.tensor([[1.0], [0.5]])
    mean, error = paired_difference(first, second)
    assert (mean / error).item() == pytest.approx(ttest_rel(first.numpy(), second.numpy()).statistic)
