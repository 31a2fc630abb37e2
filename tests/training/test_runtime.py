"""claims, records, runtime and data."""

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
