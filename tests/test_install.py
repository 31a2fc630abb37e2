"""A copy that pip installed without the checkout (``pip install .``) finds all that the course ships."""

import shutil
import subprocess
import sys
import tomllib
from fnmatch import fnmatch
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from course_lib.paths import root

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "notebooks"))
import alone  # noqa: E402

SHIPPED = ("course_lib", "data", "notebooks/source", "benchmarks/results")
USES_WHAT_IS_SHIPPED = """
import sys
sys.path.insert(0, sys.argv[1])
import course_lib
from course_lib import paths
from course_lib.chapters.exercises import REGISTRY
from course_lib.classroom.records import recorded
from course_lib.datasets.images import load_digits
from course_lib.datasets.text import load_shakespeare
from course_lib.pretrained.vaes import load_digit_vae
assert course_lib.__file__.startswith(sys.argv[1]), course_lib.__file__
assert len(load_digits().test) == 10_000 and len(load_shakespeare().train) > 900_000
load_digit_vae()
recorded("depth")
stubs = [entry.stub for chapter in REGISTRY.chapters.values() for entry in chapter.values() if hasattr(entry, "stub")]
assert stubs and all(stubs)
from pathlib import Path
scripts = {path.name for path in Path(course_lib.__file__).parent.rglob("*.js")}
assert scripts == set(sys.argv[2:]), scripts
print("home:", paths.home())
"""


PIP = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
OFFLINE = ["--no-deps", "--no-index"]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """What pip makes of the course, from a copy, so that it leaves no build/ in the checkout."""
    folder = tmp_path_factory.mktemp("source")
    for name in SHIPPED:
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "LICENSE"):
        shutil.copy(ROOT / name, folder)
    made = [*PIP, "wheel", *OFFLINE, "--no-build-isolation", "--wheel-dir", str(folder / "made"), str(folder)]
    run = subprocess.run(made, capture_output=True, text=True, cwd=folder)
    assert run.returncode == 0, run.stderr
    return next((folder / "made").glob("*.whl"))


@pytest.mark.parametrize("how", ["--target", "--prefix"])
def test_an_installed_copy_has_data_records_and_exercises(wheel, tmp_path, monkeypatch, how):
    installs = [*PIP, "install", *OFFLINE, "--ignore-installed", how, str(tmp_path / "there"), str(wheel)]
    run = subprocess.run(installs, capture_output=True, text=True, cwd=tmp_path)
    assert run.returncode == 0, run.stderr
    (package,) = (tmp_path / "there").rglob("course_lib")
    monkeypatch.delenv("COURSE_HOME")
    scripts = [path.name for path in (ROOT / "course_lib").rglob("*.js")]  # of the explorers
    uses = [sys.executable, "-c", USES_WHAT_IS_SHIPPED, str(package.parent), *scripts]
    used = subprocess.run(uses, capture_output=True, text=True, cwd=tmp_path)
    assert used.returncode == 0, used.stderr
    assert f"home: {Path.home() / '.generative-ai-course'}" in used.stdout


def test_the_line_of_a_lone_notebook_finds_the_wheel_by_its_name(wheel):
    assert fnmatch(wheel.name, alone.WHEEL)


# what Colab's list of packages named in August 2026; of what the library needs it lacks jaxtyping alone
COLAB = {"torch": "2.11.0", "numpy": "2.1.3", "scipy": "1.16.3", "matplotlib": "3.10.0", "ipywidgets": "7.7.1"}
COLAB |= {"anywidget": "0.9.21", "safetensors": "0.8.0", "pooch": "1.9.0", "pillow": "11.3.0", "tqdm": "4.67.3"}


def test_on_colab_the_library_asks_for_nothing_that_is_there_in_another_version():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    needs = {need.name: need.specifier for need in map(Requirement, project["dependencies"])}
    assert needs.keys() - COLAB.keys() == {"jaxtyping"}
    assert not [name for name, version in COLAB.items() if version not in needs[name]]


def test_the_checkout_is_its_own_root_and_a_lone_package_has_none(tmp_path):
    assert root() == ROOT
    package = tmp_path / "lib" / "python3" / "site-packages"
    package.mkdir(parents=True)
    assert root(package) == package
    shipped = tmp_path / "share" / "generative-ai-course"
    shipped.mkdir(parents=True)
    assert root(package) == shipped
