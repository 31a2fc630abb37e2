"""An exercise that loops, takes all memory, patches PyTorch, replaces the reference or ends the kernel."""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
import torch
from toys import double, toy

from course_lib.attention import dot_product
from course_lib.classroom.exercises.check import check

ROOT = Path(__file__).parents[2]


def plain(reached):
    while True:
        reached.set()


def swallowing(reached):
    while True:
        try:
            reached.set()
            raise ValueError
        except Exception:
            continue


@pytest.mark.skipif(os.name == "nt", reason="sends a POSIX signal to this process")
@pytest.mark.parametrize("loop", [plain, swallowing])
def test_a_loop_without_end_is_interrupted(loop):
    """By a real signal, sent when the loop is known to run."""
    reached = threading.Event()

    def press():
        if reached.wait(60):
            os.kill(os.getpid(), signal.SIGINT)

    button = threading.Thread(target=press)
    button.start()
    verdict = check(lambda x: loop(reached), toy())
    button.join()
    assert verdict.key == "interrupted"
    assert "does a loop ever end?" in verdict.lines[-1]


LITTLE_MEMORY = """
import resource, sys
sys.path[:0] = ["tests"]
from toys import toy
from course_lib.classroom.exercises.check import check
import torch
check(lambda x: 2 * x, toy())  # what is imported and started late is there
used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + 2**28, used + 2**28))
def greedy(x):
    kept = []
    while True:
        kept.append({make})
print(check(greedy, toy()).key, check(lambda x: 2 * x, toy()).state)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="limits the memory of a process as Linux does")
@pytest.mark.parametrize("make", ["torch.ones(10**6)", "list(range(10**6))"])
def test_memory_that_runs_out_little_by_little_is_told_and_the_kernel_goes_on(make):
    """The process may take 256 MiB more: PyTorch and Python are refused in words of their own."""
    run = subprocess.run(
        [sys.executable, "-c", LITTLE_MEMORY.replace("{make}", make)], cwd=ROOT, capture_output=True, text=True
    )
    assert run.stdout == "memory right\n", run.stderr


def patch_torch(x):
    torch.exp = torch.nn.functional.softmax = torch.Tensor.exp = torch.allclose = lambda *a, **k: "patched"
    torch.Tensor.sum = lambda self: "patched"
    del torch.log
    return 2 * x


def test_patches_of_pytorch_are_undone_before_the_next_call_and_the_comparison():
    one, seen = torch.zeros(1), []

    def spoiler(x):
        seen.append((torch.exp(one), one.exp(), torch.log(one + 1)))
        return patch_torch(x)

    assert check(spoiler, toy()).state == "right"
    assert len(seen) >= 2
    assert all(
        torch.equal(value, expected)
        for row in seen
        for value, expected in zip(row, (one + 1, one + 1, one), strict=True)
    )
    assert "exp" not in vars(torch.Tensor)
    assert float(one.sum()) == 0


def test_a_replaced_comparison_makes_no_wrong_answer_right():
    def spoiler(x):
        torch.isclose = torch.allclose = torch.equal = lambda *a, **k: torch.tensor(True)
        torch.Tensor.abs = torch.abs = lambda *a, **k: torch.zeros(())
        return 3 * x

    assert check(spoiler, toy(mistakes=())).key == "values"


def test_a_replaced_reference_changes_neither_the_verdict_nor_the_library(monkeypatch):
    """The learner's function binds the library's name, and the exercise's own reference, to itself."""
    import toys

    before = dot_product.softmax_jvp

    def cheat(x):
        dot_product.softmax_jvp = toys.double = cheat
        return 3 * x

    monkeypatch.setattr(toys, "double", double)  # put back after the test; the module is no part of the library
    assert check(cheat, toy(reference=double, mistakes=())).key == "values"
    assert dot_product.softmax_jvp is before
    assert check(lambda x: 2 * x, toy(reference=double)).state == "right"


KERNEL_ENDS = """
import os, sys
sys.path[:0] = ["tests"]
from toys import toy
from course_lib.classroom.exercises import progress
from course_lib.classroom.exercises.check import check
progress.note("attention.softmax_jvp", "done")
check(lambda x: os.{end}, toy())
"""


@pytest.mark.parametrize("end", ["_exit(1)", "abort()"])
def test_code_that_ends_the_kernel_costs_no_progress(home, end):
    run = subprocess.run([sys.executable, "-c", KERNEL_ENDS.replace("{end}", end)], cwd=ROOT, capture_output=True)
    assert run.returncode != 0
    assert (home / "progress.json").read_text(encoding="utf-8").count('"done"') == 1
