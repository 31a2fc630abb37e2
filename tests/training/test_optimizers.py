"""Schedules, and which optimizer has which parameters."""

import pytest
from runs import language

from course_lib.training.optimizers import adamw, warmup_then_cosine, warmup_then_linear


def test_schedules_and_arguments():
    assert [warmup_then_linear(s, 0.2, 0.5) for s in (0, 0.1, 0.2, 0.5, 0.75, 1)] == [0, 0.5, 1, 1, 0.5, 0]
    assert warmup_then_linear(0.0, 0.0, 0.0) == 1
    assert [round(warmup_then_cosine(s, 0.2, 0.1), 9) for s in (0, 0.1, 0.2, 0.6, 1)] == [0, 0.5, 1, 0.55, 0.1]
    for call, message in (
        (lambda: warmup_then_linear(1.5), "share: expected 0 to 1, got 1.5"),
        (lambda: warmup_then_linear(0.5, 0.6, 0.6), "warmup, decay: expected shares"),
        (lambda: warmup_then_cosine(0.5, 1.0), "warmup: expected a share below 1, got 1.0"),
    ):
        with pytest.raises(ValueError, match=message):
            call()


def test_muon_has_the_matrices_of_the_blocks_and_adamw_all_else():
    model, trained, _ = language("muon")
    groups = {k: [id(p) for g in o.param_groups for p in g["params"]] for k, o in trained.optimizers.items()}
    assert sorted(groups["muon"] + groups["adamw"]) == sorted(id(p) for p in model.parameters())
    assert set(groups["muon"]) == {id(p) for p in model.blocks.parameters() if p.ndim == 2}
    decays = [(g["weight_decay"], {p.ndim for p in g["params"]}) for g in adamw(model, 1e-3).param_groups]
    assert decays == [(0.1, {2}), (0.0, {1})]
