"""A lock between processes: kernels of several chapters write the same file of progress."""

import contextlib
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO

PAUSE = 0.01  # seconds between two tries


@contextlib.contextmanager
def held(path: Path, timeout: float = 5.0) -> Iterator[None]:
    """Hold the lock file path while the block runs; OSError if it cannot be made.

    The system releases it when its process ends, however it ends, so that no stale lock is ever left. After timeout
    seconds without it the block runs all the same: a kernel that hangs, or a file system without locks, must not stop
    a lesson.
    """
    with open(path, "ab+") as file:
        end = time.monotonic() + timeout
        while not (got := _take(file)) and time.monotonic() < end:
            time.sleep(PAUSE)
        try:
            yield
        finally:
            if got:
                _release(file)


def _take(file: IO) -> bool:
    try:
        if os.name == "nt":
            import msvcrt

            file.seek(0)
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    except OSError:
        return False


def _release(file: IO) -> None:
    if os.name == "nt":
        import msvcrt

        file.seek(0)
        msvcrt.locking(file.fileno(), msvcrt.LK_UNLCK, 1)  # type: ignore[attr-defined]
    else:
        import fcntl

        fcntl.flock(file, fcntl.LOCK_UN)
