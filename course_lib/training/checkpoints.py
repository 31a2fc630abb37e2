"""A training run as one file: safetensors whose header holds the rest as JSON, with a checksum over both."""

import json
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor

from course_lib.training.history import History
from course_lib.training.trained import CheckpointError, Trained

FORMAT = "course checkpoint 2"


def save_checkpoint(path: Path, trained: Trained) -> None:
    """Write everything, the history included; written beside and renamed.

    Whenever the process dies, path holds the last complete checkpoint or none. OSError where it cannot be written.
    """
    tensors: dict[str, Tensor] = {}
    tree = json.dumps(_flatten(trained.state(), "", tensors))
    header = {"format": FORMAT, "tree": tree, "history": json.dumps(trained.history.to_json())}
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(path.name + ".part")
    try:
        save_file(tensors, beside, {**header, "checksum": _checksum(header, tensors)})
        beside.replace(path)
    except Exception as error:  # safetensors reports a full disk as an error of its own
        beside.unlink(missing_ok=True)
        raise OSError(f"{path.name} could not be written: {' '.join(str(error).split())}") from error


def load_checkpoint(path: Path, trained: Trained) -> History:
    """Set everything to what the file holds and return its history; CheckpointError leaves all as it was."""
    try:
        with safe_open(path, framework="pt") as file:
            header = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (no mapping)
    except Exception as error:  # of a damaged header anything may come
        raise CheckpointError(f"{path.name} is no checkpoint that can be read ({error})") from None
    if header.get("format") != FORMAT:
        is_ours = str(header.get("format")).startswith("course checkpoint")
        kind = "a checkpoint of another version" if is_ours else "no checkpoint"
        raise CheckpointError(f"{path.name} holds tensors but {kind} of this course")
    if header.pop("checksum", None) != _checksum(header, tensors):
        raise CheckpointError(f"{path.name} is damaged: what it holds is not what was written (checksum)")
    trained.restore(_restore(json.loads(header["tree"]), tensors))
    trained.history = History.from_json(json.loads(header["history"]))
    return trained.history


def _checksum(header: Mapping[str, str], tensors: Mapping[str, Tensor]) -> str:
    """Return the CRC-32 of all names, texts, shapes, dtypes and bytes."""
    found = zlib.crc32(repr(sorted(header.items())).encode())
    for name, tensor in sorted(tensors.items()):
        found = zlib.crc32(f"{name} {tuple(tensor.shape)} {tensor.dtype}".encode(), found)
        found = zlib.crc32(_bytes(tensor), found)
    return f"{found:08x}"


def _bytes(tensor: Tensor) -> Any:
    """Return a tensor's memory; numpy knows no bfloat16, so it is looked at as bytes."""
    flat = tensor.detach().cpu().contiguous().flatten()
    return flat.view(torch.uint8).numpy() if flat.numel() else b""


def _flatten(value: Any, path: str, tensors: dict[str, Tensor]) -> Any:
    """Return value with every tensor replaced by its name in tensors, fit for JSON."""
    if isinstance(value, Tensor):
        tensors[path] = value.detach().cpu().contiguous().clone()
        return {"tensor": path}
    if isinstance(value, Mapping):  # keys of optimizers are integers, which JSON would turn into text
        return {"items": [[key, _flatten(item, f"{path}.{key}", tensors)] for key, item in value.items()]}
    if isinstance(value, list | tuple):
        kind = "tuple" if isinstance(value, tuple) else "list"
        return {kind: [_flatten(item, f"{path}.{i}", tensors) for i, item in enumerate(value)]}
    if value is None or isinstance(value, bool | int | float | str):
        return {"value": value}
    raise TypeError(f"{path}: expected tensors, numbers, texts and containers of them, got {type(value).__name__}")


def _restore(tree: dict[str, Any], tensors: Mapping[str, Tensor]) -> Any:
    """Undo ``_flatten``."""
    ((kind, value),) = tree.items()
    if kind == "tensor":
        return tensors[value]
    if kind == "items":
        return {key: _restore(item, tensors) for key, item in value}
    if kind in ("list", "tuple"):
        return (tuple if kind == "tuple" else list)(_restore(item, tensors) for item in value)
    return value
