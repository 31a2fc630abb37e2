"""The training loop: ``fit(step, …)`` with schedule, progress, history, checkpoints and a stop button.

A step owns forward, backward and its optimizers' updates and returns scalars; the loop owns everything else.
"""

import contextlib
import copy
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

import torch
from torch import Tensor
from tqdm import tqdm

from course_lib.training.checkpoints import load_checkpoint, save_checkpoint
from course_lib.training.history import History, Interval
from course_lib.training.stop_button import stop_button
from course_lib.training.trained import Trained

Batch = TypeVar("Batch")
Step = Callable[[Batch], Mapping[str, Tensor]]
Draw = Callable[[torch.Generator], Batch]


class NonFiniteError(ArithmeticError):
    """A value that is not finite was found; the state is that of the last interval without one."""


def fit(
    step: Step[Batch],
    batch: Draw[Batch],
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
    """Train until steps steps are done in all and return the history.

    Goes on from the checkpoint where there is one, else from where this trained was left: a run that is stopped at any
    step and started again by the same call ends at the weights of a run that was not.

    step: maps a batch to scalars by name, updating the modules on the way; their means over each interval of
    every steps are written down. batch: draws one batch from the generator. schedule: maps the share of steps that
    lies behind, 0 ≤ share < 1, to a factor on each optimizer's learning rates. until: stop there, as an
    interruption would, with the schedule of the whole run. evaluate: called at the start, every evaluate_every
    steps and at the end; its time is not counted. checkpoint: file, written at every interval and at the end; where
    that fails, training goes on and says so. on_interval: is shown the history after each interval. unit: a name and
    how many of them a batch holds.

    The stop button ends the run after the current step: modules and history stay as they are. Where a step raises an
    error, or a value is not finite at an interval's end (NonFiniteError), the state of the last interval is back.
    """
    until = _checked(steps, every, until)
    _resume(trained, checkpoint)
    history = trained.history
    bar = tqdm(total=until * unit[1], initial=history.step * unit[1], unit=unit[0], unit_scale=True,
               disable=not progress, mininterval=1)  # fmt: skip
    with stop_button() as stop, bar, _left_as_it_was(trained):
        run = _Run(step, batch, trained, lambda done: schedule(done / steps) if schedule else 1.0, stop, bar, unit[1])
        look = _Look(evaluate, evaluate_every, until, trained)
        look.at_start(history)
        while (interval := run.advance(every, until)) is not None:
            history.intervals.append(interval)
            history.interrupted = interval.step < steps
            bar.set_postfix({name: f"{value:.3f}" for name, value in interval.values.items()}, refresh=False)
            look(history)
            _save(checkpoint, trained)
            if on_interval is not None:
                on_interval(history)
    if stop.is_set():
        print(f"stopped after step {history.step} of {steps}: model and history are kept")
    return history


def _checked(steps: int, every: int, until: int | None) -> int:
    """Return the step to stop at; ValueError for numbers that make no run."""
    until = steps if until is None else until
    for name, value in (("steps", steps), ("every", every), ("until", until)):
        if value < 1:
            raise ValueError(f"{name}: expected at least 1, got {value}")
    if until > steps:
        raise ValueError(f"until: expected at most steps = {steps}, got {until}")
    return until


def _resume(trained: Trained, checkpoint: Path | None) -> None:
    """Set trained to where its run was left: in the file, or in memory, where only torch's own generators moved on."""
    if checkpoint is not None and checkpoint.exists():
        load_checkpoint(checkpoint, trained)
        with contextlib.suppress(OSError):
            checkpoint.with_name(checkpoint.name + ".part").unlink()
    elif trained.left_at:
        trained.set_random_state(trained.left_at)
    trained.history.interrupted = False


@contextlib.contextmanager
def _left_as_it_was(trained: Trained) -> Iterator[None]:
    """Remember torch's own generators when the run is left, by its end, a stop or an error."""
    try:
        yield
    finally:
        trained.left_at = trained.random_state()


def _save(checkpoint: Path | None, trained: Trained) -> None:
    if checkpoint is None:
        return
    try:
        save_checkpoint(checkpoint, trained)
    except OSError as error:
        tqdm.write(f"{error}; the last complete checkpoint stays, and training goes on")


@dataclass
class _Run(Generic[Batch]):
    """Takes steps, an interval at a time; whatever goes wrong, the state of the last interval is back."""

    step: Step[Batch]
    batch: Draw[Batch]
    trained: Trained
    factor: Callable[[int], float]
    stop: threading.Event
    bar: tqdm
    size: int

    def __post_init__(self) -> None:
        self.good = copy.deepcopy(self.trained.state())

    def advance(self, every: int, until: int) -> Interval | None:
        """Train to the next multiple of every, to until, or to the stop; None where no step was left to take."""
        history = self.trained.history
        first, started = history.step, time.perf_counter()
        end = min(until, (first // every + 1) * every)
        try:
            pending = self._steps(first, end)
            if not pending:
                return None
            done = first + len(pending)
            values = {name: torch.stack([each[name] for each in pending]) for name in pending[0]}
            means = {name: value.cpu().double().mean() for name, value in values.items()}  # waits for the device
            self._require_finite(means, first, done)
        except BaseException:
            self.trained.restore(self.good)
            raise
        seconds = history.seconds + time.perf_counter() - started
        self.good = copy.deepcopy(self.trained.state())
        return Interval(done, seconds, {name: mean.item() for name, mean in means.items()})

    def _steps(self, first: int, end: int) -> list[Mapping[str, Tensor]]:
        pending: list[Mapping[str, Tensor]] = []
        while first + len(pending) < end and not self.stop.is_set():
            with self.trained.scaled_rates(self.factor(first + len(pending))):
                scalars = self.step(self.batch(self.trained.generator))
            pending.append({name: value.detach() for name, value in scalars.items()})
            self.bar.update(self.size)
        return pending

    def _require_finite(self, means: Mapping[str, Tensor], first: int, done: int) -> None:
        """Raise NonFiniteError with the name of the first mean or parameter that is not finite."""
        modules = self.trained.modules.items()
        named = {f"{m}.{n}": p for m, module in modules for n, p in module.named_parameters()}
        flags = [tensor.isfinite().all() for tensor in named.values()]
        finite = torch.stack([flag.to(flags[0].device) for flag in flags]).tolist() if flags else []
        bad = [name for name, mean in means.items() if not mean.isfinite()]
        bad += [name for name, is_finite in zip(named, finite, strict=True) if not is_finite]
        if bad:
            raise NonFiniteError(
                f"{bad[0]} is not finite after steps {first} … {done}; the weights of step {first} are back"
            )


@dataclass(frozen=True)
class _Look:
    """Calls evaluate when it is time."""

    evaluate: Callable[[], Mapping[str, float]] | None
    every: int | None
    until: int
    trained: Trained

    def at_start(self, history: History) -> None:
        """Evaluate before the first step, unless an earlier part of the run did."""
        if not history.looks:
            self._evaluate(history)

    def __call__(self, history: History) -> None:
        """Evaluate at multiples of every, and at the end."""
        if (self.every and history.step % self.every == 0) or history.step == self.until:
            self._evaluate(history)

    def _evaluate(self, history: History) -> None:
        if self.evaluate is not None:
            random = self.trained.random_state()  # a run that is evaluated more often trains the same
            values = {name: float(value) for name, value in self.evaluate().items()}
            self.trained.set_random_state(random)
            history.looks.append(Interval(history.step, history.seconds, values))
