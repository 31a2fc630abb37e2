"""Record what one lever at a time does to the time of a training step: milliseconds, five timings of each arm.

Two models: 'small', 128 wide, four blocks, 16 × 64 tokens, and 'wide', 512 wide, two blocks, 8 × 64 tokens. The arms of
a model take turns. One thread on a processor, whose own time counts; compiling is told by the same time, with that of
the compilers that it starts.
"""

import os
import resource
import time
from collections.abc import Callable

import torch
from torch._inductor.utils import fresh_cache

from course_lib.chapters.ch14_training_on_gpu.steps import (
    CheckpointedBlock,
    ExplicitBlock,
    image_step,
    language_step,
)
from course_lib.classroom.records import write_record
from course_lib.training.roofline import clock, fastest, wait

MODELS = {"small": {}, "wide": {"width": 512, "blocks": 2, "batch": 8}}
TURNS = 5


def in_turns(arms: dict[str, Callable[[], object]], device: str) -> dict[str, list[float]]:
    """Time the arms in turns; milliseconds, the fastest of two calls in each turn."""
    for call in arms.values():
        call()
    found: dict[str, list[float]] = {name: [] for name in arms}
    for _ in range(TURNS):
        for name, call in arms.items():
            found[name].append(round(1e3 * fastest(call, device, 2), 3))
    print({name: min(times) for name, times in found.items()}, flush=True)
    return found


def worked(device: str) -> float:
    """Return the seconds of ``clock``, and where that is the process's own time those of its children, too.

    A compiler is such a child.
    """
    own = clock(device)
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return own() + (children.ru_utime + children.ru_stime if own is time.process_time else 0.0)


def compiling(device: str, **sizes) -> tuple[Callable[[], object], float]:
    """Return a compiled step that has run once, and the seconds of that first call, nothing being compiled before."""
    step = language_step(**sizes, device=device, compiled=True)
    with fresh_cache():
        started = worked(device)
        step()
        wait(device)
        seconds = worked(device) - started
    print("compiled in", seconds, flush=True)
    return step, round(seconds, 1)


def levers(device: str, **sizes) -> dict:
    """Time the levers of one model."""

    def new(**lever):
        return language_step(**sizes, device=device, **lever)

    arms = {"as it is": new(), "bfloat16": new(bfloat16=True), "update one by one": new(update="one by one"),
            "explicit attention": new(kind=ExplicitBlock), "checkpointed": new(kind=CheckpointedBlock)}  # fmt: skip
    arms["compiled"], seconds = compiling(device, **sizes)
    arms["compiled, bfloat16"], _ = compiling(device, **sizes, bfloat16=True)
    return {**in_turns(arms, device), "seconds to compile": seconds}


def main() -> None:
    """Time everything and write the record."""
    torch.set_num_threads(1)
    os.environ["TORCHINDUCTOR_COMPILE_THREADS"] = "1"  # compilers are children of this process, and it waits for them
    torch._inductor.config.compile_threads = 1
    device = "cuda" if torch.cuda.is_available() else "cpu"
    values: dict = {name: levers(device, **sizes) for name, sizes in MODELS.items()}
    images = {f"channels {place}": image_step(place == "last", device) for place in ("first", "last")}
    values["images"] = in_turns(images, device)
    values["clock"] = clock(device).__name__
    what = "milliseconds of a training step, one lever moved at a time"
    suffix = "" if device == "cpu" else "_gpu"
    print(write_record(f"step_levers{suffix}", what, [0], values, device))


if __name__ == "__main__":
    main()
