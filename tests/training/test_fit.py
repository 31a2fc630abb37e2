"""training.py: the loop with one model and with two optimizers, interruption, checkpoints, what a step does."""

import itertools
import os
import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import nn
from torch.nn import functional as F

import course_lib.training.fit as loop
from course_lib.attention.step import next_token_step
from course_lib.attention.transformer import MODERN, Transformer, TransformerConfig
from course_lib.training.checkpoints import CheckpointError, History, Trained, load_checkpoint, save_checkpoint
from course_lib.training.fit import NonFiniteError, fit
from course_lib.training.optimizers import adamw, muon_and_adamw, warmup_then_cosine, warmup_then_linear

ROOT = Path(__file__).parents[2]
seeded = torch.Generator().manual_seed


def language(optimizer="adamw", **choices):
    """A tiny language model with dropout, so that torch's own generator matters, and what trains it."""
    torch.manual_seed(0)
    config = {"context_length": 6, "n_layers": 1, "n_heads": 2, "d_model": 8, "dropout": 0.1, **MODERN, **choices}
    model = Transformer(TransformerConfig(9, **config))
    optimizers = muon_and_adamw(model.blocks, model) if optimizer == "muon" else {"adamw": adamw(model, 1e-2)}
    trained = Trained({"model": model}, optimizers, seeded(1))
    return model, trained, next_token_step(model, optimizers.values())


def draw(generator):
    tokens = torch.randint(9, (3, 7), generator=generator)
    return tokens[:, :-1], tokens[:, 1:]


def weights(trained):
    return {f"{m}.{n}": x.clone() for m, module in trained.modules.items() for n, x in module.state_dict().items()}


def same(a, b):
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


quiet = {"progress": False}


def test_two_networks_and_two_optimizers_take_turns():
    """A game as a GAN will need it: one moves towards the other, which flees; each step has two updates."""
    hunter, prey = nn.Linear(1, 1, bias=False), nn.Linear(1, 1, bias=False)
    nn.init.constant_(hunter.weight, 5.0)
    nn.init.constant_(prey.weight, 0.0)
    optimizers = {"hunter": torch.optim.SGD(hunter.parameters(), 0.25), "prey": torch.optim.SGD(prey.parameters(), 0.1)}
    trained = Trained({"hunter": hunter, "prey": prey}, optimizers, seeded(0))
    turns = itertools.count()

    def step(x):
        chooses, loss_sign = (("hunter", 1), ("prey", -1))[next(turns) % 2]
        distance = (hunter(x) - prey(x)).square().mean()
        gradient = torch.autograd.grad(loss_sign * distance, trained.modules[chooses].weight)[0]
        trained.modules[chooses].weight.grad = gradient
        optimizers[chooses].step()
        return {"distance": distance}

    history = fit(
        step, lambda g: torch.ones(2, 1), 40, trained, every=10, schedule=lambda share: 1 - share / 2, **quiet
    )
    assert history.steps == [10, 20, 30, 40]
    assert history.values["distance"][-1] < 0.01 < history.values["distance"][0]
    assert [o.param_groups[0]["lr"] for o in optimizers.values()] == [0.25 * (1 - 39 / 80), 0.1 * (1 - 39 / 80)]
    assert prey.weight.item() < -0.01  # both have moved


@pytest.mark.parametrize("optimizer", ["adamw", "muon"])
def test_a_run_that_is_stopped_and_resumed_ends_at_the_same_bits(tmp_path, optimizer):
    _, whole, step = language(optimizer)
    straight = fit(step, draw, 20, whole, schedule=warmup_then_linear, every=5, **quiet)
    _, first, step = language(optimizer)
    path = tmp_path / "run" / "lm.safetensors"
    half = fit(step, draw, 20, first, schedule=warmup_then_linear, every=5, until=12, checkpoint=path, **quiet)
    assert (half.step, half.interrupted) == (12, True)
    torch.manual_seed(99)  # another process starts from anywhere
    _, second, step = language(optimizer, d_model=8)
    with torch.no_grad():
        for parameter in second.modules["model"].parameters():
            parameter += 1
    resumed = fit(step, draw, 20, second, schedule=warmup_then_linear, every=5, checkpoint=path, **quiet)
    assert same(weights(second), weights(whole))
    assert torch.equal(second.generator.get_state(), whole.generator.get_state())
    assert resumed.steps == [5, 10, 12, 15, 20]
    assert not resumed.interrupted
    assert resumed.values["loss"][-1] == pytest.approx(straight.values["loss"][-1], abs=1e-12)
    again = fit(step, draw, 20, second, checkpoint=path, **quiet)  # nothing is left to do
    assert again.steps == resumed.steps
    assert same(weights(second), weights(whole))


def test_the_stop_button_keeps_model_and_history(capsys):
    _, trained, inner = language()
    before = signal.getsignal(signal.SIGINT)
    done = []

    def step(batch):
        done.append(1)
        if len(done) == 7:
            os.kill(os.getpid(), signal.SIGINT)
        return inner(batch)

    history = fit(step, draw, 1000, trained, every=5, **quiet)
    assert history.steps == [5, 7]
    assert history.interrupted
    assert "stopped after step 7 of 1000" in capsys.readouterr().out
    assert signal.getsignal(signal.SIGINT) is before

    def stubborn(batch):
        for _ in range(2):
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(0.01)
        return inner(batch)

    with pytest.raises(KeyboardInterrupt):
        fit(stubborn, draw, 10, trained, **quiet)
    assert signal.getsignal(signal.SIGINT) is before


def test_it_runs_outside_the_main_thread():
    _, trained, step = language()
    found = []
    thread = threading.Thread(target=lambda: found.append(fit(step, draw, 3, trained, **quiet)))
    thread.start()
    thread.join()
    assert found[0].steps == [3]


