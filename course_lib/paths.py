"""Where files are: what the course ships, and what a learner makes. The one module that every wing may import."""

import os
import sysconfig
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[1]


def root() -> Path:
    """Return the folder with ``data``, ``notebooks`` and ``benchmarks``.

    The checkout's; or, where the package was installed without it (``pip install .``), the one that pip filled.
    """
    installed = Path(sysconfig.get_path("data")) / "share" / "generative-ai-course"
    return CHECKOUT if (CHECKOUT / "data").is_dir() else installed


DATA = root() / "data"
RESULTS = root() / "benchmarks" / "results"
SOURCES = root() / "notebooks" / "source"


def home() -> Path:
    """Return the folder of the learner's progress and caches; it is made when something is written there.

    COURSE_HOME where it is set, else ``.course`` in the checkout, or in the user's home where there is no checkout.
    """
    if named := os.environ.get("COURSE_HOME"):
        return Path(named).expanduser()
    return CHECKOUT / ".course" if root() == CHECKOUT else Path.home() / ".generative-ai-course"
