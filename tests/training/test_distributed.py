"""Several processes train as one does: shares of a batch, averaged gradients, and what happens when one of them dies."""

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import nn

from course_lib.train import __main__ as shell
from course_lib.training import distributed
from course_lib.training.distributed import LostProcessError, Processes, launched, own_device, process_group

ROOT = Path(__file__).parents[2]
VARIABLES = ("RANK", "WORLD_SIZE", "LOCAL_RANK")


@pytest.fixture
def started(monkeypatch):
    """Set torchrun's variables, None for one that is missing."""

    def set_to(*values):
        for name, value in zip(VARIABLES, values, strict=True):
            monkeypatch.delenv(name, raising=False)
            if value is not None:
                monkeypatch.setenv(name, value)

    set_to(None, None, None)
    return set_to


@pytest.mark.parametrize("size", [1, 2, 3, 4, 6, 12])
def test_shares_are_all_rows_once(size):
    rows = list(range(12))
    assert [row for rank in range(size) for row in rows[Processes(rank, size).rows(12)]] == rows


def test_a_batch_that_cannot_be_shared_equally_names_both_numbers():
    with pytest.raises(ValueError, match="batch: expected rows for 3 processes in equal shares, got 16 rows"):
        Processes(0, 3).rows(16)
    with pytest.raises(ValueError, match="3 processes"):
        Processes(1, 3).draw(lambda generator: None, 16, lambda batch, rows: batch)


def test_what_torchrun_says_is_read_and_half_of_it_is_refused(started):
    assert launched() == Processes(0, 1, 0)
    started("3", "8", "1")
    assert launched() == Processes(3, 8, 1)
    assert not launched().first
    for values in (("1", "2", None), ("one", "2", "0"), ("-1", "2", "0")):
        started(*values)
        with pytest.raises(ValueError, match="three whole numbers, as torchrun sets them"):
            launched()
    for values in (("2", "2", "0"), ("0", "2", "1")):
        started(*values)
        with pytest.raises(ValueError, match="RANK: expected 0 ≤ LOCAL_RANK ≤ RANK < WORLD_SIZE, got RANK="):
            launched()


def test_each_process_has_a_gpu_of_its_own_or_is_told_that_there_are_too_few(monkeypatch):
    assert own_device(Processes(1, 2, 1)) is None
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert own_device(Processes()) is None
    assert own_device(Processes(1, 2, 1)) == "cuda:1"
    with pytest.raises(ValueError, match="a process for each of 2 GPUs, got number 3; --device cpu"):
        own_device(Processes(2, 4, 2))


def test_one_process_alone_is_left_alone(started):
    model, draw, step = nn.Linear(2, 3), lambda generator: 7, lambda batch: {}
    with process_group() as processes:
        assert processes == Processes()
        assert processes.parallel(model) is model
        assert processes.draw(draw, 7, lambda batch, rows: batch) is draw
        assert processes.step(step) is step
        processes.average_gradients(model)
        assert processes.mean({"loss": torch.tensor(2.0)}) == {"loss": torch.tensor(2.0)}
        assert processes.agree(True)
        assert not processes.agree(False)


@pytest.mark.parametrize(
    "says",
    [
        "[../third_party/gloo/gloo/transport/tcp/pair.cc:534] Connection closed by peer [127.0.0.1]:20170",
        "Read error [127.0.0.1]: Connection reset by peer",
        "writev: Broken pipe",
        "Timed out waiting 1800000ms for recv operation to complete",
    ],
)
def test_a_broken_connection_is_told_from_other_errors(says):
    assert distributed._is_loss(RuntimeError(says))
    assert not distributed._is_loss(RuntimeError("mat1 and mat2 shapes cannot be multiplied (3x4 and 5x6)"))


@pytest.fixture
def handler():
    """What SIGTERM does, put back."""
    before = signal.getsignal(signal.SIGTERM)
    yield before
    signal.signal(signal.SIGTERM, before)


def test_the_launchers_sigterm_becomes_a_sentence_and_is_then_ignored(handler):
    def told_to_end():
        with distributed._last_words():
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(1)

    with pytest.raises(
        LostProcessError, match="this process was asked to end, or another is gone or does not answer; where a"
    ):
        told_to_end()
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_IGN


