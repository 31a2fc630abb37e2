"""What finished runs found, in a folder, so that an interrupted record goes on."""

import json
from collections.abc import Callable
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
