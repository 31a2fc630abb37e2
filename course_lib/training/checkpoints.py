"""What a training run consists of and has written down, as one file."""

import copy
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.optim import Optimizer


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
