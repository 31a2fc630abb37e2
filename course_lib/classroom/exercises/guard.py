"""Runs a learner's code so that the check leaves no trace: no printed page, no moved generator, no changed setting.

Names of PyTorch, NumPy and the course's library that the code binds anew are bound as they were, too.
"""

import contextlib
import io
import math
import operator
import os
import random
import sys
import warnings
from collections.abc import Callable, Iterable, Iterator
from typing import Any

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


def _folder() -> str | None:
    try:
        return os.getcwd()
    except FileNotFoundError:  # somebody has deleted it; there is nothing to go back to
        return None


def _set_folder(path: str | None) -> None:
    if path is not None:
        os.chdir(path)


def _set_environment(variables: dict[str, str]) -> None:
    for name in set(os.environ) - set(variables):
        del os.environ[name]
    os.environ.update(variables)


def _set_device(device: torch.device) -> None:
    torch.set_default_device(None if device.type == "cpu" else device)  # None: no function is looked at any more


# how to read a setting, and how to set it
SETTINGS: tuple[tuple[Callable[[], Any], Callable[[Any], Any]], ...] = (
    (torch.get_default_device, _set_device),
    (torch.get_default_dtype, torch.set_default_dtype),
    (torch.is_grad_enabled, torch.set_grad_enabled),
    (torch.get_num_threads, torch.set_num_threads),
    (torch.get_float32_matmul_precision, torch.set_float32_matmul_precision),
    (
        lambda: (torch.are_deterministic_algorithms_enabled(), torch.is_deterministic_algorithms_warn_only_enabled()),
        lambda old: torch.use_deterministic_algorithms(old[0], warn_only=old[1]),
    ),
    (
        lambda: (torch.is_anomaly_enabled(), torch.is_anomaly_check_nan_enabled()),
        lambda old: torch.autograd.set_detect_anomaly(*old),
    ),
    (torch._tensor_str.get_printoptions, lambda old: torch.set_printoptions(**old)),
    (np.get_printoptions, lambda old: np.set_printoptions(**old)),
    (np.geterr, lambda old: np.seterr(**old)),
    (sys.getrecursionlimit, sys.setrecursionlimit),
    (_folder, _set_folder),
    (lambda: dict(os.environ), _set_environment),
)


# modules and classes whose names the course and its checks use themselves
PLACES = (torch, torch.Tensor, torch.nn, torch.nn.functional, torch.linalg, np, math, random)


@contextlib.contextmanager
def names_kept(places: Iterable[Any]) -> Iterator[None]:
    """Bind the names of modules and classes as they were afterwards, where something has bound them anew.

    A name that a class has gained is removed, for it may hide a base class's; modules load parts of theirs when asked.
    """
    kept = [(place, dict(vars(place))) for place in places]
    try:
        yield
    finally:
        for place, names in kept:
            _bind_again(place, names)


def _bind_again(place: Any, names: dict[str, Any]) -> None:
    now = vars(place)
    if len(now) == len(names) and not any(map(operator.is_not, now.values(), names.values())):
        return  # as nearly always; thousands of names are compared in some 30 µs
    gained = now.keys() - names.keys() if isinstance(place, type) else ()
    for name in gained:
        delattr(place, name)
    for name, value in names.items():
        if now.get(name) is not value:
            setattr(place, name, value)


@contextlib.contextmanager
def settings_kept() -> Iterator[None]:
    """Put the settings of PyTorch, NumPy and the process, and their names, back as they were afterwards."""
    kept = [(read, write, read()) for read, write in SETTINGS]
    try:
        with names_kept(PLACES):
            yield
    finally:
        for read, write, old in kept:
            if read() != old:
                write(old)


@contextlib.contextmanager
def generators_kept() -> Iterator[None]:
    """Seed PyTorch's generator with 0, and put all global generators back as they were afterwards.

    CUDA is not started for this: its generators are kept if it runs already.
    """
    python_state, numpy_state = random.getstate(), np.random.get_state()
    cards = list(range(torch.cuda.device_count())) if torch.cuda.is_initialized() else []
    with torch.random.fork_rng(devices=cards):
        torch.default_generator.manual_seed(0)  # torch.manual_seed would leave a seed for CUDA to start with
        try:
            yield
        finally:
            random.setstate(python_state)
            np.random.set_state(numpy_state)


@contextlib.contextmanager
def undisturbed() -> Iterator[Printed]:
    """Run in float32 on the processor with gradients; put generators, settings, warnings and streams back."""
    printed = Printed()
    device = torch.get_default_device()
    library = [module for name, module in list(sys.modules.items()) if name.startswith("course_lib.")]
    with (
        names_kept(library),
        settings_kept(),
        generators_kept(),
        contextlib.nullcontext() if device.type == "cpu" else torch.device("cpu"),
        torch.inference_mode(False),
        warnings.catch_warnings(),
        contextlib.redirect_stdout(printed),
        contextlib.redirect_stderr(printed),
    ):
        warnings.simplefilter("ignore")
        torch.set_default_dtype(torch.float32)
        torch.set_grad_enabled(True)
        yield printed
