"""Drives JupyterLab as a learner does: `make lab` on a copy of the notebooks, a page in a browser, keys and clicks.

What a learner does is done by keyboard and mouse. What is only looked at (which cells have run, what they show) is read
from the notebook's model, and JupyterLab's settings stay as they come.
"""

import contextlib
import json
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

from browser.notebook import SECOND, Notebook

import course

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = Path(__file__).with_name("page.js")
MAKE_LAB = """\
import sys, course
from pathlib import Path
course.ROOT = Path(sys.argv[1])
course.WORK = course.ROOT / "work"
course.webbrowser.open = lambda address: True  # the tests have a browser of their own
sys.exit(course.lab(sys.executable, {"PORT": sys.argv[2]}))
"""


class Lab:
    """JupyterLab in one page of a browser; folder: the copy of the course that it serves."""

    def __init__(self, page, address: str, folder: Path) -> None:
        self.page, self.address, self.folder = page, address, folder
        page.add_init_script(path=SCRIPT)
        page.goto(address)
        page.wait_for_function("window.jupyterapp && document.querySelector('.jp-Notebook')", timeout=120 * SECOND)

    def open(self, chapter: str) -> Notebook:
        """Open the learner's copy of a chapter in a tab, or bring its tab to the front."""
        path = f"work/{chapter}.ipynb"
        self.page.evaluate("async path => void (await jupyterapp.commands.execute('docmanager:open', {path}))", path)
        return Notebook(self.page, path)

    def fresh(self, chapter: str) -> Notebook:
        """Open a chapter as `make lab` copies it, whatever was done to it before."""
        path = f"work/{chapter}.ipynb"
        if self.page.evaluate("path => Boolean(course.panel(path))", path):
            self.open(chapter).close()
        course.place(self.folder / "notebooks" / f"{chapter}.ipynb", self.folder / path)
        return self.open(chapter)

    def theme(self, name: str) -> None:
        """Choose one of JupyterLab's themes, ‘JupyterLab Light’ or ‘JupyterLab Dark’."""
        self.page.evaluate(
            "async theme => void (await jupyterapp.commands.execute('apputils:change-theme', {theme}))", name
        )
        dark = "false" if name.endswith("Dark") else "true"
        self.page.locator(f"body[data-jp-theme-light={dark}]").wait_for(state="attached")


@contextlib.contextmanager
def served(folder: Path, **variables: str):
    """Run what `make lab` runs on a copy of the notebooks in a folder; yield the address that it prints.

    variables: of the environment, for the kernels.

    The kernels import the library from this checkout; work/, progress and JupyterLab's settings lie in the folder.
    """
    (folder / "notebooks").mkdir(parents=True)
    for notebook in course.chapters():
        shutil.copy(notebook, folder / "notebooks")
    shutil.copytree(ROOT / ".jupyter", folder / ".jupyter")
    (folder / "jupyter").mkdir()
    exposed = {"LabApp": {"expose_app_in_browser": True}}  # so that the page can be asked for its notebooks
    (folder / "jupyter" / "jupyter_lab_config.json").write_text(json.dumps(exposed))
    own = {f"JUPYTER_{name}_DIR": str(folder / "jupyter") for name in ("CONFIG", "DATA", "RUNTIME")}
    with socket.socket() as probe:  # a port that no other JupyterLab of this moment takes
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    command = [sys.executable, "-c", MAKE_LAB, str(folder), port]
    said = folder / "lab.log"
    with course.test_environment() as environment, said.open("w") as log:
        environment |= {**own, **variables, "COURSE_HOME": str(folder / ".course"), "PYTHONUNBUFFERED": "1"}
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=subprocess.STDOUT)
        address = ""
        try:
            address = printed_address(said, process)
            yield address
        finally:
            stop(address, process)


def printed_address(said: Path, process: subprocess.Popen, seconds: float = 60) -> str:
    """Wait for the address that `make lab` prints."""
    end = time.monotonic() + seconds
    while process.poll() is None and time.monotonic() < end:
        if found := re.search(r"The course is open at (\S+)", said.read_text(encoding="utf-8")):
            return found[1]
        time.sleep(0.1)
    raise AssertionError(f"`make lab` printed no address within {seconds:.0f} s:\n{said.read_text(encoding='utf-8')}")


def stop(address: str, process: subprocess.Popen) -> None:
    """End JupyterLab and its kernels, as File > Shut Down does; without an address the process alone."""
    if not address:
        process.kill()
    elif process.poll() is None:
        shutdown = address.replace(address[address.index("/lab/tree/") : address.index("?")], "/api/shutdown")
        urllib.request.urlopen(urllib.request.Request(shutdown, method="POST"), timeout=30).close()
    process.wait(timeout=60)