KILLED = """
import sys; from pathlib import Path; sys.path[:0] = ["tests", "tests/training"]
import torch; torch.set_num_threads(1)
from test_fit import language, draw
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
        copies = []
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
    assert last > 50


def test_a_value_that_is_not_finite_is_named_and_the_last_good_weights_are_back():
    model, trained, inner = language()
    kept, done = {}, []

    def step(batch):
        done.append(1)
        if len(done) == 11:
            kept.update(weights(trained))
        scalars = inner(batch)
        return {**scalars, "loss": scalars["loss"] * float("nan")} if len(done) == 13 else scalars

    with pytest.raises(
        NonFiniteError, match=r"loss is not finite after steps 10 … 15; the weights of step 10 are back"
    ):
        fit(step, draw, 100, trained, every=5, **quiet)
    assert same(weights(trained), kept)

    def poison(batch):
        with torch.no_grad():
            model.norm.weight[2] = float("inf")
        return {"loss": torch.zeros(())}

    with pytest.raises(NonFiniteError, match=r"model\.norm\.weight is not finite after steps 0 … 5"):
        fit(poison, draw, 100, trained, every=5, **quiet)
    assert same(weights(trained), kept)


def test_a_file_that_does_not_fit_changes_nothing(tmp_path):
    path, other = tmp_path / "a.safetensors", tmp_path / "b.safetensors"
    _, trained, _ = language()
    save_checkpoint(path, trained, History())
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


def test_evaluation_is_at_the_start_in_between_and_at_the_end_and_costs_no_time(monkeypatch):
    _, trained, step = language()
    calls = []
    clock = time.perf_counter
    monkeypatch.setattr(loop.time, "perf_counter", lambda: clock() + 1000 * len(calls))  # 1,000 s an evaluation

    def evaluate():
        calls.append(1)
        return {"held_out": len(calls)}

    history = fit(step, draw, 25, trained, every=5, evaluate=evaluate, evaluate_every=10, **quiet)
    assert history.evaluated == [0, 10, 20, 25]
    assert history.evaluations == {"held_out": [1, 2, 3, 4]}
    assert history.seconds[-1] < 1000
    assert history.seconds == sorted(history.seconds)


def test_scalars_are_read_once_an_interval_not_once_a_step(monkeypatch):
    _, trained, _ = language()
    read = []
    for name in ("item", "__float__", "tolist"):
        plain = getattr(torch.Tensor, name)
        monkeypatch.setattr(torch.Tensor, name, lambda self, plain=plain: (read.append(1), plain(self))[1])
    optimizer_alone = next_token_step(trained.modules["model"], [])
    fit(optimizer_alone, draw, 40, trained, every=20, **quiet)
    assert len(read) <= 8  # two values at each of two intervals, not forty of them


def test_schedules_and_arguments():
    assert [warmup_then_linear(s, 0.2, 0.5) for s in (0, 0.1, 0.2, 0.5, 0.75, 1)] == [0, 0.5, 1, 1, 0.5, 0]
    assert warmup_then_linear(0.0, 0.0, 0.0) == 1
    assert [round(warmup_then_cosine(s, 0.2, 0.1), 9) for s in (0, 0.1, 0.2, 0.6, 1)] == [0, 0.5, 1, 0.55, 0.1]
    for call, message in (
        (lambda: warmup_then_linear(1.5), "share: expected 0 to 1, got 1.5"),
        (lambda: warmup_then_linear(0.5, 0.6, 0.6), "warmup, decay: expected shares"),
        (lambda: warmup_then_cosine(0.5, 1.0), "warmup: expected a share below 1, got 1.0"),
        (lambda: fit(dict, draw, 0, language()[1]), "steps: expected at least 1, got 0"),
        (lambda: fit(dict, draw, 5, language()[1], until=6), "until: expected at most steps = 5, got 6"),
    ):
        with pytest.raises(ValueError, match=message):
            call()


def test_a_step_is_cross_entropy_clipped_gradients_and_the_optimizers_update():
    model, _, _ = language(dropout=0.0)
    tokens, targets = draw(seeded(3))
    loss = F.cross_entropy(model(tokens).flatten(0, 1), targets.flatten())
    gradients = torch.autograd.grad(loss, list(model.parameters()))
    norm = torch.cat([g.flatten() for g in gradients]).norm()
    before = [p.detach().clone() for p in model.parameters()]
    plain = torch.optim.SGD(model.parameters(), 1.0)
    scalars = next_token_step(model, [plain], clip=norm.item() / 2)((tokens, targets))
    torch.testing.assert_close(scalars["loss"], loss)
    torch.testing.assert_close(scalars["norm"], norm)
    for p, old, g in zip(model.parameters(), before, gradients, strict=True):
        torch.testing.assert_close(p, old - g / 2, rtol=1e-4, atol=1e-6)
        assert p.grad is None
    assert set(next_token_step(model, [plain], clip=None)((tokens, targets))) == {"loss"}


def test_muon_has_the_matrices_of_the_blocks_and_adamw_all_else():
    model, trained, _ = language("muon")
    groups = {k: [id(p) for g in o.param_groups for p in g["params"]] for k, o in trained.optimizers.items()}
    assert sorted(groups["muon"] + groups["adamw"]) == sorted(id(p) for p in model.parameters())
    assert set(groups["muon"]) == {id(p) for p in model.blocks.parameters() if p.ndim == 2}
    decays = [(g["weight_decay"], {p.ndim for p in g["params"]}) for g in adamw(model, 1e-3).param_groups]
    assert decays == [(0.1, {2}), (0.0, {1})]
