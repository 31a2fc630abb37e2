"""What the tests of exercises share: toys that the engine finds, and cells to run."""

import textwrap

import numpy as np
import pytest
import torch
from torch import nn
from toys import MODULE, NUMBER, WORD, toy

from course_lib.chapters.exercises import REGISTRY, exercise, hint


@pytest.fixture
def toys(monkeypatch):
    """Add the toys to what the engine finds."""
    extra = {e.id: e for e in (toy(), MODULE, WORD, NUMBER)}
    find = REGISTRY.find
    monkeypatch.setattr(REGISTRY, "find", lambda id: extra[id] if id in extra else find(id))
    monkeypatch.setattr(hint.__self__, "_hints_given", {})


@pytest.fixture
def cell(tmp_path, toys):
    """Run source as a notebook's cell would: with a file to read it from and a namespace of its own."""
    namespace = {"torch": torch, "nn": nn, "np": np, "exercise": exercise}

    def run(source, id="toy.double"):
        path = tmp_path / f"cell{len(list(tmp_path.iterdir()))}.py"
        imports, _, definition = textwrap.dedent(source).strip().rpartition("\n\n\n")
        path.write_text(f"{imports}\n@exercise({id!r})\n{definition}\n")
        exec(compile(path.read_text(), str(path), "exec"), namespace)
        return namespace

    run.namespace = namespace
    return run
