"""Says what a value is, whatever it is: the words of a message must never raise themselves."""

import math
import numbers
from typing import Any

import numpy as np
from torch import Tensor

DIGITS = 60  # longer numbers and texts are cut


def describe(value: Any) -> str:
    """Say in a few words what a value is: a tensor by its shape, a number by itself."""
    try:
        return _words(value)
    except Exception:  # somebody's own class may raise in anything
        return _kind(value)


def shown(value: Any) -> str:
    """Return a number or a text as Python writes it, cut where it is long; of a huge number its size."""
    if isinstance(value, int) and abs(value) >= 10**DIGITS:
        return f"a whole number of about {int(abs(value).bit_length() * math.log10(2)) + 1} digits"
    try:
        text = f"{value:.6g}" if isinstance(value, float) else repr(value)
    except Exception:
        return _kind(value)
    return text if len(text) < DIGITS else text[: DIGITS - 3] + "…"


def real_as_float(number: Any) -> float:
    """Return a real number as a float; one that no float holds becomes infinite."""
    try:
        return float(number)
    except OverflowError:
        return math.inf if number > 0 else -math.inf


def said(error: BaseException) -> str:
    """Return an exception's message in one line of at most 200 characters, '' where it has none."""
    try:
        return " ".join(str(error).split())[:200]
    except Exception:
        return ""


def _kind(value: Any) -> str:
    """Return the name of a value's type with its article."""
    name = type(value).__name__
    return f"{'an' if name[0] in 'aeiouAEIOU' else 'a'} {name}"


def _words(value: Any) -> str:
    if isinstance(value, Tensor):
        dtype = "" if value.is_floating_point() else f" of {str(value.dtype).removeprefix('torch.')}"
        return f"a nested tensor{dtype}" if value.is_nested else f"{tuple(value.shape)}{dtype}"
    if isinstance(value, np.ndarray):
        return f"a NumPy array {value.shape}"
    if isinstance(value, tuple | list):
        return f"{_kind(value)} of {len(value)}"
    if isinstance(value, str | numbers.Number) or value is None:
        return shown(value)
    name = getattr(value, "__name__", None)
    return name if isinstance(name, str) and name else _kind(value)
