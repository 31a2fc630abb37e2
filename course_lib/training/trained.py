"""All that changes in training: modules, optimizers, random generators and what was written down."""

import contextlib
import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from course_lib.training.history import History


class CheckpointError(ValueError):
    """A state is not one of these modules and optimizers; nothing was changed."""


@dataclass
class Trained:
    """Modules and optimizers by name, a generator, and the history of their training so far.

    The generator is on the CPU; batches are drawn with it. torch's own generators, the CPU's and that of the modules'
    device, which dropout uses, belong to the state too. Between steps the optimizers' learning rates are always their
    own: a schedule multiplies them during a step alone. left_at: torch's own generators when the last step was done.
    """

    modules: dict[str, nn.Module]
    optimizers: dict[str, Optimizer]
    generator: torch.Generator
    history: History = field(default_factory=History)
    left_at: Mapping[str, Tensor] = field(default_factory=dict)

    @property
    def device(self) -> torch.device:
        """Where the first parameter lives."""
        return next((p.device for m in self.modules.values() for p in m.parameters()), torch.device("cpu"))

    @contextlib.contextmanager
    def scaled_rates(self, factor: float) -> Iterator[None]:
        """Multiply every learning rate by factor for the time of the context."""
        groups = [group for optimizer in self.optimizers.values() for group in optimizer.param_groups]
        own = [group["lr"] for group in groups]
        try:
            for group, rate in zip(groups, own, strict=True):
                group["lr"] = rate * factor
            yield
        finally:
            for group, rate in zip(groups, own, strict=True):
                group["lr"] = rate

    def state(self) -> dict[str, Any]:
        """Return the state of everything as one nested dictionary of tensors and plain values, not copied."""
        return {
            "modules": {name: dict(module.state_dict()) for name, module in self.modules.items()},
            "optimizers": {name: optimizer.state_dict() for name, optimizer in self.optimizers.items()},
            "kinds": {name: type(optimizer).__name__ for name, optimizer in self.optimizers.items()},
            "generators": {"batches": self.generator.get_state(), **self.random_state()},
        }

    def random_state(self) -> dict[str, Tensor]:
        """Return the states of torch's own generators: the CPU's and that of the modules' device."""
        states = {"cpu": torch.get_rng_state()}
        if self.device.type in ("cuda", "mps", "xpu"):
            states[self.device.type] = torch.get_device_module(self.device).get_rng_state()
        return states

    def set_random_state(self, states: Mapping[str, Tensor]) -> None:
        """Set torch's own generators; that of another kind of device is left out."""
        torch.set_rng_state(states["cpu"])
        if self.device.type in states and self.device.type != "cpu":
            torch.get_device_module(self.device).set_rng_state(states[self.device.type])

    def restore(self, state: Mapping[str, Any]) -> None:
        """Set everything but the history to a state; CheckpointError before anything changes where it does not fit."""
        self._check_names(state)
        for name, module in self.modules.items():
            _check_module(name, module.state_dict(), state["modules"][name])
        for name, optimizer in self.optimizers.items():
            _check_optimizer(name, optimizer.state_dict(), state["optimizers"][name])
        for name, module in self.modules.items():
            module.load_state_dict(state["modules"][name])
        for name, optimizer in self.optimizers.items():
            optimizer.load_state_dict(copy.deepcopy(state["optimizers"][name]))
        self.generator.set_state(state["generators"]["batches"])
        self.set_random_state(state["generators"])

    def _check_names(self, state: Mapping[str, Any]) -> None:
        for kind in ("modules", "optimizers"):
            have, given = sorted(getattr(self, kind)), sorted(state.get(kind, {}))
            if have != given:
                raise CheckpointError(f"{kind}: expected {', '.join(have)}, got {', '.join(given) or 'none'}")
        for name, optimizer in self.optimizers.items():
            own, other = type(optimizer).__name__, state["kinds"][name]
            if own != other:
                raise CheckpointError(f"{name}: expected the state of {own}, got that of {other}")


def _check_module(name: str, own: Mapping[str, Tensor], given: Mapping[str, Tensor]) -> None:
    """Compare the tensors' names, shapes and dtypes."""
    for key in sorted(own.keys() | given.keys()):
        kinds = [f"{tuple(x[key].shape)}" if key in x else "nothing" for x in (own, given)]
        if kinds[0] == kinds[1]:
            kinds = [str(x[key].dtype) for x in (own, given)]
        if kinds[0] != kinds[1]:
            raise CheckpointError(f"{name}.{key}: expected {kinds[0]}, got {kinds[1]}")


def _check_optimizer(name: str, own: Mapping[str, Any], given: Mapping[str, Any]) -> None:
    """Compare the sizes and the settings' names of the parameter groups."""
    sizes = [[len(group["params"]) for group in state["param_groups"]] for state in (own, given)]
    if sizes[0] != sizes[1]:
        raise CheckpointError(f"{name}: expected parameter groups of {sizes[0]}, got {sizes[1]}")
    for one, other in zip(own["param_groups"], given["param_groups"], strict=True):
        if odd := sorted(one.keys() ^ other.keys()):
            raise CheckpointError(f"{name}: expected groups with the settings {', '.join(one)}; {odd[0]} differs")
