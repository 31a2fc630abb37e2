"""The training loop: ``fit(step, …)`` with checkpoints, schedule, progress and history, and the parts of a step.

A step owns forward, backward and its optimizers' updates and returns scalars; the loop owns everything else.
"""

import contextlib
import copy
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from tqdm import tqdm

from course_lib.training.checkpoints import History, Trained, load_checkpoint, save_checkpoint

Step = Callable[[Any], Mapping[str, Tensor]]


class NonFiniteError(ArithmeticError):
    """A value that is not finite was found; the weights are those of the last interval without one."""


@contextlib.contextmanager
def _stop_button() -> Iterator[threading.Event]:
    """Turn the first Ctrl-C, or the notebook's stop button, into an event; the second one raises as ever."""
    stop = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield stop  # signals arrive in the main thread alone
        return
    before = signal.getsignal(signal.SIGINT)

    def pressed(*_: Any) -> None:
        stop.set()
        signal.signal(signal.SIGINT, before)

    signal.signal(signal.SIGINT, pressed)
    try:
        yield stop
    finally:
        signal.signal(signal.SIGINT, before)


def _not_finite(values: Mapping[str, Tensor], modules: Mapping[str, nn.Module]) -> str | None:
    """Return the name of the first value or parameter that is not finite."""
    named = [*values.items(), *((f"{m}.{n}", p) for m, module in modules.items() for n, p in module.named_parameters())]
    return next((name for name, tensor in named if not tensor.isfinite().all()), None)


def fit(
    step: Step,
    batch: Callable[[torch.Generator], Any],
    steps: int,
    trained: Trained,
    *,
    schedule: Callable[[float], float] | None = None,
    until: int | None = None,
    every: int = 50,
    evaluate: Callable[[], Mapping[str, float]] | None = None,
    evaluate_every: int | None = None,
    checkpoint: Path | None = None,
    on_interval: Callable[[History], None] | None = None,
    unit: tuple[str, int] = ("batch", 1),
    progress: bool = True,
) -> History:
    """Train for steps steps and return the history; goes on from the checkpoint where there is one.

    step: maps a batch to scalars by name, updating the modules on the way; their means over each interval of
    every steps are written down. batch: draws one batch from the generator. schedule: maps the share of steps that
    lies behind, 0 ≤ share < 1, to a factor on each optimizer's learning rates. until: stop there, as an
    interruption would, with the schedule of the whole run. evaluate: called at the start, every evaluate_every
    steps and at the end; its time is not counted. checkpoint: file, written at every interval and at the end.
    on_interval: is shown the history after each interval. unit: a name and how many of them a batch holds.

    The stop button ends the run after the current step: modules and history stay as they are. A value that is not
    finite raises NonFiniteError at the interval's end, with the last good state back in place.
    """
    until = steps if until is None else until
    for name, value in (("steps", steps), ("every", every), ("until", until)):
        if value < 1:
            raise ValueError(f"{name}: expected at least 1, got {value}")
    if until > steps:
        raise ValueError(f"until: expected at most steps = {steps}, got {until}")
    rates = trained.rates()
    history = History()
    if checkpoint is not None and checkpoint.exists():
        history = load_checkpoint(checkpoint, trained)
        history.interrupted = False
        with contextlib.suppress(OSError):
            checkpoint.with_name(checkpoint.name + ".part").unlink()
    good, done = copy.deepcopy(trained.state()), history.step
    seconds = history.seconds[-1] if history.seconds else 0.0

    def look() -> None:
        if evaluate is not None and (not history.evaluated or history.evaluated[-1] != done):
            history.evaluated.append(done)
            for name, value in evaluate().items():
                history.evaluations.setdefault(name, []).append(float(value))

    if not history.evaluated:
        look()
    name, size = unit
    bar = tqdm(total=until * size, initial=done * size, unit=name, unit_scale=True, disable=not progress, mininterval=1)
    pending: list[Mapping[str, Tensor]] = []
    with _stop_button() as stop, bar:
        while done < until and not stop.is_set():
            started = time.perf_counter()
            if schedule is not None:
                trained.set_rates(rates, schedule(done / steps))
            pending.append({k: v.detach() for k, v in step(batch(trained.generator)).items()})
            done += 1
            bar.update(size)
            seconds += time.perf_counter() - started
            if done % every and done != until and not stop.is_set():
                continue
            started = time.perf_counter()
            means = {k: torch.stack([values[k] for values in pending]).double().mean() for k in pending[0]}
            bad = _not_finite(means, trained.modules)
            if bad is not None:
                trained.restore(good)
                first = done - len(pending)
                raise NonFiniteError(
                    f"{bad} is not finite after steps {first} … {done}; the weights of step {first} are back"
                )
            pending = []
            history.steps.append(done)
            for key, mean in means.items():
                history.values.setdefault(key, []).append(mean.item())
            seconds += time.perf_counter() - started  # reading the values is part of training, what follows is not
            history.seconds.append(seconds)
            bar.set_postfix({key: f"{values[-1]:.3f}" for key, values in history.values.items()})
            good = copy.deepcopy(trained.state())
            history.interrupted = done < steps
            if (evaluate_every and done % evaluate_every == 0) or done == until:
                look()
            if checkpoint is not None:
                save_checkpoint(checkpoint, trained, history)
            if on_interval is not None:
                on_interval(history)
    if stop.is_set():
        print(f"stopped after step {done} of {steps}: model and history are kept")
    return history
