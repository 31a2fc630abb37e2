"""Runs a Python program in a process that cannot write more than so many bytes into one file: a disk that is full.

The write itself fails, in the system, whoever writes: Python, Rust or C. The limit needs no rights and no second disk.
Past it the system reports 'File too large' where a full disk says 'No space left on device'.
"""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NO_LIMITS = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit on what a process writes")
FULL = """
import resource, signal, sys
sys.path[:0] = ["tests"]
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # the write fails, as on a full disk, and the process lives

def fill_the_disk(size):
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))

def free_some_space():
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
"""


def run(program, *arguments):
    """Return what the program printed; it has ``fill_the_disk(bytes)`` and ``free_some_space()``."""
    command = [sys.executable, "-c", FULL + program, *map(str, arguments)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, encoding="utf-8")
    assert done.returncode == 0, done.stderr
    return done.stdout
