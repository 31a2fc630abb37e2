"""What one call spends its time on, by operator: PyTorch's profiler, made short."""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch.profiler import ProfilerActivity, profile

from course_lib.training.roofline import wait


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


def profiled(call: Callable[[], object], device: torch.device | str = "cpu", times: int = 3) -> Profile:
    """Return the mean of some calls, behind two that warm up; on a GPU the operators' time there.

    Only operators of tensors are named; what the profiler calls by other names counts as being in no operator.
    """
    device = torch.device(device)
    os.environ.setdefault("KINETO_LOG_LEVEL", "99")  # or it reports its own start and end
    kinds = [ProfilerActivity.CPU, *([ProfilerActivity.CUDA] if device.type == "cuda" else [])]
    call()
    call()
    wait(device)
    with profile(activities=kinds) as watched:
        began = time.perf_counter()
        for _ in range(times):
            call()
        wait(device)
        whole = 1e3 * (time.perf_counter() - began) / times
    own = "self_device_time_total" if device.type == "cuda" else "self_cpu_time_total"
    rows = [(event.key, getattr(event, own) / 1e3 / times, event.count // times) for event in watched.key_averages()]
    found = {name.removeprefix("aten::"): (ms, n) for name, ms, n in rows if name.startswith("aten::") and ms > 0}
    return Profile(whole, dict(sorted(found.items(), key=lambda item: -item[1][0])))
