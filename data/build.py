"""Remake the shipped data from its origin: ``python data/build.py path/to/input.txt``."""

import hashlib
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from course_lib.data import FOLDER, SHAKESPEARE_SHA256


def build_shakespeare(original: Path) -> Path:
    """Copy char-rnn's ``data/tinyshakespeare/input.txt`` byte for byte; ValueError for any other content."""
    content = original.read_bytes()
    found = hashlib.sha256(content).hexdigest()
    if found != SHAKESPEARE_SHA256:
        raise ValueError(f"{original}: expected sha256 {SHAKESPEARE_SHA256}, got {found}")
    target = FOLDER / "tinyshakespeare.txt"
    beside = target.with_suffix(".part")
    beside.write_bytes(content)
    return beside.replace(target)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    print(build_shakespeare(Path(sys.argv[1])))
