"""Hands out fresh copies of arguments, and tells which of them a call has changed."""

import copy
import dataclasses
from collections.abc import Callable, Mapping
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

FIXED = (str, bytes, int, float, complex, type, FunctionType, BuiltinFunctionType, MethodType, ModuleType)


def fresh(value: Any) -> Any:
    """Return a copy that shares nothing that can be changed with value; functions and what refuses a copy stay."""
    if isinstance(value, Tensor):
        copied = value.detach().clone()
        return copied.requires_grad_() if value.requires_grad and value.is_floating_point() else copied
    if isinstance(value, dict):
        return {key: fresh(item) for key, item in value.items()} if type(value) is dict else _deep(value)
    if type(value) in (list, tuple):
        return type(value)(fresh(item) for item in value)
    return value if isinstance(value, FIXED) else _deep(value)


def _deep(value: Any) -> Any:
    try:
        return copy.deepcopy(value)
    except Exception:  # an open file, a generator: there is no copy, so all calls share it
        return value


def unchanged(before: Any, after: Any) -> bool:
    """Return whether two values hold the same, all the way down; NaN equals NaN."""
    if before is after or isinstance(before, FIXED):
        return True
    if type(before) is not type(after):
        return False
    for kind, compare in _COMPARISONS:
        if isinstance(before, kind):
            return compare(before, after)
    if dataclasses.is_dataclass(before) or hasattr(before, "__dict__"):
        return unchanged(vars(before), vars(after))
    return True


def _same_tensor(a: Tensor, b: Tensor) -> bool:
    if a.shape != b.shape or a.dtype != b.dtype or a.device != b.device:
        return False
    return bool(((a == b) | ((a != a) & (b != b))).all())


def _same_array(a: np.ndarray, b: np.ndarray) -> bool:
    return a.shape == b.shape and a.dtype == b.dtype and bool(((a == b) | ((a != a) & (b != b))).all())


def _same_items(a: Any, b: Any) -> bool:
    return len(a) == len(b) and all(map(_same_item, a, b))


def _same_item(a: Any, b: Any) -> bool:
    return type(a) is type(b) and (a == b or a != a if isinstance(a, FIXED) else unchanged(a, b))


def _same_mapping(a: Mapping, b: Mapping) -> bool:
    return list(a) == list(b) and all(_same_item(a[key], b[key]) for key in a)


def _same_module(a: nn.Module, b: nn.Module) -> bool:
    return a.training == b.training and _same_mapping(a.state_dict(), b.state_dict())


_COMPARISONS: tuple[tuple[Any, Callable[[Any, Any], bool]], ...] = (
    (Tensor, _same_tensor),
    (np.ndarray, _same_array),
    (nn.Module, _same_module),
    (Mapping, _same_mapping),
    (list | tuple, _same_items),
    (set | frozenset | bytearray, lambda a, b: a == b),
    (torch.Generator, lambda a, b: torch.equal(a.get_state(), b.get_state())),
)
