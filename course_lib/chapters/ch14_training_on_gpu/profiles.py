"""What one call spends its time on, by operator: PyTorch's profiler, made short."""

import os
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch.profiler import ProfilerActivity, profile

from course_lib.training.roofline import clock, wait


@dataclass(frozen=True)
class Profile:
    """operators: name → (its own ms, calls), largest first; outside: ms in no operator, as in Python's own work."""

    operators: dict[str, tuple[float, int]]
    outside: float

    @property
    def ms(self) -> float:
        """Milliseconds of the whole."""
        return self.outside + sum(ms for ms, _ in self.operators.values())

    def share(self, *names: str) -> float:
        """Return the share of the whole that these operators take."""
        return sum(self.operators.get(name, (0.0, 0))[0] for name in names) / self.ms


def profiled(call: Callable[[], object], device: torch.device | str = "cpu", times: int = 8) -> Profile:
    """Return the profile of a call that is made several times, behind two that warm up; on a GPU the times there.

    Of each call of an operator the fastest of the several counts: what else the machine does would otherwise stand
    beside the operator that it happened to interrupt. In no operator is what these leave of the least whole, told by
    the ``clock`` of the device. Only operators of tensors are named.
    """
    device = torch.device(device)
    os.environ.setdefault("KINETO_LOG_LEVEL", "99")  # or it reports its own start and end
    call()
    call()
    rounds, wholes = zip(*(_once(call, device) for _ in range(times)), strict=True)
    found = {}
    for name in rounds[0]:
        each = zip(*(made[name] for made in rounds), strict=True)  # one call of the operator in every round
        found[name] = sum(map(min, each)), len(rounds[0][name])
    found = {name: (ms, calls) for name, (ms, calls) in found.items() if ms > 0}
    outside = max(min(wholes) - sum(ms for ms, _ in found.values()), 0.0)
    return Profile(dict(sorted(found.items(), key=lambda item: -item[1][0])), outside)


def _once(call: Callable[[], object], device: torch.device) -> tuple[dict[str, list[float]], float]:
    """Return operator → milliseconds of its own, one a call, in order; and the milliseconds of the whole."""
    gpu, seconds = device.type == "cuda", clock(device)
    with profile(activities=[ProfilerActivity.CPU, *([ProfilerActivity.CUDA] if gpu else [])]) as watched:
        started = seconds()
        call()
        wait(device)
        whole = 1e3 * (seconds() - started)
    found: dict[str, list[float]] = {}
    for event in watched.events():
        if event.name.startswith("aten::"):
            own = event.self_device_time_total if gpu else event.self_cpu_time_total
            found.setdefault(event.name.removeprefix("aten::"), []).append(own / 1e3)
    return found, whole
