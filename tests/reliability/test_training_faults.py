"""A training whose kernel is killed, whose disk is full, whose clock goes back, whose checkpoint is no file."""

import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from reliability.limits import NO_LIMITS, run
from runs import draw, language, same, weights

from course_lib.training import fit as loop
from course_lib.training.checkpoints import load_checkpoint
from course_lib.training.fit import fit
from course_lib.training.trained import CheckpointError

ROOT = Path(__file__).parents[2]
TRAINS_SLOWLY = """
import sys, time; from pathlib import Path; sys.path[:0] = ["tests"]
import torch; torch.set_num_threads(1)
from runs import language, draw
from course_lib.training.fit import fit
_, trained, step = language()

def slow(batch):
    if trained.history.step == 4:
        print("half way", flush=True)
        time.sleep(600)  # it is killed here, in the middle of an interval
    return step(batch)

fit(slow, draw, 12, trained, every=2, checkpoint=Path(sys.argv[1]), progress=False)
"""


def test_a_kernel_killed_in_training_goes_on_to_the_weights_of_a_run_that_was_not(tmp_path):
    path = tmp_path / "lm.safetensors"
    killed = subprocess.Popen([sys.executable, "-c", TRAINS_SLOWLY, str(path)], cwd=ROOT, stdout=subprocess.PIPE)
    assert killed.stdout.readline() == b"half way\n"
    killed.kill()
    killed.wait()
    killed.stdout.close()
    torch.set_num_threads(1)
    _, through, step = language()
    fit(step, draw, 12, through, every=2, progress=False)
    _, resumed, step = language()
    torch.manual_seed(123)  # a new kernel has drawn other numbers
    history = fit(step, draw, 12, resumed, every=2, checkpoint=path, progress=False)
    assert [interval.step for interval in history.intervals] == [2, 4, 6, 8, 10, 12]
    assert same(weights(resumed), weights(through))


FILLS = """
from pathlib import Path
from runs import draw, language
from course_lib.training.fit import fit
path = Path(sys.argv[1])
_, trained, step = language()
fit(step, draw, 4, trained, every=2, until=2, checkpoint=path, progress=False)
fill_the_disk(path.stat().st_size // 2)
print("steps:", fit(step, draw, 4, trained, every=2, checkpoint=path, progress=False).step)
"""


@NO_LIMITS
def test_a_disk_that_is_really_full_keeps_the_last_checkpoint_and_training_goes_on(tmp_path):
    path = tmp_path / "lm.safetensors"
    said = run(FILLS, path)
    assert "lm.safetensors could not be written: " in said
    assert "the last complete checkpoint stays, and training goes on" in said
    assert said.endswith("steps: 4\n")
    assert [file.name for file in tmp_path.iterdir()] == ["lm.safetensors"]
    _, trained, _ = language()
    assert load_checkpoint(path, trained).step == 2


def test_a_place_that_is_no_place_for_a_checkpoint_is_named(tmp_path, capsys):
    _, trained, step = language()
    (tmp_path / "folder").mkdir()
    with pytest.raises(CheckpointError, match="folder is no checkpoint that can be read"):
        fit(step, draw, 2, trained, checkpoint=tmp_path / "folder", progress=False)
    (tmp_path / "file").write_text("mine")
    assert fit(step, draw, 2, trained, checkpoint=tmp_path / "file" / "lm", progress=False).step == 2
    assert "file; the last complete checkpoint stays, and training goes on" in capsys.readouterr().out.replace("'", "")
    assert (tmp_path / "file").read_text() == "mine"


def test_a_clock_that_goes_back_changes_neither_the_seconds_nor_the_training(monkeypatch):
    class Backwards:
        now = 1e9

        def __call__(self):
            self.now -= 3600
            return self.now

    monkeypatch.setattr(time, "time", Backwards())
    _, trained, step = language()
    seconds = [interval.seconds for interval in fit(step, draw, 8, trained, every=2, progress=False).intervals]
    assert seconds == sorted(seconds)
    assert seconds[0] > 0
    assert loop.time.time() < 1e9  # the loop had this very clock at hand