def test_a_broken_connection_becomes_the_same_sentence_and_other_errors_stay(handler):
    with pytest.raises(LostProcessError, match="go on with --resume"), distributed._last_words():
        raise RuntimeError("Connection closed by peer [127.0.0.1]:20170")
    with pytest.raises(RuntimeError, match="shapes"), distributed._last_words():
        raise RuntimeError("shapes")


@pytest.mark.parametrize("error", [None, RuntimeError("shapes"), ValueError("batch"), KeyboardInterrupt()])
def test_sigterm_does_afterwards_what_it_did_before_however_the_context_is_left(error, handler):
    with contextlib.suppress(RuntimeError, ValueError, KeyboardInterrupt), distributed._last_words():
        if error is not None:
            raise error
    assert signal.getsignal(signal.SIGTERM) == handler


# --- with real processes ---------------------------------------------------------------------------------------

GRADIENTS = """
import json, sys, torch
from torch import nn
from course_lib.training.distributed import process_group

def gradients(model):
    return [p.grad.flatten().tolist() for p in model.parameters()]

generator = torch.Generator().manual_seed(3)
x, y = (torch.randn(12, n, dtype=torch.float64, generator=generator) for n in (5, 2))
with process_group() as processes:
    torch.manual_seed(processes.rank)  # who begins elsewhere takes the weights of process 0
    found = {}
    for way in ("parallel", "average_gradients"):
        model = nn.Sequential(nn.Linear(5, 7), nn.Tanh(), nn.Linear(7, 2)).double()
        shared = processes.parallel(model)
        if way == "average_gradients":
            processes.average_gradients(model)
            shared = model
        rows = processes.rows(12)
        loss = (shared(x[rows]) - y[rows]).square().mean()
        loss.backward()
        found[way] = gradients(model), processes.mean({"loss": loss})["loss"].item()
        for p in model.parameters():
            p.grad = None
        whole = (type(model)(*model)(x) - y).square().mean()
        own = torch.autograd.grad(whole, list(model.parameters()))
        found["whole " + way] = [g.flatten().tolist() for g in own], whole.item()
    votes = [processes.agree(processes.first), processes.agree(True)]
    print("said by", processes.rank)
    if processes.first:
        json.dump({"found": found, "votes": votes, "size": processes.size}, open(sys.argv[1], "w"))
"""

SAME_PRECISION = """
import os, sys
from dataclasses import replace
import course_lib.train.__main__ as shell, course_lib.train.images as images, course_lib.train.language as language
from course_lib.training.distributed import Processes

images.bfloat16_pays = language.bfloat16_pays = lambda device="cpu": False
deadly, taken = int(os.environ.get("DIES_AFTER", 0)), []
if deadly and os.environ.get("RANK") == "1":
    step_of = Processes.step
    def step(self, step):
        step = step_of(self, step)
        def counted(batch):
            taken.append(0)
            if len(taken) > deadly:
                os.kill(os.getpid(), 9)
            return step(batch)
        return counted
    Processes.step = step
if every := int(os.environ.get("EVERY", 0)):
    shell.PLANS = {name: lambda *a, plan=plan, **b: replace(plan(*a, **b), every=every) for name, plan in shell.PLANS.items()}
sys.exit(shell.main(sys.argv[1:]))
"""


def run(folder, code, *arguments, n=2, **variables):
    """Run a script, by torchrun where n is more than one; return what subprocess returns."""
    script = folder / "script.py"
    script.write_text(code, encoding="utf-8")
    launcher = ["-m", "torch.distributed.run", "--standalone", f"--nproc_per_node={n}"] if n > 1 else []
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT), **variables}
    command = [sys.executable, *launcher, str(script), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=150, env=environment, cwd=folder)


def history(out):
    return json.loads((out / "report.json").read_text())["history"]["intervals"]


def weights(out):
    tensors = load_file(out / "checkpoint.safetensors")
    return {name: tensor for name, tensor in tensors.items() if name.startswith((".modules", ".optimizers"))}


