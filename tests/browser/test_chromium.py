"""Which browser the tests take, and that want of one never passes unseen where it is required. Starts none."""

import pytest
from browser import chromium


@pytest.fixture(autouse=True)
def plain(monkeypatch):
    for name in ("CI", "COURSE_BROWSER", "COURSE_CHROMIUM"):
        monkeypatch.delenv(name, raising=False)


def test_the_named_one_goes_before_those_on_the_path(monkeypatch):
    monkeypatch.setattr(chromium.shutil, "which", lambda name: f"/bin/{name}" if name == "google-chrome" else None)
    assert chromium.path() == "/bin/google-chrome"
    monkeypatch.setenv("COURSE_CHROMIUM", "/opt/mine")
    assert chromium.path() == "/opt/mine"


def test_without_any_it_is_playwrights_own(monkeypatch):
    monkeypatch.setattr(chromium.shutil, "which", lambda name: None)
    assert chromium.path() is None


def test_want_of_a_browser_skips_with_the_reason():
    with pytest.raises(pytest.skip.Exception, match="no Chromium: `apt-get install chromium`"):
        chromium.absent(chromium.HOW)


@pytest.mark.parametrize(("name", "value"), [("CI", "true"), ("COURSE_BROWSER", "required")])
def test_want_of_a_browser_fails_where_one_is_required(monkeypatch, name, value):
    monkeypatch.setenv(name, value)
    with pytest.raises(pytest.fail.Exception, match="a browser is required here, and there is no Chromium"):
        chromium.absent(chromium.HOW)
