"""What one call spends its time on, by operator: PyTorch's profiler, made short."""

import os
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch.profiler import ProfilerActivity, profile

from course_lib.training.roofline import fastest, wait


@dataclass(frozen=True)
class Profile:
    """ms: of the whole call; operators: name → (its own ms, calls), largest first; the rest was in no operator."""

    ms: float
    operators: dict[str, tuple[float, int]]

    @property
    def outside(self) -> float:
        """Milliseconds that no operator accounts for: Python's own work, or a device that waited."""
        return max(self.ms - sum(ms for ms, _ in self.operators.values()), 0.0)

    def share(self, *names: str) -> float:
        """Return the share of the whole that these operators take."""
        return sum(self.operators.get(name, (0.0, 0))[0] for name in names) / self.ms


def profiled(call: Callable[[], object], device: torch.device | str = "cpu", times: int = 5) -> Profile:
    """Return the profile of a call that is made several times, behind two that warm up; on a GPU the times there.

    Of each call of an operator the fastest of the several counts, and so does the fastest whole: what else the machine
    does would otherwise stand beside the operator that it happened to interrupt. Only operators of tensors are named;
    what the profiler calls by other names is in no operator.
    """
    device = torch.device(device)
    os.environ.setdefault("KINETO_LOG_LEVEL", "99")  # or it reports its own start and end
    call()
    call()
    rounds = [_once(call, device) for _ in range(times)]
    found = {}
    for name in rounds[0]:
        each = zip(*(made[name] for made in rounds), strict=True)  # one call of the operator in every round
        found[name] = sum(map(min, each)), len(rounds[0][name])
    found = {name: (ms, calls) for name, (ms, calls) in found.items() if ms > 0}
    return Profile(1e3 * fastest(call, device, times), dict(sorted(found.items(), key=lambda item: -item[1][0])))


def _once(call: Callable[[], object], device: torch.device) -> dict[str, list[float]]:
    """Return operator → milliseconds of its own, one a call, in order."""
    gpu = device.type == "cuda"
    with profile(activities=[ProfilerActivity.CPU, *([ProfilerActivity.CUDA] if gpu else [])]) as watched:
        call()
        wait(device)
    found: dict[str, list[float]] = {}
    for event in watched.events():
        if event.name.startswith("aten::"):
            own = event.self_device_time_total if gpu else event.self_cpu_time_total
            found.setdefault(event.name.removeprefix("aten::"), []).append(own / 1e3)
    return found
