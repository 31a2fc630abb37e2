"""Compares what came back with what was expected, without broadcasting, and says where they differ."""

import math
import numbers
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from course_lib.classroom.exercises.shown import describe, real_as_float, said, shown

SINGLE = 4 * torch.finfo(torch.float32).eps  # what a single number that comes back in float32 may be off by


@dataclass(frozen=True)
class Difference:
    """The first thing that differs: key is type, shape, dtype, device, not_finite or values."""

    key: str
    says: str


def difference(expected: Any, got: Any, rtol: float, atol: float, names: Sequence[str] = ()) -> Difference | None:
    """Return where got differs from expected, in the order type, shape, dtype, device, finite, values; else None."""
    try:
        return _first(expected, got, max(rtol, slack(got)), atol, names)
    except Exception as error:  # an object that compares in a way of its own
        return Difference("type", f"{describe(got)} came back, which cannot be compared: {said(error)}")


def slack(got: Any) -> float:
    """Return the relative error that the dtype of what came back excuses: float32 does, in single numbers alone."""
    parts = got if isinstance(got, tuple | list) else [got]
    single = [p for p in parts if isinstance(p, Tensor | np.generic | np.ndarray) and p.ndim == 0]
    return SINGLE if any(p.dtype in (torch.float32, np.float32) for p in single) else 0.0


def _first(expected: Any, got: Any, rtol: float, atol: float, names: Sequence[str]) -> Difference | None:
    if not isinstance(expected, tuple):
        checks = (check(expected, got, "", rtol, atol) for check in (_type, _shape, _finite, _values))
        return next((found for found in checks if found), None)
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


def _number(value: Any) -> Any:
    """Return a single number or truth value held by a 0-d tensor or NumPy scalar as Python's own."""
    if isinstance(value, Tensor | np.ndarray | np.generic) and value.ndim == 0 and not _unusual(value):
        return value.item()
    return value


def _unusual(value: Any) -> str:
    """Name a tensor's layout or device that keeps its numbers out of reach, '' for an ordinary one."""
    if not isinstance(value, Tensor):
        return ""
    if value.is_nested:
        return "a nested tensor"
    if value.layout is not torch.strided:
        return f"a tensor in the layout {str(value.layout).removeprefix('torch.')}"
    if value.is_quantized:
        return "a quantised tensor"
    return "a tensor on meta, without numbers," if value.is_meta and value.ndim == 0 else ""


def _type(expected: Any, got: Any, name: str, rtol: float, atol: float) -> Difference | None:
    if unusual := _unusual(got):
        return Difference("type", f"{name}{unusual} came back; expected {_wanted(expected)}")
    plain = _number(got)
    if isinstance(expected, Tensor):
        # a number may stand for a tensor of one, unless a gradient is to flow through it
        if isinstance(got, Tensor) or (expected.ndim == 0 and not expected.requires_grad and _is_real(plain)):
            return None
        extra = "; torch.from_numpy and .numpy() leave the graph of gradients" if isinstance(got, np.ndarray) else ""
        return Difference("type", f"{name}{describe(got)} came back; expected {_wanted(expected)}{extra}")
    real = isinstance(expected, numbers.Real) and not isinstance(expected, bool)
    kinds = numbers.Real if real else type(expected)  # an integer will do where a float is expected
    if not isinstance(plain, kinds) or isinstance(plain, bool) != isinstance(expected, bool):
        return Difference("type", f"{name}{describe(got)} came back; expected {_wanted(expected)}")
    return None


def _is_real(value: Any) -> bool:
    return isinstance(value, numbers.Real) and not isinstance(value, bool)


def _wanted(expected: Any) -> str:
    if isinstance(expected, Tensor):
        return f"a torch.Tensor {describe(expected)}"
    return {bool: "True or False", str: "a string"}.get(type(expected), "a number")


def _shape(expected: Any, got: Any, name: str, rtol: float, atol: float) -> Difference | None:
    if not isinstance(expected, Tensor) or not isinstance(got, Tensor):
        return None
    if got.shape != expected.shape:
        return Difference("shape", f"{name}shape {tuple(got.shape)} came back; expected {tuple(expected.shape)}")
    if got.dtype != expected.dtype and not _single(expected, got):
        return Difference("dtype", f"{name}{got.dtype} came back; expected {expected.dtype}, the dtype of what went in")
    if got.device != expected.device:
        return Difference("device", f"{name}a tensor on {got.device} came back; expected one on {expected.device}")
    return None


def _single(expected: Tensor, got: Tensor) -> bool:
    """Whether both are one number whose dtype is a matter of style: a whole number, float32 or float64."""
    kinds = (torch.float32, torch.float64, torch.int32, torch.int64)
    return expected.ndim == 0 and expected.dtype in kinds and got.dtype in kinds


def _finite(expected: Any, got: Any, name: str, rtol: float, atol: float) -> Difference | None:
    e, g = _as_tensor(expected), _as_tensor(got)
    if e is None or g is None or not e.is_floating_point():
        return None
    bad = ~g.isfinite() & e.isfinite()
    if not bad.any():
        return None
    where = bad.nonzero()[0].tolist()
    value = g[tuple(where)].item()
    if where:
        count = f"{int(bad.sum())} of {g.numel()} numbers are NaN or infinite, the first at {where}: "
        return Difference("not_finite", f"{name}{count}{_in_words(value)}")
    plain = _number(got)
    beyond = not math.isnan(value) and not (isinstance(plain, float) and math.isinf(plain))
    came = f"{shown(plain)}, too large for a float," if beyond else _in_words(value)
    return Difference("not_finite", f"{name}{came} came back; expected {_of(expected, e)}")


def _in_words(value: float) -> str:
    return "NaN" if math.isnan(value) else "infinity" if value > 0 else "minus infinity"


def _of(expected: Any, as_tensor: Tensor) -> str:
    return shown(as_tensor.item() if isinstance(expected, Tensor) else expected)


def _values(expected: Any, got: Any, name: str, rtol: float, atol: float) -> Difference | None:
    if type(expected) is int and type(_number(got)) is int:  # exactly: a float64 would round large ones
        if expected == _number(got):
            return None
        return Difference("values", f"{name}{shown(_number(got))} came back, {shown(expected)} was expected")
    e, g = _as_tensor(expected), _as_tensor(got)
    if e is None or g is None:
        came = f"{name}{describe(got)} came back; expected {describe(expected)}"
        return None if expected == got else Difference("values", came)
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
    """Return numbers as a tensor on the processor; one that no float holds becomes infinite."""
    plain = _number(value)
    if isinstance(plain, Tensor):
        return plain.detach()
    if isinstance(plain, bool):
        return torch.tensor(plain, device="cpu")
    if not isinstance(plain, numbers.Real):
        return None
    return torch.tensor(real_as_float(plain), dtype=torch.float64, device="cpu")
