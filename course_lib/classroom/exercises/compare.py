"""Compares what came back with what was expected, without broadcasting, and says where they differ."""

import math
import numbers
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor


@dataclass(frozen=True)
class Difference:
    """The first thing that differs: key is type, shape, dtype, device, not_finite or values."""

    key: str
    says: str


def describe(value: Any) -> str:
    """Say in a few words what a value is: a tensor by its shape, a number by itself."""
    if isinstance(value, Tensor):
        kind = "" if value.is_floating_point() else f" of {str(value.dtype).removeprefix('torch.')}"
        return f"{tuple(value.shape)}{kind}"
    if isinstance(value, np.ndarray):
        return f"a NumPy array {value.shape}"
    if isinstance(value, tuple | list):
        return f"a {type(value).__name__} of {len(value)}"
    if isinstance(value, str | numbers.Number) or value is None:
        text = f"{value:.6g}" if isinstance(value, float) else repr(value)
        return text if len(text) < 60 else text[:57] + "…"
    return getattr(value, "__name__", None) or f"a {type(value).__name__}"


def difference(expected: Any, got: Any, rtol: float, atol: float, names: Sequence[str] = ()) -> Difference | None:
    """Return where got differs from expected, in the order type, shape, dtype, device, finite, values; else None."""
    if isinstance(expected, tuple):
        wanted = ", ".join(names)
        if not isinstance(got, tuple | list):
            return Difference("type", f"one thing came back, {describe(got)}; expected {len(expected)}: {wanted}")
        if len(got) != len(expected):
            return Difference("type", f"{len(got)} things came back; expected {len(expected)}: {wanted}")
        parts = list(zip(expected, got, names, strict=True))
        for check in (_type, _shape, _finite, _values):  # a wrong type of the second comes before a shape of the first
            for e, g, name in parts:
                if found := check(e, g, f"{name}: ", rtol, atol):
                    return found
        return None
    checks = (check(expected, got, "", rtol, atol) for check in (_type, _shape, _finite, _values))
    return next((found for found in checks if found), None)


def _number(value: Any) -> Any:
    """Return a single number or truth value held by a 0-d tensor or NumPy scalar as Python's own."""
    if isinstance(value, Tensor | np.ndarray | np.generic) and value.ndim == 0:
        return value.item()
    return value


def _type(expected: Any, got: Any, name: str, rtol: float, atol: float) -> Difference | None:
    if isinstance(expected, Tensor):
        if isinstance(got, Tensor):
            return None
        extra = "; torch.from_numpy and .numpy() leave the graph of gradients" if isinstance(got, np.ndarray) else ""
        return Difference(
            "type", f"{name}{describe(got)} came back; expected a torch.Tensor {describe(expected)}{extra}"
        )
    plain = _number(got)
    kinds: type | tuple[type, ...] = type(expected)
    if isinstance(expected, numbers.Real) and not isinstance(expected, bool):
        kinds = numbers.Real  # an integer will do where a float is expected
    if not isinstance(plain, kinds) or isinstance(plain, bool) != isinstance(expected, bool):
        kind = {bool: "True or False", str: "a string"}.get(type(expected), "a number")
        return Difference("type", f"{name}{describe(got)} came back; expected {kind}")
    return None


def _shape(expected: Any, got: Any, name: str, rtol: float, atol: float) -> Difference | None:
    if not isinstance(expected, Tensor):
        return None
    if got.shape != expected.shape:
        return Difference("shape", f"{name}shape {tuple(got.shape)} came back; expected {tuple(expected.shape)}")
    if got.dtype != expected.dtype:
        return Difference("dtype", f"{name}{got.dtype} came back; expected {expected.dtype}, the dtype of what went in")
    if got.device != expected.device:
        return Difference("device", f"{name}a tensor on {got.device} came back; expected one on {expected.device}")
    return None


def _finite(expected: Any, got: Any, name: str, rtol: float, atol: float) -> Difference | None:
    e, g = _as_tensor(expected), _as_tensor(got)
    if e is None or g is None or not e.is_floating_point():
        return None
    bad = ~g.isfinite() & e.isfinite()
    if not bad.any():
        return None
    where = bad.nonzero()[0].tolist()
    value = g[tuple(where)].item()
    at = f", the first at {where}: {value}" if where else f": {value}"
    return Difference("not_finite", f"{name}{int(bad.sum())} of {g.numel()} numbers are NaN or infinite{at}")


def _values(expected: Any, got: Any, name: str, rtol: float, atol: float) -> Difference | None:
    if type(expected) is int and type(_number(got)) is int:  # exactly: a float64 would round large ones
        if expected == _number(got):
            return None
        return Difference("values", f"{name}{got} came back, {expected} was expected")
    e, g = _as_tensor(expected), _as_tensor(got)
    if e is None or g is None:
        return None if expected == got else Difference("values", f"{name}{got!r} came back; expected {expected!r}")
    if e.dtype == torch.bool and e.ndim == 0:
        return None if e == g else Difference("values", f"{name}{bool(g)} came back; expected {bool(e)}")
    close = torch.isclose(g.double(), e.double(), rtol=rtol, atol=atol, equal_nan=True)
    if close.all():
        return None
    gap = (g.double() - e.double()).abs().masked_fill(close, -1.0)
    where = list(np.unravel_index(int(gap.argmax()), tuple(e.shape))) if e.ndim else []
    index = tuple(int(i) for i in where)
    count = f"{int((~close).sum())} of {e.numel()} numbers differ, most at {list(index)}: " if index else ""
    came, wanted = f"{g[index].item():.6g}", f"{e[index].item():.6g}"
    if came == wanted:
        came, wanted = f"{g[index].item():.12g}", f"{e[index].item():.12g}"
        count = f"equal to six digits; was something made in float32 on the way? {count}"
    return Difference("values", f"{name}{count}{came} came back, {wanted} was expected")


def _as_tensor(value: Any) -> Tensor | None:
    plain = _number(value)
    if isinstance(plain, Tensor):
        return plain.detach()
    if not isinstance(plain, numbers.Real):
        return None
    if isinstance(plain, int) and abs(plain) > sys.float_info.max:  # a whole number that no float holds
        plain = math.inf if plain > 0 else -math.inf
    return torch.tensor(plain, dtype=None if isinstance(plain, bool) else torch.float64)
