"""A check leaves no trace: generators, settings, folder, environment and streams are as they were."""

import os
import random
import sys

import numpy as np
import pytest
import torch
from toys import toy

from course_lib.classroom.exercises.check import check
from course_lib.classroom.exercises.guard import undisturbed


def test_a_check_leaves_no_trace(cell, capsys):
    torch.manual_seed(5)
    np.random.seed(5)
    before = torch.get_rng_state(), np.random.get_state()[1].tolist()
    threads, limit = torch.get_num_threads(), sys.getrecursionlimit()
    cell("""
        def double(x):
            import random, sys
            torch.manual_seed(9); random.seed(9); np.random.seed(9); torch.rand(3); random.random()
            torch.set_default_dtype(torch.float64); torch.set_grad_enabled(False); torch.set_num_threads(1)
            sys.setrecursionlimit(5000)
            torch.set_grad_enabled(True)
            return 2 * x
    """)
    assert "✓" in capsys.readouterr().out
    assert torch.equal(torch.get_rng_state(), before[0])
    assert np.random.get_state()[1].tolist() == before[1]
    assert torch.get_default_dtype() == torch.float32
    assert torch.is_grad_enabled()
    assert (torch.get_num_threads(), sys.getrecursionlimit()) == (threads, limit)


def test_pythons_generator_stays():
    """Apart from the test above, because the run-time check of signatures draws from this generator itself."""
    random.seed(5)
    before = random.getstate()
    with undisturbed():
        random.seed(9)
    assert random.getstate() == before


def test_the_callers_own_defaults_stay(cell, capsys):
    torch.set_default_dtype(torch.float64)
    try:
        with torch.no_grad():
            cell("def double(x):\n    return x * 2")
            assert not torch.is_grad_enabled()
        assert torch.get_default_dtype() == torch.float64
    finally:
        torch.set_default_dtype(torch.float32)
    assert "✓" in capsys.readouterr().out


SPOILERS = {
    "default device": lambda: torch.set_default_device("meta"),
    "deterministic": lambda: torch.use_deterministic_algorithms(True, warn_only=True),
    "anomaly": lambda: torch.autograd.set_detect_anomaly(True, False),
    "matmul": lambda: torch.set_float32_matmul_precision("medium"),
    "torch prints": lambda: torch.set_printoptions(precision=2, sci_mode=True, linewidth=33),
    "numpy prints": lambda: np.set_printoptions(precision=2, suppress=True),
    "numpy errors": lambda: np.seterr(all="raise"),
    "folder": lambda: os.chdir("/"),
    "environment": lambda: (os.environ.update(COURSE_DEVICE="cuda", NEW="1"), os.environ.pop("HOME", None)),
    "dtype": lambda: torch.set_default_dtype(torch.float64),
    "gradients": lambda: torch.set_grad_enabled(False),
}


def state():
    """All that a check must leave alone, read in ways of this test's own."""
    x = torch.tensor([1 / 3, 1e-9])
    return {
        "device": x.device.type,
        "dtype": x.dtype,
        "gradients": torch.is_grad_enabled(),
        "deterministic": (
            torch.are_deterministic_algorithms_enabled(),
            torch.is_deterministic_algorithms_warn_only_enabled(),
        ),
        "anomaly": (torch.is_anomaly_enabled(), torch.is_anomaly_check_nan_enabled()),
        "matmul": torch.get_float32_matmul_precision(),
        "prints": (repr(x), repr(np.array([1 / 3, 1e-9]))),
        "errors": np.geterr(),
        "folder": os.getcwd(),
        "environment": dict(os.environ),
    }


@pytest.mark.parametrize("spoil", SPOILERS.values(), ids=SPOILERS)
def test_settings_are_put_back_and_reach_no_later_call(spoil):
    before, seen = state(), []

    def double(x):
        seen.append(state())
        y = 2 * x
        spoil()
        return y

    assert check(double, toy()).state == "right"
    assert state() == before
    assert len(seen) >= 2
    assert all(each == seen[0] for each in seen)


def test_the_callers_own_settings_stay_and_do_not_disturb():
    mine = [lambda: torch.set_default_device("meta"), SPOILERS["matmul"], SPOILERS["torch prints"]]
    try:
        for spoil in mine:
            spoil()
        assert check(lambda x: 2 * x, toy()).state == "right"
        assert torch.get_default_device().type == "meta"
        assert torch.get_float32_matmul_precision() == "medium"
        assert "3.33e-01" in repr(torch.tensor([1 / 3, 1e-9], device="cpu"))
    finally:
        torch.set_default_device(None)
        torch.set_float32_matmul_precision("highest")
        torch.set_printoptions(profile="default")


def test_a_caller_within_a_device_or_without_gradients_is_met_on_the_processor():
    with torch.device("meta"), torch.inference_mode():
        assert check(lambda x: 2 * x, toy()).state == "right"
        assert torch.empty(1).device.type == "meta"
    assert torch.empty(1).device.type == "cpu"


def test_cards_are_not_started_and_two_give_no_warning(monkeypatch):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    started = []
    monkeypatch.setattr(torch.cuda, "_lazy_init", lambda: started.append("init"))
    monkeypatch.setattr(torch.cuda, "get_rng_state", lambda device="cuda": started.append(device) or torch.zeros(1))
    queued = list(torch.cuda._queued_calls)
    assert check(lambda x: 2 * x, toy()).state == "right"
    assert started == []
    assert torch.cuda._queued_calls == queued  # nor will they start from a seed of ours


def test_a_deleted_folder_is_no_obstacle(tmp_path, monkeypatch):
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    assert check(lambda x: 2 * x, toy()).state == "right"
