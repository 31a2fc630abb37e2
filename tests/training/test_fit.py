"""training.py: the loop with one model and with two optimizers, interruption, checkpoints, what a step does."""

import itertools
import os
import signal
import threading
import time
from pathlib import Path

import pytest
import torch
from made import seeded
from runs import draw, language, same, weights
from torch import nn

import course_lib.training.fit as loop
from course_lib.attention.step import next_token_step
from course_lib.training.fit import NonFiniteError, fit
from course_lib.training.optimizers import warmup_then_linear
from course_lib.training.trained import Trained

ROOT = Path(__file__).parents[2]


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
    assert history.curve("distance").steps == [10, 20, 30, 40]
    assert history.curve("distance").values[-1] < 0.01 < history.curve("distance").values[0]
    assert [o.param_groups[0]["lr"] for o in optimizers.values()] == [0.25, 0.1]  # a schedule leaves no trace
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
    assert resumed.curve("loss").steps == [5, 10, 12, 15, 20]
    assert not resumed.interrupted
    assert resumed.curve("loss").values[-1] == pytest.approx(straight.curve("loss").values[-1], abs=1e-12)
    again = fit(step, draw, 20, second, checkpoint=path, **quiet)  # nothing is left to do
    assert again.curve("loss") == resumed.curve("loss")
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
    assert history.curve("loss").steps == [5, 7]
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
    assert found[0].step == 3


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

    with pytest.raises(NonFiniteError, match=r"model\.norm\.weight is not finite after steps 10 … 15"):
        fit(poison, draw, 100, trained, every=5, **quiet)
    assert same(weights(trained), kept)


def test_evaluation_is_at_the_start_in_between_and_at_the_end_and_costs_no_time(monkeypatch):
    _, trained, step = language()
    calls = []
    clock = time.perf_counter
    monkeypatch.setattr(loop.time, "perf_counter", lambda: clock() + 1000 * len(calls))  # 1,000 s an evaluation

    def evaluate():
        calls.append(1)
        return {"held_out": len(calls)}

    history = fit(step, draw, 25, trained, every=5, evaluate=evaluate, evaluate_every=10, **quiet)
    assert history.evaluation("held_out") == ([0, 10, 20, 25], [1, 2, 3, 4])
    seconds = [interval.seconds for interval in history.intervals]
    assert seconds == sorted(seconds)
    assert seconds[-1] < 1000


def test_scalars_are_read_once_an_interval_not_once_a_step(monkeypatch):
    _, trained, _ = language()
    read = []
    for name in ("item", "__float__", "tolist"):
        plain = getattr(torch.Tensor, name)
        monkeypatch.setattr(torch.Tensor, name, lambda self, plain=plain: (read.append(1), plain(self))[1])
    optimizer_alone = next_token_step(trained.modules["model"], [])
    fit(optimizer_alone, draw, 40, trained, every=20, **quiet)
    assert len(read) <= 8  # two values at each of two intervals, not forty of them


ARMS = ["with a checkpoint", "the same objects", "the same objects with a checkpoint"]


@pytest.mark.parametrize("arm", ARMS)
@pytest.mark.parametrize("optimizer", ["adamw", "muon"])
@pytest.mark.parametrize("stops", [(1,), (2, 3), (4, 5, 9), (7, 8)])
def test_however_often_a_run_is_stopped_it_ends_at_the_same_bits(tmp_path, arm, optimizer, stops):
    """Rates included: a schedule's factor must not be taken of a rate that it has made small already."""
    settings = {"schedule": lambda share: warmup_then_linear(share, 0.3, 0.5), "every": 3, **quiet}
    _, whole, step = language(optimizer)
    fit(step, draw, 12, whole, **settings)
    _, trained, step = language(optimizer)
    path = tmp_path / "run.safetensors" if "checkpoint" in arm else None
    for until in (*stops, 12):
        if arm == "with a checkpoint":
            _, trained, step = language(optimizer)  # a new process
        if until != stops[0]:
            torch.manual_seed(99)  # somebody else drew in between
        history = fit(step, draw, 12, trained, until=until, checkpoint=path, **settings)
        assert history.step == until
    assert same(weights(trained), weights(whole))
    rates = [[g["lr"] for o in t.optimizers.values() for g in o.param_groups] for t in (trained, whole)]
    assert rates[0] == rates[1]


