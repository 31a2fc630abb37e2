"""The ROC area against scikit-learn and SciPy."""

import pytest
import torch
from scipy.stats import mannwhitneyu
from sklearn.metrics import roc_auc_score

from course_lib.evaluation.auroc import auroc


def test_auroc_is_scikit_learns_and_the_mann_whitney_statistic_with_ties():
    generator = torch.Generator().manual_seed(0)
    for n, m in ((1, 1), (7, 300), (400, 13)):
        normal = torch.randint(12, (n,), generator=generator).double() / 4
        anomalous = torch.randint(3, 15, (m,), generator=generator).double() / 4
        truth = roc_auc_score([0] * n + [1] * m, torch.cat([normal, anomalous]))
        assert auroc(normal, anomalous) == pytest.approx(truth, abs=1e-12)
        assert auroc(normal, anomalous) == pytest.approx(mannwhitneyu(anomalous, normal).statistic / n / m, abs=1e-12)
        assert auroc(anomalous, normal) == pytest.approx(1 - truth, abs=1e-12)


def test_auroc_of_infinite_scores_and_its_errors():
    assert auroc(torch.tensor([0.0, -torch.inf]), torch.tensor([torch.inf])) == 1
    with pytest.raises(ValueError, match="got 0 and 1"):
        auroc(torch.empty(0), torch.ones(1))
    with pytest.raises(ValueError, match="got nan"):
        auroc(torch.ones(2), torch.tensor([torch.nan]))
