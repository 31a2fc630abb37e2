"""Checkpoints: complete or not there, whole or refused."""

import random
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from runs import draw, language, same, weights
from safetensors.torch import save_file

from course_lib.training import checkpoints
from course_lib.training.checkpoints import load_checkpoint, save_checkpoint
from course_lib.training.fit import fit
from course_lib.training.trained import CheckpointError, Trained

ROOT = Path(__file__).parents[2]

KILLED = """
import sys; from pathlib import Path; sys.path[:0] = ["tests"]
import torch; torch.set_num_threads(1)
from runs import language, draw
from course_lib.training.fit import fit
_, trained, step = language()
print("ready", flush=True)
fit(step, draw, 10**6, trained, every=2, checkpoint=Path(sys.argv[1]), progress=False)
"""


def test_killed_at_any_moment_the_checkpoint_loads(tmp_path):
    """kill -9 at 50 random moments; the run is started anew only when it has died, and goes on from the file."""
    path, dice, last = tmp_path / "lm.safetensors", random.Random(0), 0
    for _ in range(5):
        run = subprocess.Popen([sys.executable, "-c", KILLED, str(path)], cwd=ROOT, stdout=subprocess.PIPE)
        run.stdout.readline()
        before, copies = path.read_bytes() if path.exists() else b"", []
        while run.poll() is None and (
            not path.exists() or path.read_bytes() == before
        ):  # however busy the machine is, each run gets on
            time.sleep(0.002)
        for _ in range(9):  # what a kill now would leave behind: the folder's files at this moment
            time.sleep(dice.uniform(0.005, 0.05))
            if path.exists():
                copies.append(path.read_bytes())
        time.sleep(dice.uniform(0, 0.05))
        run.kill()
        run.wait()
        run.stdout.close()
        copies.append(path.read_bytes())
        for content in copies:
            left = tmp_path / "left.safetensors"
            left.write_bytes(content)
            _, trained, _ = language()
            history = load_checkpoint(left, trained)
            assert history.step >= last
            last = history.step
    assert last >= 5 * 2


def test_a_file_that_does_not_fit_changes_nothing(tmp_path):
    path, other = tmp_path / "a.safetensors", tmp_path / "b.safetensors"
    _, trained, _ = language()
    save_checkpoint(path, trained)
    _, wide, _ = language(d_model=16)
    before = weights(wide)
    with pytest.raises(
        CheckpointError, match=r"model\.blocks\.0\.attention\.key\.weight: expected \(16, 16\), got \(8, 8\)"
    ):
        load_checkpoint(path, wide)
    _, muon, _ = language("muon")
    with pytest.raises(CheckpointError, match="optimizers: expected adamw, muon, got adamw"):
        load_checkpoint(path, muon)
    save_file({"x": torch.ones(2)}, other)
    with pytest.raises(CheckpointError, match=r"b\.safetensors holds tensors but no checkpoint"):
        load_checkpoint(other, wide)
    for content in (path.read_bytes()[:-100], b"garbage", b""):
        other.write_bytes(content)
        with pytest.raises(CheckpointError, match=r"b\.safetensors is no checkpoint that can be read"):
            load_checkpoint(other, wide)
    assert same(weights(wide), before)


def test_the_state_of_another_optimizer_is_refused(tmp_path):
    path, (model, trained, _) = tmp_path / "a.safetensors", language()
    save_checkpoint(path, trained)
    before = weights(trained)
    for optimizer, says in (
        (torch.optim.SGD(model.parameters(), 0.1), "adamw: expected the state of SGD, got that of AdamW"),
        (torch.optim.AdamW(model.parameters(), 0.1), r"adamw: expected parameter groups of \[\d+\], got \[\d+, \d+\]"),
    ):
        other = Trained({"model": model}, {"adamw": optimizer}, trained.generator)
        with pytest.raises(CheckpointError, match=says):
            load_checkpoint(path, other)
    assert same(weights(trained), before)


def test_whatever_bit_is_flipped_the_file_is_refused_and_nothing_changes(tmp_path):
    """Half of 300 bits lie in the header, where the names and the JSON stand, half in the tensors."""
    path, broken, dice = tmp_path / "a.safetensors", tmp_path / "b.safetensors", random.Random(0)
    _, trained, step = language()
    fit(step, draw, 2, trained, checkpoint=path, progress=False)
    content, before = path.read_bytes(), weights(trained)
    header = 8 + int.from_bytes(content[:8], "little")
    places = [dice.randrange(header) for _ in range(150)] + [dice.randrange(header, len(content)) for _ in range(150)]
    for place in places:
        flipped = bytearray(content)
        flipped[place] ^= 1 << dice.randrange(8)
        broken.write_bytes(flipped)
        with pytest.raises(CheckpointError):
            load_checkpoint(broken, trained)
    assert same(weights(trained), before)


def test_where_the_disk_is_full_training_goes_on_and_says_so(tmp_path, monkeypatch, capsys):
    path, (_, trained, step) = tmp_path / "a.safetensors", language()
    fit(step, draw, 4, trained, every=2, until=2, checkpoint=path, progress=False)
    good = path.read_bytes()

    def full(tensors, beside, header):
        beside.write_bytes(b"half of it")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(checkpoints, "save_file", full)
    history = fit(step, draw, 4, trained, every=1, checkpoint=path, progress=False)
    assert history.step == 4
    assert capsys.readouterr().out.count("a.safetensors could not be written: [Errno 28] No space left on device") == 2
    assert path.read_bytes() == good
    assert not list(tmp_path.glob("*.part"))
