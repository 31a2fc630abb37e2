"""What the exercises of this chapter share."""

from collections.abc import Callable
from typing import Any

from torch import Tensor


def plain(function: Callable, *args: Any) -> Any:
    """Call with tensors that need no gradient: SciPy's functions are welcome."""
    return function(*(a.detach() if isinstance(a, Tensor) else a for a in args))
