"""The training loop: ``fit(step, …)`` with checkpoints, schedule, progress and history, and the parts of a step.

A step owns forward, backward and its optimizers' updates and returns scalars; the loop owns everything else.
"""

import contextlib
import copy
import json
import math
import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim import Optimizer
from tqdm import tqdm

Step = Callable[[Any], Mapping[str, Tensor]]


class NonFiniteError(ArithmeticError):
    """A value that is not finite was found; the weights are those of the last interval without one."""


class CheckpointError(ValueError):
    """A file is no checkpoint of these modules and optimizers; nothing was changed."""


@dataclass
class History:
    """What a training run wrote down: one entry an interval, and one an evaluation.

    steps, seconds: at the end of each interval, seconds of training alone; values: name → mean over the interval;
    evaluated: steps at which ``evaluate`` was called; evaluations: name → what it returned.
    interrupted: whether the run was stopped before its last step.
    """

    steps: list[int] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    values: dict[str, list[float]] = field(default_factory=dict)
    evaluated: list[int] = field(default_factory=list)
    evaluations: dict[str, list[float]] = field(default_factory=dict)
    interrupted: bool = False

    @property
    def step(self) -> int:
        """Steps done."""
        return self.steps[-1] if self.steps else 0


@dataclass
class Trained:
    """All that changes in training and that a checkpoint holds: modules and optimizers by name, and a generator.

    The generator is on the CPU; batches are drawn with it. torch's own generator, which dropout uses, is held too.
    """

    modules: dict[str, nn.Module]
    optimizers: dict[str, Optimizer]
    generator: torch.Generator

    def rates(self) -> list[float]:
        """Return the learning rate of every parameter group of every optimizer."""
        return [group["lr"] for optimizer in self.optimizers.values() for group in optimizer.param_groups]

    def set_rates(self, rates: list[float], factor: float) -> None:
        """Set every group's learning rate to factor times the one in rates, which ``rates()`` returned."""
        groups = [group for optimizer in self.optimizers.values() for group in optimizer.param_groups]
        for group, rate in zip(groups, rates, strict=True):
            group["lr"] = rate * factor

    def state(self) -> dict[str, Any]:
        """Return the state of everything as one nested dictionary of tensors and plain values, not copied."""
        return {
            "modules": {name: dict(module.state_dict()) for name, module in self.modules.items()},
            "optimizers": {name: optimizer.state_dict() for name, optimizer in self.optimizers.items()},
            "generators": {"batches": self.generator.get_state(), "torch": torch.get_rng_state()},
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Set everything to a state; names and shapes are compared before anything changes."""
        for kind in ("modules", "optimizers"):
            have, given = sorted(getattr(self, kind)), sorted(state.get(kind, {}))
            if have != given:
                raise CheckpointError(f"{kind}: expected {', '.join(have)}, got {', '.join(given) or 'none'}")
        for name, module in self.modules.items():
            own, given = module.state_dict(), state["modules"][name]
            for key in sorted(own.keys() | given.keys()):
                shapes = [tuple(x[key].shape) if key in x else "nothing" for x in (own, given)]
                if shapes[0] != shapes[1]:
                    raise CheckpointError(f"{name}.{key}: expected {shapes[0]}, got {shapes[1]}")
        for name, optimizer in self.optimizers.items():
            sizes = [
                [len(g["params"]) for g in s["param_groups"]]
                for s in (optimizer.state_dict(), state["optimizers"][name])
            ]
            if sizes[0] != sizes[1]:
                raise CheckpointError(f"{name}: expected parameter groups of {sizes[0]}, got {sizes[1]}")
        for name, module in self.modules.items():
            module.load_state_dict(state["modules"][name])
        for name, optimizer in self.optimizers.items():
            optimizer.load_state_dict(copy.deepcopy(state["optimizers"][name]))
        self.generator.set_state(state["generators"]["batches"])
        torch.set_rng_state(state["generators"]["torch"])


# --- checkpoints -----------------------------------------------------------------------------------------------


def _flatten(value: Any, path: str, tensors: dict[str, Tensor]) -> Any:
    """Return value with every tensor replaced by its name in tensors, fit for JSON."""
    if isinstance(value, Tensor):
        tensors[path] = value.detach().cpu().contiguous().clone()
        return {"tensor": path}
    if isinstance(value, Mapping):  # keys of optimizers are integers, which JSON would turn into text
        return {"items": [[key, _flatten(item, f"{path}.{key}", tensors)] for key, item in value.items()]}
    if isinstance(value, list | tuple):
        kind = "tuple" if isinstance(value, tuple) else "list"
        return {kind: [_flatten(item, f"{path}.{i}", tensors) for i, item in enumerate(value)]}
    if value is None or isinstance(value, bool | int | float | str):
        return {"value": value}
    raise TypeError(f"{path}: expected tensors, numbers, texts and containers of them, got {type(value).__name__}")


def _restore(tree: dict[str, Any], tensors: Mapping[str, Tensor]) -> Any:
    """Undo ``_flatten``."""
    ((kind, value),) = tree.items()
    if kind == "tensor":
        return tensors[value]
    if kind == "items":
        return {key: _restore(item, tensors) for key, item in value}
    if kind in ("list", "tuple"):
        return (tuple if kind == "tuple" else list)(_restore(item, tensors) for item in value)
    return value


def save_checkpoint(path: Path, trained: Trained, history: History) -> None:
    """Write one safetensors file whose header holds the rest as JSON; written beside and renamed.

    Whenever the process dies, path holds the last complete checkpoint or none.
    """
    tensors: dict[str, Tensor] = {}
    tree = _flatten(trained.state(), "", tensors)
    header = {"format": "course checkpoint 1", "tree": json.dumps(tree), "history": json.dumps(asdict(history))}
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(path.name + ".part")
    save_file(tensors, beside, header)
    beside.replace(path)


def load_checkpoint(path: Path, trained: Trained) -> History:
    """Set everything to what the file holds and return its history; CheckpointError leaves all as it was."""
    try:
        with safe_open(path, framework="pt") as file:
            header = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (no mapping)
    except (SafetensorError, OSError) as error:
        raise CheckpointError(f"{path.name} is no checkpoint that can be read ({error})") from None
    if header.get("format") != "course checkpoint 1":
        raise CheckpointError(f"{path.name} holds tensors but no checkpoint of this course")
    trained.restore(_restore(json.loads(header["tree"]), tensors))
    return History(**json.loads(header["history"]))


# --- the loop --------------------------------------------------------------------------------------------------


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


# --- parts of a step -------------------------------------------------------------------------------------------


def warmup_then_linear(share: float, warmup: float = 0.02, decay: float = 0.6) -> float:
    """Return the factor on the learning rate at a share of the training: up to 1, level, down to 0, all linear.

    warmup: share of the steps spent rising; decay: share spent falling at the end. Outside their ranges: ValueError.
    """
    if not 0 <= share <= 1:
        raise ValueError(f"share: expected 0 to 1, got {share}")
    if warmup < 0 or decay < 0 or warmup + decay > 1:
        raise ValueError(f"warmup, decay: expected shares that sum to at most 1, got {warmup} and {decay}")
    rise = share / warmup if share < warmup else 1.0
    return min(rise, (1 - share) / decay) if decay else rise


def warmup_then_cosine(share: float, warmup: float = 0.02, floor: float = 0.1) -> float:
    """Return the factor at a share of the training: linear up to 1, then half a cosine down to floor."""
    if not 0 <= share <= 1:
        raise ValueError(f"share: expected 0 to 1, got {share}")
    if not 0 <= warmup < 1:
        raise ValueError(f"warmup: expected a share below 1, got {warmup}")
    if share < warmup:
        return share / warmup
    return floor + (1 - floor) * (1 + math.cos(math.pi * (share - warmup) / (1 - warmup))) / 2


def adamw(
    model: nn.Module, rate: float, weight_decay: float = 0.1, betas: tuple[float, float] = (0.9, 0.99)
) -> Optimizer:
    """Return AdamW, fused, with decay on matrices and none on vectors (Loshchilov and Hutter 2019)."""
    groups = [
        {"params": [p for p in model.parameters() if p.ndim >= 2], "weight_decay": weight_decay},
        {"params": [p for p in model.parameters() if p.ndim < 2], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=rate, betas=betas, fused=True)


def muon_and_adamw(
    blocks: nn.Module, model: nn.Module, rate: float = 0.02, adamw_rate: float = 0.01
) -> dict[str, Optimizer]:
    """Return Muon for the matrices of blocks (Jordan et al. 2024) and AdamW for all other parameters of the model."""
    matrices = [p for p in blocks.parameters() if p.ndim == 2]
    taken = {id(p) for p in matrices}
    rest = [p for p in model.parameters() if id(p) not in taken]
    return {
        "muon": torch.optim.Muon(matrices, lr=rate, weight_decay=0.0),
        "adamw": torch.optim.AdamW(rest, lr=adamw_rate, betas=(0.9, 0.95), weight_decay=0.0, fused=True),
    }


def next_token_step(
    model: nn.Module, optimizers: Iterable[Optimizer], clip: float | None = 1.0, bfloat16: bool = False
) -> Step:
    """Return the step of a language model: cross-entropy in nats, backward, clipped gradients, updates.

    clip: largest norm of all gradients together, None for no clipping; the norm before is returned as ``norm``.
    bfloat16: matrix products in bfloat16 under autocast; the weights stay in float32.
    """
    optimizers = list(optimizers)

    def step(batch: tuple[Tensor, Tensor]) -> dict[str, Tensor]:
        tokens, targets = batch
        with torch.autocast(tokens.device.type, torch.bfloat16, enabled=bfloat16):
            logits = model(tokens)
        loss = F.cross_entropy(logits.flatten(0, 1).float(), targets.flatten())
        loss.backward()
        scalars = {"loss": loss}
        if clip is not None:
            scalars["norm"] = nn.utils.clip_grad_norm_(model.parameters(), clip)
        for optimizer in optimizers:
            optimizer.step()
            optimizer.zero_grad()
        return scalars

    return step
