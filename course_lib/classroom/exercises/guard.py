"""Runs a learner's code so that the check leaves no trace: no printed page, no moved generator, no changed default."""

import contextlib
import io
import random
import sys
import warnings
from collections.abc import Iterator

import numpy as np
import torch

KEPT = 400  # characters of what the learner's code prints during a check


class Printed(io.TextIOBase):
    """A stream that keeps its first characters and counts the rest, so that an endless print fills no memory."""

    def __init__(self) -> None:
        self.kept, self.count = "", 0

    def write(self, text: str) -> int:
        """Take text as any stream does."""
        self.kept += text[: max(0, KEPT - len(self.kept))]
        self.count += len(text)
        return len(text)

    def summary(self) -> str:
        """Return what was printed, and how much more there was."""
        more = f" … ({self.count:,} characters in all)" if self.count > len(self.kept) else ""
        return self.kept.rstrip() + more


@contextlib.contextmanager
def undisturbed() -> Iterator[Printed]:
    """Put generators, default dtype, grad mode, threads, warnings and streams back as they were afterwards."""
    dtype, threads, recursion = torch.get_default_dtype(), torch.get_num_threads(), sys.getrecursionlimit()
    python_state, numpy_state, grad = random.getstate(), np.random.get_state(), torch.is_grad_enabled()
    printed = Printed()
    with (
        torch.random.fork_rng(),
        warnings.catch_warnings(),
        contextlib.redirect_stdout(printed),
        contextlib.redirect_stderr(printed),
    ):
        warnings.simplefilter("ignore")
        try:
            torch.set_default_dtype(torch.float32)
            torch.set_grad_enabled(True)
            torch.manual_seed(0)
            yield printed
        finally:
            torch.set_default_dtype(dtype)
            torch.set_grad_enabled(grad)
            if torch.get_num_threads() != threads:
                torch.set_num_threads(threads)
            sys.setrecursionlimit(recursion)
            random.setstate(python_state)
            np.random.set_state(numpy_state)
