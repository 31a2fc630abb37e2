"""Where files are: what the course ships, and what a learner makes. The one module that every wing may import."""

import os
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[1]


def root(package: Path = CHECKOUT) -> Path:
    """Return the folder with ``data``, ``notebooks`` and ``benchmarks``.

    The checkout's; or, where the package was installed without it (``pip install .``), ``share/generative-ai-course``,
    which pip puts beside the package (``--target``) or as far above it as the environment begins. package: the folder
    in which ``course_lib`` lies.
    """
    if (package / "course.py").is_file():
        return package
    above = [folder / "share" / "generative-ai-course" for folder in (package, *package.parents)]
    return next((folder for folder in above if folder.is_dir()), package)


DATA = root() / "data"
RESULTS = root() / "benchmarks" / "results"
SOURCES = root() / "notebooks" / "source"


def home() -> Path:
    """Return the folder of the learner's progress and caches; it is made when something is written there.

    COURSE_HOME where it is set, else ``.course`` in the checkout, or ``.generative-ai-course`` in the user's home where
    the package was installed without it. OSError where the user has no home.
    """
    named = os.environ.get("COURSE_HOME")
    if not named and (CHECKOUT / "course.py").is_file():
        return CHECKOUT / ".course"
    try:
        return Path(named or "~/.generative-ai-course").expanduser()
    except RuntimeError:
        raise OSError(f"COURSE_HOME: expected a folder, got {named!r}, and this user has no home folder") from None
