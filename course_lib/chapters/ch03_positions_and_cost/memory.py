"""What a calculation holds: the largest tensor that it makes on the way."""

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves


class _Watch(TorchDispatchMode):
    """Sees the result of every operation and remembers the size of the largest memory behind one."""

    def __init__(self) -> None:
        super().__init__()
        self.largest = 0

    def __torch_dispatch__(
        self, function: Callable, types: Any, args: tuple = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        result = function(*args, **(kwargs or {}))
        sizes = [x.untyped_storage().nbytes() for x in tree_leaves(result) if isinstance(x, Tensor)]
        self.largest = max([self.largest, *sizes])
        return result


@torch.no_grad()
def largest_tensor(function: Callable, *inputs: Tensor) -> int:
    """Return the bytes of the largest tensor that function(*inputs) makes, views of one memory counted as it."""
    with _Watch() as watch:
        function(*inputs)
    return watch.largest
