"""Every test runs with shapes checked at run time, and with a home of its own."""

import contextlib

import jaxtyping
import pytest

# before anything of the library is imported: signatures are checked by beartype in every call
jaxtyping.install_import_hook("course_lib", "typecheck.checked").__enter__()


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """A COURSE_HOME for this test alone; no test sees a learner's progress or variables."""
    monkeypatch.setenv("COURSE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("COURSE_DEVICE", "cpu")
    monkeypatch.setenv("COURSE_BUDGET", "quick")
    return tmp_path / "home"


@contextlib.contextmanager
def library_errors_alone():
    """Switch the run-time check of shapes off, to see the library's own error messages."""
    jaxtyping.config.update("jaxtyping_disable", True)
    try:
        yield
    finally:
        jaxtyping.config.update("jaxtyping_disable", False)


@pytest.fixture
def unchecked():
    """A test in which only the library's own checks speak."""
    with library_errors_alone():
        yield
