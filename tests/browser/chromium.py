"""Finds the browser of the tests, and says what to do where there is none."""

import os
import shutil
import sys
from typing import NoReturn

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome")
HOW = (
    "no Chromium: `apt-get install chromium`, or `playwright install chromium` in the course's environment, "
    "or name one in COURSE_CHROMIUM"
)


def path() -> str | None:
    """Return the one named in COURSE_CHROMIUM, else one on PATH; None stands for Playwright's own."""
    return os.environ.get("COURSE_CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)


def flags() -> list[str]:
    """Return what it is started with: containers have little shared memory, and its sandbox refuses root."""
    root = sys.platform == "linux" and os.geteuid() == 0
    return ["--disable-gpu", "--disable-dev-shm-usage", *(["--no-sandbox"] if root else [])]


def absent(reason: str) -> NoReturn:
    """Skip the test for want of a browser; where one is expected, in CI for one, fail instead."""
    if os.environ.get("CI") or os.environ.get("COURSE_BROWSER") == "required":
        pytest.fail(f"a browser is required here, and there is {reason}", pytrace=False)
    pytest.skip(reason)
