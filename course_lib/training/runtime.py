"""What this run uses: device, budget, seed, and where files go. Four environment variables, no others.

``COURSE_BUDGET``  quick (two CPU cores, under 90 s a notebook) or full (a GPU, minutes)
``COURSE_DEVICE``  cpu, cuda, cuda:1, mps …
``COURSE_HOME``    progress, checkpoints and caches; ``.course`` in the course's folder when unset
``COURSE_DATA``    downloaded data; ``data`` in COURSE_HOME when unset
"""

import json
import os
import platform
import sys
from dataclasses import dataclass
from typing import TypeVar

import torch

from course_lib import paths
from course_lib.paths import home

BUDGETS = ("quick", "full")
UNTRIED = "which have not run for every chapter on a GPU"


T = TypeVar("T")


@dataclass(frozen=True)
class Runtime:
    """The device that tensors live on and the budget, quick or full, that sizes are chosen by."""

    device: torch.device
    budget: str

    @property
    def device_name(self) -> str:
        """The GPU by its product's name, any other device as torch writes it."""
        return torch.cuda.get_device_name(self.device) if self.device.type == "cuda" else str(self.device)

    @property
    def float64_device(self) -> torch.device:
        """The device, or the CPU where the device has no float64."""
        return torch.device("cpu") if self.device.type == "mps" else self.device

    def pick(self, quick: T, full: T) -> T:
        """Return the value for this run's budget."""
        return quick if self.budget == "quick" else full

    def expect(self, what: str, minutes: float) -> None:
        """Say before a heavy cell of the full budget starts what it trains and how long that is meant to take.

        minutes: what the budget was sized for, on one recent card; the quick budget says nothing.
        """
        if self.budget == "full":
            print(f"full budget: {what}; sized for at most {minutes:g} minutes on one recent GPU", flush=True)


def full_was_run() -> bool:
    """Return whether the full budget of every chapter has come to its end on a GPU, which the record tells."""
    record = paths.RESULTS / "full_budgets.json"
    if not record.is_file():
        return False
    rows = json.loads(record.read_text(encoding="utf-8"))["values"]["rows"]
    ended = {row["chapter"] for row in rows if row["budget"] == "full" and row["ended"]}
    return ended >= {source.stem for source in paths.SOURCES.glob("[0-9]*.py")}


def runtime() -> Runtime:
    """Choose device and budget: the variables where they are set, else CUDA where there is one, else the CPU.

    The budget is quick, on a GPU too until the full one of every chapter has been run on one. MPS is used only when
    asked for. Raises ValueError for a variable that cannot be followed.
    """
    name = os.environ.get("COURSE_DEVICE") or ("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.ones(1, device=device).cpu().item()  # a device that keeps no numbers, as meta, is no device to learn on
    except (RuntimeError, AssertionError) as error:  # torch without CUDA raises AssertionError
        reason = str(error).splitlines()[0]
        raise ValueError(f"COURSE_DEVICE: expected a device that torch can use here, got {name!r} ({reason})") from None
    budget = os.environ.get("COURSE_BUDGET") or ("full" if device.type == "cuda" and full_was_run() else "quick")
    if budget not in BUDGETS:
        raise ValueError(f"COURSE_BUDGET: expected quick or full, got {budget!r}")
    return Runtime(device, budget)


def start(seed: int = 0, threads: int | None = None) -> Runtime:
    """Seed torch's global generator, print versions, device and budget, and return the runtime.

    threads: processor threads for torch, left alone when None. A model of some ten thousand parameters trains as
    fast on one; and where other work keeps a core busy, two threads wait for each other, ten times as long.
    """
    run = runtime()
    torch.manual_seed(seed)
    if threads is not None:
        torch.set_num_threads(threads)
    if run.device.type == "cuda":
        torch.set_float32_matmul_precision("high")  # TF32: matrix products with 10 bits behind the point
    print(f"Python {platform.python_version()}, PyTorch {torch.__version__}, {torch.get_num_threads()} threads")
    print(f"device: {run.device_name} · budget: {run.budget} · seed: {seed}")
    return run


def describe() -> None:
    """Print what this run uses, what to expect of it, where its files are and how to delete them."""
    run = runtime()
    expect = run.pick(
        quick="small sizes; a chapter runs in under 90 s on two CPU cores"
        + ("; COURSE_BUDGET=full tries the large ones, " + UNTRIED if run.device.type == "cuda" else ""),
        full="large sizes for a GPU; a heavy cell says first how many minutes it takes",
    )
    files = [path for path in home().rglob("*") if path.is_file()]
    kept = f"{len(files)} file{'s' * (len(files) != 1)}, {sum(path.stat().st_size for path in files) / 2**20:.1f} MiB"
    tf32 = ", its matrix products as TF32," if run.device.type == "cuda" else ""
    place = "the folder in COURSE_HOME" if os.environ.get("COURSE_HOME") else f"{home().name}/"
    for name, says in (
        ("device", f"{run.device_name}, {torch.get_num_threads()} threads; no chapter needs a GPU"),
        ("precision", f"float32{tf32} unless a cell says float64, where digits are to be compared"),
        ("budget", f"{run.budget}: {expect}"),
        ("notebooks", "work/ is your own copy; `make reset NB=00` gives a fresh one and keeps yours beside it"),
        ("progress", f"{place}: {kept}; delete the folder and every exercise is open again"),
        ("packages", ".venv/, some GB; `make clean` removes it, `make lab` makes it anew"),
        ("network", "none is used once the course is set up"),
    ):
        print(f"{name:<10} {says}")


def in_notebook() -> bool:
    """Return whether a Jupyter kernel runs this code, so that pictures and boxes can be shown."""
    ipython = sys.modules.get("IPython")
    return ipython is not None and hasattr(ipython.get_ipython(), "kernel")
