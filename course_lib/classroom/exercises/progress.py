"""Remembers which exercises are done, in one small file of COURSE_HOME that several kernels may write."""

import json
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from course_lib import paths
from course_lib.classroom.exercises.lock import held
from course_lib.classroom.streams import say

STATES = ("open", "wrong", "done")
Entries = dict[str, dict[str, Any]]


def _file() -> Path:
    return paths.home() / "progress.json"


def read() -> Entries:
    """Return id → {state: done, wrong or open; seen: whether the solution was shown before it was done; said}.

    said is of an exercise that is not done: {state: untouched, unfinished or wrong; key: of the message; lines: of the
    message}, which tells a teacher which mistake it is. A file that holds anything else is moved aside to
    ``progress.damaged.json``, and progress starts anew.
    """
    try:
        path = _file()
        content = json.loads(path.read_text(encoding="utf-8"))
        if isinstance(content, dict) and all(map(_is_entry, content.values())):
            return content
    except OSError:  # there is none yet, or it cannot be read
        return {}
    except (ValueError, RecursionError):
        pass
    try:
        path.replace(path.with_name("progress.damaged.json"))
    except OSError as error:
        say(f"(progress cannot be read: {error})")
    return {}


def _is_entry(entry: Any) -> bool:
    sound = isinstance(entry, dict) and entry.get("state") in STATES and isinstance(entry.get("seen"), bool)
    return sound and isinstance(entry.get("said", {}), dict)


def _update(change: Callable[[Entries], Entries]) -> None:
    """Read, change and replace the file under a lock; where it cannot be written, nothing is remembered."""
    try:
        path = _file()
        path.parent.mkdir(parents=True, exist_ok=True)
        with held(path.with_suffix(".lock")):
            before = read()
            after = change(dict(before))
            if after != before:
                _write(path, after)
    except OSError as error:
        say(f"(progress is not remembered: {error})")


def _write(path: Path, entries: Entries) -> None:
    handle, beside = tempfile.mkstemp(dir=path.parent, suffix=".part")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as out:
            json.dump(entries, out, indent=1, sort_keys=True)
        os.replace(beside, path)
    except OSError:
        Path(beside).unlink(missing_ok=True)
        raise


def note(id: str, state: str, said: dict[str, Any] | None = None) -> None:
    """Remember the state of one exercise, '' to leave it, and what was said of an answer that is not right.

    One that is done stays done, with the solution seen or not.
    """

    def noted(entries: Entries) -> Entries:
        before = _entry(entries, id)
        after = {"state": state or before["state"], "seen": before["seen"]}
        return {**entries, id: {**after, "said": said} if said else after}

    _update(lambda entries: entries if _done(entries, id) else noted(entries))


def note_seen(id: str) -> None:
    """Remember that the solution was shown, unless the exercise was done before."""
    _update(lambda entries: entries if _done(entries, id) else {**entries, id: {**_entry(entries, id), "seen": True}})


def forget(ids: list[str]) -> None:
    """Set these exercises back to open, their solutions to unseen."""
    _update(lambda entries: {id: entry for id, entry in entries.items() if id not in ids})


def _entry(entries: Entries, id: str) -> dict[str, Any]:
    return entries.get(id, {"state": "open", "seen": False})


def _done(entries: Entries, id: str) -> bool:
    return _entry(entries, id)["state"] == "done"
