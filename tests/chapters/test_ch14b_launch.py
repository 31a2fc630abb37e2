"""What a cell hears of the processes that it started."""

import pytest

from course_lib.chapters.ch14b_many_devices import launch
from course_lib.chapters.ch14b_many_devices.launch import LaunchError, torchrun

pytestmark = pytest.mark.processes


def test_a_run_that_ends_is_heard_and_one_that_ends_otherwise_than_it_should_is_an_error():
    heard = torchrun("import os, sys; print('process', os.environ['RANK'], sys.argv[1])", "and no more")
    assert sorted(heard.splitlines()) == ["process 0 and no more", "process 1 and no more"]
    with pytest.raises(LaunchError, match=r"(?s)2 processes ended with status 1.*the reason"):
        torchrun("raise SystemExit('the reason')")
    with pytest.raises(LaunchError, match="1 processes ended with status 0"):
        torchrun("", processes=1, survives=False)


def test_lines_of_two_processes_do_not_mix():
    """Without ``WHOLE_LINES`` some of 2,000 do."""
    heard = torchrun("import os\nfor i in range(1_000): print('process', os.environ['RANK'], 'line', i)")
    assert sorted(heard.splitlines()) == sorted(f"process {rank} line {i}" for rank in "01" for i in range(1_000))


def test_processes_that_hang_are_ended(monkeypatch):
    monkeypatch.setattr(launch, "LIMIT", 12)
    with pytest.raises(LaunchError, match="2 processes had not ended after 12 s"):
        torchrun("import time; time.sleep(60)")
