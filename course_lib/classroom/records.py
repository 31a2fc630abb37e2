"""Results that the quick run cannot produce: committed by ``benchmarks/``, shown with where they come from."""

import difflib
import json
import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from course_lib.classroom.beside import Beside, beside
from course_lib.classroom.streams import say
from course_lib.paths import RESULTS

FIELDS = ("name", "what", "machine", "versions", "seeds", "values")


@dataclass(frozen=True)
class Record:
    """What a benchmark measured, or one arm of it: the values, and the seeds that they were measured with.

    name: the record's, followed by the arms that led here; seeds: one a training; values: as the benchmark wrote them;
    machine: on which they were measured.
    """

    name: str
    seeds: tuple[int, ...]
    values: Any
    machine: str = ""

    def arm(self, *names: str) -> "Record":
        """Return the part of the record that the names lead to, one level a name: ``arm("digits", "long")``.

        LookupError for a name that is not there, with those that are.
        """
        found = self
        for name in names:
            found = replace(found, name=f"{found.name}, {name}", values=found._value(name))
        return found

    def each(self, key: str) -> list:
        """Return the values under key, one a seed. LookupError where key is missing or holds no list."""
        value = self._value(key)
        if not isinstance(value, list):
            raise LookupError(f"key: expected a list in record {self.name!r}, got {key!r}, a {type(value).__name__}")
        return value

    def mean(self, key: str) -> float:
        """Return the mean over the seeds of the numbers under key. LookupError where they are no numbers, or none."""
        values = self.each(key)
        if not values or not all(isinstance(value, int | float) for value in values):
            raise LookupError(f"key: expected numbers in record {self.name!r}, got {key!r}, which holds none")
        return sum(values) / len(values)

    def beside(self, live: float | Sequence[float] | Tensor, there: str | Sequence[float] | Tensor) -> Beside:
        """Return a live value, or several, beside the recorded ones: ``claim(…, loss=record.beside(loss, "loss"))``.

        there: the key of one number a seed, or these numbers, where they stand deeper in the record. What is printed
        and what the interval means stands in ``course_lib.classroom.beside``, as do the errors.
        """
        return beside(live, self.each(there) if isinstance(there, str) else there, self.machine)

    def _value(self, name: str) -> Any:
        if not isinstance(self.values, dict) or name not in self.values:
            there = ", ".join(map(repr, self.values)) if isinstance(self.values, dict) else "no names"
            raise LookupError(f"record {self.name!r} has no {name!r}; it has: {there}")
        return self.values[name]


def recorded(name: str) -> Record:
    """Print where the record comes from and return it.

    Raises FileNotFoundError for an unknown name (with the nearest one) and ValueError for a file that lacks
    its machine, versions or seeds: a number without them is not quoted in this course.
    """
    path = RESULTS / f"{name}.json"
    if not path.is_file():
        known = sorted(p.stem for p in RESULTS.glob("*.json"))
        near = difflib.get_close_matches(name, known, n=1)
        did_you_mean = f"; did you mean {near[0]!r}?" if near else f"; recorded are: {', '.join(known) or 'none'}"
        raise FileNotFoundError(f"name: no record {name!r}{did_you_mean}")
    record = json.loads(path.read_text(encoding="utf-8"))
    missing = [field for field in FIELDS if field not in record]
    if missing:
        raise ValueError(f"{path.name}: expected the fields {', '.join(FIELDS)}; missing: {', '.join(missing)}")
    versions = ", ".join(f"{package} {version}" for package, version in record["versions"].items())
    say(f"recorded: {record['what']}\n    on {record['machine']}; {versions}; seeds {record['seeds']}")
    return Record(name, tuple(record["seeds"]), record["values"], record["machine"])


def write_record(name: str, what: str, seeds: Sequence[int], values: dict, device: str | torch.device = "cpu") -> Path:
    """Write values as ``benchmarks/results/name.json`` with machine and versions; return the path.

    device: what the values were measured on, which decides whether the record names the processor or the GPU.
    """
    record = {
        "name": name,
        "what": what,
        "machine": machine(device),
        "versions": {"python": platform.python_version(), "torch": torch.__version__},
        "seeds": list(seeds),
        "values": values,
    }
    RESULTS.mkdir(parents=True, exist_ok=True)
    path = RESULTS / f"{name}.json"
    beside = path.with_suffix(".part")
    beside.write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    beside.replace(path)
    return path


def machine(device: str | torch.device = "cpu") -> str:
    """Name the hardware behind a device in words: a CUDA device's product, else the processor and its threads."""
    kind = torch.device(device).type
    if kind == "cuda":
        return torch.cuda.get_device_name(device)
    cpu = platform.processor() or platform.machine()
    if Path("/proc/cpuinfo").is_file():
        names = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
        cpu = names[0].split(":", 1)[1].strip() if names else cpu
    cores = f"{cpu}, {os.cpu_count()} cores"
    return f"{cores}, {torch.get_num_threads()} threads" if kind == "cpu" else f"{kind} of {cores}"
