"""A file to which something happened on its way: the chapter shows what was read, the learner says what it was."""

from collections.abc import Sequence

from course_lib.information.coding import Model, decode


def flipped(bits: Sequence[int], at: int) -> list[int]:
    """Return bits with the one at this place turned over."""
    return [*bits[:at], 1 - bits[at], *bits[at + 1 :]]


def first_difference(sent: Sequence[int], read: Sequence[int]) -> int:
    """Return how many symbols at the beginning are as sent."""
    return next((i for i, (a, b) in enumerate(zip(sent, read, strict=False)) if a != b), min(len(sent), len(read)))


def strange_file(bits: Sequence[int], n: int, model: Model) -> list[int]:
    """Return what a reader makes of the file of the chapter's question."""
    return decode(flipped(bits, 4321), n, model)
