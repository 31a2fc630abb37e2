"""The course's data. Shipped files are read from ``data/`` and checked against their sha256; nothing is fetched."""

import hashlib
from pathlib import Path

from course_lib.paths import DATA


def shipped(name: str, sha256: str) -> bytes:
    """Return the bytes of a file in ``data/``; OSError if it is missing or not the file that it should be."""
    path = DATA / name
    remedy = f"`git checkout -- data/{name}` brings it back"
    if not path.is_file():
        raise OSError(f"data/{name} is missing; {remedy}")
    content = path.read_bytes()
    found = hashlib.sha256(content).hexdigest()
    if found != sha256:
        raise OSError(f"data/{name} has been changed: expected sha256 {sha256}, got {found}; {remedy}")
    return content


def shipped_path(name: str, sha256: str) -> Path:
    """Return the path of a file in ``data/``, for readers that want one; OSError as for ``shipped``."""
    shipped(name, sha256)
    return DATA / name
