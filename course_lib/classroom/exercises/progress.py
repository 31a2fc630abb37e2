"""Remembers which exercises are done, in one small file of COURSE_HOME."""

import json
import os
import tempfile
from pathlib import Path

from course_lib import paths


def _file() -> Path:
    return paths.home() / "progress.json"


def read() -> dict[str, dict]:
    """Return id → {state: done, wrong or open; seen: whether the solution was shown before it was done}.

    A file that is no JSON object is moved aside to ``progress.damaged.json``, and progress starts anew.
    """
    path = _file()
    if not path.is_file():
        return {}
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return {id: dict(entry) for id, entry in content.items()}
    except (ValueError, AttributeError, TypeError):
        path.replace(path.with_name("progress.damaged.json"))
        return {}


def write(entries: dict[str, dict]) -> None:
    """Replace the file in one step; where it cannot be written, the exercise goes on and nothing is remembered."""
    path = _file()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, beside = tempfile.mkstemp(dir=path.parent, suffix=".part")
        with os.fdopen(handle, "w", encoding="utf-8") as out:
            json.dump(entries, out, indent=1, sort_keys=True)
        os.replace(beside, path)
    except OSError as error:
        print(f"(progress is not remembered: {error})")


def note(id: str, state: str) -> None:
    """Remember the state of one exercise; one that is done stays done, with the solution seen or not."""
    entries = read()
    entry = entries.get(id, {"state": "open", "seen": False})
    if entry["state"] != "done" and entry["state"] != state:
        entries[id] = {**entry, "state": state}
        write(entries)


def note_seen(id: str) -> None:
    """Remember that the solution was shown, unless the exercise was done before."""
    entries = read()
    entry = entries.get(id, {"state": "open", "seen": False})
    if entry["state"] != "done":
        entries[id] = {**entry, "seen": True}
        write(entries)


def forget(ids: list[str]) -> None:
    """Set these exercises back to open, their solutions to unseen."""
    entries = read()
    write({id: entry for id, entry in entries.items() if id not in ids})
