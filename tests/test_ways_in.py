"""The container, Binder and conda: one range of Python and PyTorch, one copy of the learner's, nothing of anybody's work."""

import json
import os
import re
import subprocess
from pathlib import Path

import pytest
import yaml

import course

ROOT = Path(__file__).parents[1]
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
BINDER = (ROOT / ".binder" / "requirements.txt").read_text(encoding="utf-8").splitlines()
POSIX = pytest.mark.skipif(os.name == "nt", reason="a shell of POSIX runs these steps: in a container, on Binder")


def pip_of_the_container(compute):
    """What the Dockerfile's step for PyTorch asks pip for, and its exit status."""
    step = re.search(r"^RUN (case .+?esac)$", DOCKERFILE, re.S | re.M)[1].replace("\\\n", "\n")
    shell = f'pip() {{ printf "%s\\n" "$@"; }}\nCOMPUTE={compute}\n{step}'
    run = subprocess.run(["sh", "-c", shell], capture_output=True, text=True)
    return run.stdout.splitlines(), run.returncode, run.stderr


@POSIX
def test_one_argument_chooses_the_containers_pytorch():
    assert pip_of_the_container("cpu") == (["install", course.TORCH, "--index-url", course.CPU_INDEX], 0, "")
    assert pip_of_the_container("cuda") == (["install", course.TORCH], 0, "")
    said, status, error = pip_of_the_container("rocm")
    assert (said, status) == ([], 1)
    assert error == "COMPUTE: expected cpu or cuda, got 'rocm'\n"


def test_the_containers_learner_is_no_root_and_keeps_notebooks_and_progress_in_one_volume():
    lines = DOCKERFILE.splitlines()
    volume = next(line.split()[1] for line in lines if line.startswith("VOLUME"))
    assert f"COURSE_HOME={volume}/" in DOCKERFILE
    assert volume.endswith(f"/{course.WORK.name}")
    users = [line for line in lines if line.startswith("USER")]
    assert users == ["USER 1000"]
    assert lines.index(users[0]) < next(i for i, line in enumerate(lines) if line.startswith("CMD"))


@POSIX
def test_the_containers_last_command_copies_the_chapters_and_serves_the_port_that_is_told(tmp_path):
    command = json.loads(re.search(r"^CMD (\[.+\])$", DOCKERFILE, re.M)[1])
    port = re.search(r"^EXPOSE (\d+)", DOCKERFILE, re.M)[1]
    assert f"--port={port} " in command[-1]
    assert f"127.0.0.1:{port}/api" in DOCKERFILE.split("HEALTHCHECK")[1]
    for name in ("python", "jupyter"):  # stand-ins that say how they are called
        (tmp_path / name).write_text(f'#!/bin/sh\nprintf "%s|" {name} "$@"; echo\n')
        (tmp_path / name).chmod(0o755)
    path = {**os.environ, "PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}"}
    said = subprocess.run(command, capture_output=True, text=True, env=path, check=True).stdout.splitlines()
    assert said[0] == r'python|-c|import course; print(*course.copy_for_learner(), sep="\n")|'
    assert said[1].startswith("jupyter|lab|--ip=0.0.0.0|")


def test_an_image_holds_nothing_that_git_ignores():
    def entries(name):
        lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
        return {line.rstrip("/").removeprefix("**/") for line in lines if line and not line.startswith("#")}

    kept_out = entries(".dockerignore")
    inside = {"*.py[cod]", ".setup.lock", ".setup.log"}  # within __pycache__; .setup.*
    assert entries(".gitignore") - inside <= kept_out
    assert {".git", ".setup.*"} <= kept_out


def test_binder_has_pytorch_for_the_cpu_and_a_python_of_the_range():
    assert course.TORCH in BINDER
    assert f"--extra-index-url {course.CPU_INDEX}" in BINDER
    major, minor = (ROOT / ".binder" / "runtime.txt").read_text().strip().removeprefix("python-").split(".")
    assert course.OLDEST <= (int(major), int(minor)) <= course.NEWEST
    constraints = next(line.split()[1] for line in BINDER if line.startswith("-c "))
    assert (ROOT / ".binder" / constraints).is_file()  # pip reads it from the folder of the file that names it


@POSIX
def test_binder_opens_a_copy_of_the_chapters_as_a_learner_gets_them(tmp_path):
    step = ROOT / ".binder" / "postBuild"
    assert os.access(step, os.X_OK)
    (tmp_path / "course.py").write_text("def copy_for_learner(): print('copied')\n")
    run = subprocess.run(["bash", str(step)], capture_output=True, text=True, cwd=tmp_path)
    assert (run.stdout, run.returncode) == ("copied\n", 0)


def test_conda_installs_what_the_set_up_installs():
    needs = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))["dependencies"]
    assert needs[-1] == {"pip": ["-c constraints.txt", "-e .[lab,check]"]}


def test_no_section_stands_on_a_page_twice():
    for page in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")]:
        headings = re.findall(r"^#+ .+", page.read_text(encoding="utf-8"), re.M)
        assert len(headings) == len(set(headings)), page.name
