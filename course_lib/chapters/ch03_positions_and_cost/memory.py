"""What a calculation holds: the largest tensor that it makes on the way, and the most that it holds at one time."""

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor
from torch.multiprocessing.reductions import StorageWeakRef
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves


class _Watch(TorchDispatchMode):
    """Sees the result of every operation; remembers the largest memory behind one, and the most alive together."""

    def __init__(self, given: tuple[Tensor, ...]) -> None:
        super().__init__()
        self.largest = self.most = 0
        self._given = {x.untyped_storage()._cdata for x in given}
        self._alive: dict[int, tuple[StorageWeakRef, int]] = {}  # address → what tells its end, bytes

    def __torch_dispatch__(
        self, function: Callable, types: Any, args: tuple = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        result = function(*args, **(kwargs or {}))
        self._alive = {at: (ref, size) for at, (ref, size) in self._alive.items() if not ref.expired()}
        for x in tree_leaves(result):
            if isinstance(x, Tensor) and (storage := x.untyped_storage())._cdata not in self._given:
                self._alive[storage._cdata] = StorageWeakRef(storage), storage.nbytes()
                self.largest = max(self.largest, storage.nbytes())
        self.most = max(self.most, sum(size for _, size in self._alive.values()))
        return result


@torch.no_grad()
def memory(function: Callable, *inputs: Tensor) -> tuple[int, int]:
    """Return the bytes of the largest tensor that function(*inputs) makes, and the most that are held at one time.

    Views of one memory count once, the inputs' own memory not at all.
    """
    with _Watch(inputs) as watch:
        function(*inputs)
    return watch.largest, watch.most
