"""Times calls that take turns, so that a machine whose speed drifts is fair to all of them."""

import time
from collections.abc import Callable

import torch


def in_turns(candidates: dict[str, Callable[[], object]], rounds: int, device: str) -> dict[str, float]:
    """Return the median milliseconds of each candidate's call; they take turns, after two calls to warm up."""
    wait = torch.cuda.synchronize if device == "cuda" else lambda: None
    times: dict[str, list[float]] = {name: [] for name in candidates}
    for turn in range(rounds + 2):
        for name, call in candidates.items():
            wait()
            started = time.perf_counter()
            call()
            wait()
            if turn > 1:
                times[name].append(1e3 * (time.perf_counter() - started))
    return {name: round(torch.tensor(values).median().item(), 3) for name, values in times.items()}
