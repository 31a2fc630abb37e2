"""claims, records, runtime and data."""

import json

import pytest
import torch

from course_lib import paths
from course_lib.training import runtime


def test_variables_decide(monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("COURSE_BUDGET", "full")
    monkeypatch.setenv("COURSE_HOME", "~/somewhere")
    assert runtime.runtime() == runtime.Runtime(torch.device("cpu"), "full")
    assert runtime.runtime().pick(quick=1, full=2) == 2
    assert paths.home().is_absolute()
    assert not paths.home().exists()
    threads = torch.get_num_threads()
    runtime.start(seed=3, threads=1)
    assert torch.get_num_threads() == 1
    torch.set_num_threads(threads)
    runtime.start(seed=3)
    assert torch.get_num_threads() == threads
    first = torch.rand(1)
    torch.manual_seed(3)
    assert torch.equal(first, torch.rand(1))
    assert "device: cpu · budget: full · seed: 3" in capsys.readouterr().out


def test_without_variables_the_machine_decides(monkeypatch):
    for name in ("COURSE_BUDGET", "COURSE_DEVICE", "COURSE_HOME"):
        monkeypatch.delenv(name)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert runtime.runtime() == runtime.Runtime(torch.device("cpu"), "quick")
    assert paths.home().name == ".course"


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("COURSE_BUDGET", "fast", "COURSE_BUDGET: expected quick or full, got 'fast'"),
        ("COURSE_DEVICE", "gpu", "COURSE_DEVICE: expected a device that torch can use here, got 'gpu'"),
    ],
)
def test_variables_that_cannot_be_followed_are_named(monkeypatch, name, value, message):
    monkeypatch.setenv(name, value)
    with pytest.raises(ValueError, match=message):
        runtime.runtime()


def test_a_device_that_keeps_no_numbers_is_refused(monkeypatch):
    monkeypatch.setenv("COURSE_DEVICE", "meta")
    with pytest.raises(ValueError, match="COURSE_DEVICE: expected a device that torch can use here, got 'meta'"):
        runtime.runtime()


def test_on_a_gpu_the_budget_is_quick_until_the_full_one_was_run_on_one(monkeypatch, tmp_path, capsys):
    monkeypatch.delenv("COURSE_BUDGET")
    monkeypatch.delenv("COURSE_DEVICE")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: "a card")
    monkeypatch.setattr(torch, "ones", lambda *size, device: torch.zeros(1))
    monkeypatch.setattr(runtime.paths, "RESULTS", tmp_path)
    assert runtime.runtime().budget == "quick"
    runtime.describe()
    says = "COURSE_BUDGET=full tries the large ones, which have not run for every chapter on a GPU"
    assert says in capsys.readouterr().out
    monkeypatch.setattr(runtime.paths, "SOURCES", tmp_path)
    rows = [{"chapter": name, "budget": "full", "ended": True} for name in ("00_start", "01_next")]
    for row in rows:
        (tmp_path / f"{row['chapter']}.py").touch()
    for known, chosen in ((rows[:1], "quick"), ([rows[0], rows[1] | {"ended": False}], "quick"), (rows, "full")):
        (tmp_path / "full_budgets.json").write_text(json.dumps({"values": {"rows": known}}))
        assert runtime.runtime().budget == chosen
    monkeypatch.setenv("COURSE_BUDGET", "quick")
    assert runtime.runtime().budget == "quick"


def test_a_full_budget_says_what_to_expect_and_the_quick_one_nothing(capsys):
    for budget in ("quick", "full"):
        runtime.Runtime(torch.device("cpu"), budget).expect("a wider model", 4)
    assert capsys.readouterr().out == "full budget: a wider model; sized for at most 4 minutes on one recent GPU\n"