@pytest.mark.parametrize("at", range(1, 9))
def test_stopped_by_the_button_at_any_step_it_goes_on_as_if_it_had_not(at):
    schedule = {"schedule": lambda share: warmup_then_linear(share, 0.3, 0.5), "every": 3, **quiet}
    _, whole, step = language()
    fit(step, draw, 9, whole, **schedule)
    _, trained, inner = language()
    done = []

    def pressed(batch):
        done.append(1)
        if len(done) == at:
            os.kill(os.getpid(), signal.SIGINT)
        return inner(batch)

    assert fit(pressed, draw, 9, trained, **schedule).step == at
    assert fit(pressed, draw, 9, trained, **schedule).step == 9
    assert same(weights(trained), weights(whole))


def test_the_worked_example_of_a_schedule_that_goes_on():
    """SGD at 0.1, factor 1 − share: step 51 of 100 runs at a rate of 0.05, whether or not the run was cut at 50."""
    layer, rates = nn.Linear(1, 1), []
    optimizer = torch.optim.SGD(layer.parameters(), 0.1)
    trained = Trained({"layer": layer}, {"sgd": optimizer}, seeded(0))

    def step(_):
        rates.append(optimizer.param_groups[0]["lr"])
        return {"loss": torch.zeros(())}

    for until in (50, 100):
        fit(step, lambda _: None, 100, trained, until=until, schedule=lambda share: 1 - share, **quiet)
    assert rates == pytest.approx([0.1 * (1 - i / 100) for i in range(100)])


def test_an_error_in_a_step_leaves_the_state_of_the_last_interval():
    _, whole, step = language()
    fit(step, draw, 9, whole, every=3, **quiet)
    _, trained, inner = language()
    calls = []

    def fails_once(batch):
        calls.append(1)
        scalars = inner(batch)
        if len(calls) == 5:
            raise RuntimeError("out of luck")
        return scalars

    with pytest.raises(RuntimeError, match="out of luck"):
        fit(fails_once, draw, 9, trained, every=3, **quiet)
    assert trained.history.step == 3
    fit(fails_once, draw, 9, trained, every=3, **quiet)
    assert same(weights(trained), weights(whole))


def test_an_evaluation_that_draws_does_not_change_the_training():
    runs = []
    for evaluate in (None, lambda: {"noise": torch.rand(()).item()}):
        _, trained, step = language()
        fit(step, draw, 6, trained, every=2, evaluate=evaluate, evaluate_every=2, **quiet)
        runs.append(weights(trained))
    assert same(*runs)


def test_the_bar_is_written_at_its_own_pace(capsys):
    """600 steps in intervals of 2: each may set what the bar shows, none may write it."""
    _, trained, _ = language()
    fit(lambda _: {"loss": torch.zeros(())}, lambda _: None, 600, trained, every=2)
    assert capsys.readouterr().err.count("\r") < 20


def test_a_curve_that_was_not_written_down_is_named():
    _, trained, step = language()
    history = fit(step, draw, 2, trained, **quiet)
    with pytest.raises(LookupError, match="name: expected one of loss, norm, got 'los'"):
        history.curve("los")


def test_arguments_that_make_no_run_are_named():
    for arguments, message in (
        ({"steps": 0}, "steps: expected at least 1, got 0"),
        ({"steps": 5, "until": 6}, "until: expected at most steps = 5, got 6"),
        ({"steps": 5, "every": 0}, "every: expected at least 1, got 0"),
    ):
        with pytest.raises(ValueError, match=message):
            fit(dict, draw, trained=language()[1], **arguments)
