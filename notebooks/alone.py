"""What a notebook says where the course's library is missing: its first cell, and the course's address.

The address stands in one place, ``[project.urls] Repository`` of pyproject.toml, and nowhere before it is public. With
it the lines below fetch the course; without it they take the wheel that somebody made from the course's folder.
"""

import tomllib
from pathlib import Path

PYPROJECT = Path(__file__).parents[1] / "pyproject.toml"
WHEEL = "course_lib-*.whl"
AND_RUN = "Run this line in a new cell, and then this cell again:"
KERNEL = """If that was done, choose the Python of the folder's .venv as this notebook's kernel.
Into another environment it comes by this line:"""
HOSTED = "%pip install --no-deps jaxtyping wadler-lindig"  # what Colab and Kaggle lack, and nothing else
MAKE_WHEEL = "python -m pip wheel --no-deps -w dist ."

CELL = '''\
import importlib.util
import os
import sys


class CourseMissingError(ImportError):
    def _render_traceback_(self):
        return [str(self)]


if importlib.util.find_spec("course_lib") is None:
    how = """{elsewhere}"""
    if "google.colab" in sys.modules:
        how = """{colab}"""
    elif "KAGGLE_KERNEL_RUN_TYPE" in os.environ:
        how = """{kaggle}"""
    raise CourseMissingError("This notebook needs the course's library, and here is none.\\n" + how)'''


def repository(pyproject: Path = PYPROJECT) -> str:
    """Return the course's public address, or '' as long as it has none."""
    project = tomllib.loads(pyproject.read_text(encoding="utf-8"))["project"]
    return project.get("urls", {}).get("Repository", "").rstrip("/").removesuffix(".git")


def first_cell(address: str) -> str:
    """Return the source of the cell that stands first, collapsed, in every notebook. It takes no network."""
    return CELL.format(**(with_address(address) if address else with_wheel()))


def with_wheel() -> dict[str, str]:
    """Return the advice for each place, as long as only the course's folder can make what is installed."""
    made = f"In the course's folder `{MAKE_WHEEL}` makes that file, in dist."
    return {
        "colab": f"On Colab: upload the course's wheel, {WHEEL}, by the folder sign at the left.\n"
        f"{AND_RUN}\n    {HOSTED} /content/{WHEEL}\n{made}",
        "kaggle": f"On Kaggle: add the course's wheel, {WHEEL}, as an input; turn the internet on.\n"
        f"{AND_RUN}\n    {HOSTED} $(find /kaggle/input -name '{WHEEL}')\n{made}",
        "elsewhere": f"In the course's folder `make lab` sets it up and opens the chapters.\n{KERNEL}\n"
        "    %pip install PATH-OF-THE-FOLDER",
    }


def with_address(address: str) -> dict[str, str]:
    """Return the advice for each place, once the course can be fetched from its address."""
    hosted = f"{AND_RUN}\n    {HOSTED} git+{address}"
    return {
        "colab": hosted,
        "kaggle": f"On Kaggle: turn the internet on in the settings.\n{hosted}",
        "elsewhere": f"`git clone {address}`\nand then `make lab` in its folder set it up and open the chapters.\n"
        f"{KERNEL}\n    %pip install git+{address}",
    }
