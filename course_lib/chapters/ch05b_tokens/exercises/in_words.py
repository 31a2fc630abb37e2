"""What the functions on tokens return, as text: the checks compare it, and their messages show it."""

from collections.abc import Callable, Mapping

from torch import Tensor


def listed(function: Callable, *args) -> object:
    """Call a function that returns tokens; return them as text, None as itself."""
    value = function(*args)
    if value is None:
        return None
    value = value.tolist() if isinstance(value, Tensor) else value
    if not isinstance(value, list | tuple):
        return f"no list, but {type(value).__name__}"
    return "[" + ", ".join(_number(token) for token in value) + "]"


def counted(function: Callable, *args) -> object:
    """Call a function that returns pairs with their counts; return them as text in one order, None as itself."""
    value = function(*args)
    if value is None:
        return None
    if not isinstance(value, Mapping):
        return f"no dict, but {type(value).__name__}"
    try:
        pairs = sorted((tuple(map(int, pair)), times) for pair, times in value.items() if times != 0)
    except (TypeError, ValueError):
        return f"a dict whose keys are not all pairs of tokens: {str(value)[:80]}"
    return "{" + ", ".join(f"{pair}: {_number(times)}" for pair, times in pairs) + "}"


def _number(value: object) -> str:
    if isinstance(value, Tensor) and value.numel() == 1:
        value = value.item()
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