@pytest.mark.processes
def test_the_mean_of_the_gradients_is_the_gradient_of_the_mean(tmp_path):
    done = run(tmp_path, GRADIENTS, tmp_path / "found.json", n=3)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split("\n") == ["said by 0", ""]  # the others are silent
    result = json.loads((tmp_path / "found.json").read_text())
    assert result["size"] == 3
    assert result["votes"] == [False, True]
    for way in ("parallel", "average_gradients"):
        (ours, loss), (whole, its_loss) = result["found"][way], result["found"]["whole " + way]
        for a, b in zip(ours, whole, strict=True):
            torch.testing.assert_close(torch.tensor(a), torch.tensor(b), rtol=1e-6, atol=1e-7)
        assert abs(loss - its_loss) < 1e-6


@pytest.mark.processes
@pytest.mark.parametrize(("what", "steps", "gap"), [("attention", 30, 1e-5), ("vae", 20, 1e-5), ("lm", 8, 1e-3)])
def test_two_processes_train_as_one(what, steps, gap, tmp_path):
    """Step by step, in float32; Muon rounds to bfloat16 inside, and its curves part a little."""
    for n, out in ((1, "one"), (2, "two")):
        done = run(tmp_path, SAME_PRECISION, what, "--steps", steps, "--out", tmp_path / out, n=n, EVERY="1")
        assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[0] == "2 processes share every batch"
    assert done.stdout.count("seconds of training") == 1
    one, two = history(tmp_path / "one"), history(tmp_path / "two")
    assert [row[0] for row in one] == [row[0] for row in two] == list(range(1, steps + 1))
    for (_, _, ours), (_, _, theirs) in zip(one, two, strict=True):
        assert abs(ours["loss"] - theirs["loss"]) < gap * max(1, theirs["loss"])


@pytest.mark.processes
def test_a_gan_says_what_it_does_otherwise(tmp_path):
    done = run(tmp_path, SAME_PRECISION, "gan", "--steps", "2")
    assert done.returncode == 0, done.stderr
    assert "not as one process does it: batch norm takes its statistics over each process's own rows" in done.stdout


@pytest.mark.processes
def test_a_killed_process_ends_the_run_with_one_sentence_and_resuming_reaches_the_same_weights(tmp_path):
    broken, whole = tmp_path / "broken", tmp_path / "whole"
    done = run(tmp_path, SAME_PRECISION, "attention", "--steps", "120", "--out", broken, DIES_AFTER="70")
    assert done.returncode != 0
    assert (
        len(
            re.findall("or another is gone or does not answer; where a checkpoint was written it is whole", done.stderr)
        )
        == 1
    )
    assert not (broken / "report.json").exists()
    again = run(tmp_path, SAME_PRECISION, "attention", "--steps", "120", "--out", broken, "--resume")
    assert again.returncode == 0, again.stderr
    done = run(tmp_path, SAME_PRECISION, "attention", "--steps", "120", "--out", whole)
    assert done.returncode == 0, done.stderr
    ours, unbroken = weights(broken), weights(whole)
    assert ours.keys() == unbroken.keys()
    assert all(torch.equal(ours[name], unbroken[name]) for name in ours)


def test_the_help_promises_only_what_can_be_shared():
    """``rows`` refuses a number of processes that does not divide the batch; a GAN's batch norm differs."""
    assert "any number of processes that divides the batch" in " ".join(shell.__doc__.split())
    assert "batch norm" in distributed.__doc__


@pytest.mark.processes
def test_what_cannot_be_shared_is_said_once(tmp_path):
    done = run(tmp_path, SAME_PRECISION, "vae", "--steps", "2", n=3)
    assert done.returncode != 0
    assert done.stderr.count("batch: expected rows for 3 processes in equal shares, got 100 rows") == 1


def test_the_error_of_a_lost_process_says_what_to_do():
    """And no more than it knows: it may have been asked to end, and a checkpoint need not be there."""
    said = str(distributed._lost())
    for words in ("asked to end", "another is gone or does not answer", "where a checkpoint was written", "--resume"):
        assert words in said
    assert isinstance(distributed._lost(), LostProcessError)
