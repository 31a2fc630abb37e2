"""What finished runs found, in a folder, so that an interrupted record goes on; and all seeds in one structure."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any


def kept(folder: Path, name: str, call: Callable[[], Any]) -> Any:
    """Return what a call found, from the folder where it ran before."""
    path = folder / f"{name}.json"
    if not path.exists():
        path.with_suffix(".part").write_text(json.dumps(call()))
        path.with_suffix(".part").replace(path)
        print(name, path.read_text(), flush=True)
    return json.loads(path.read_text())


def by_seed(runs: Sequence[dict[str, Any]], digits: int | None = None) -> dict[str, Any]:
    """Return one dictionary whose leaves are lists, one entry a seed; digits: to which numbers are rounded, if any."""

    def leaf(value: Any) -> Any:
        return round(value, digits) if digits is not None and isinstance(value, float) else value

    return {
        key: by_seed([run[key] for run in runs], digits) if isinstance(first, dict) else [leaf(r[key]) for r in runs]
        for key, first in runs[0].items()
    }
