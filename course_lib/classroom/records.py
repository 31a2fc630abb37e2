"""Results that the quick run cannot produce: committed by ``benchmarks/``, shown with where they come from."""

import difflib
import json
import os
import platform
from collections.abc import Sequence
from pathlib import Path

import torch

from course_lib.paths import RESULTS

FIELDS = ("name", "what", "machine", "versions", "seeds", "values")


def recorded(name: str) -> dict:
    """Print where the record comes from and return its values.

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
    print(f"recorded: {record['what']}\n    on {record['machine']}; {versions}; seeds {record['seeds']}")
    return record["values"]


def write_record(name: str, what: str, seeds: Sequence[int], values: dict) -> Path:
    """Write values as ``benchmarks/results/name.json`` with this machine and these versions; return the path."""
    record = {
        "name": name,
        "what": what,
        "machine": machine(),
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


def machine() -> str:
    """Name the hardware in words: the GPU if torch sees one, else the processor and its threads."""
    if torch.cuda.is_available():
        return torch.cuda.get_device_name()
    cpu = platform.processor() or platform.machine()
    if Path("/proc/cpuinfo").is_file():
        names = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
        cpu = names[0].split(":", 1)[1].strip() if names else cpu
    return f"{cpu}, {os.cpu_count()} cores, {torch.get_num_threads()} threads"
