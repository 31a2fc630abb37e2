"""Turns an exception of the learner's code into a message that points at the learner's own line."""

import dis
from types import TracebackType
from typing import Any

import torch

from course_lib.classroom.exercises.cell import own_functions, own_line
from course_lib.classroom.exercises.shown import said
from course_lib.classroom.exercises.verdict import Verdict, wrong

FINAL = ("interrupted", "memory", "recursion")  # no known mistake explains these better


def raised(error: BaseException, given: Any, called: str) -> Verdict:
    """Return the verdict on a call that ended with error."""
    if isinstance(error, NotImplementedError) and _by_the_learner(error, given):
        return Verdict("unfinished", "not_implemented", ["`raise NotImplementedError` is still there."])
    if isinstance(error, KeyboardInterrupt):
        says = "the check was interrupted before your code came back; does a loop ever end?"
        return wrong("interrupted", called, [says])
    if isinstance(error, RecursionError):
        return wrong("recursion", called, ["your code calls itself without end (RecursionError)"])
    text = said(error)
    if isinstance(error, MemoryError | torch.OutOfMemoryError) or "allocate" in text:
        says = "your code asked for more memory than there is; is a shape far too large?"
        return wrong("memory", called, [says, text] if text else [says])
    name = type(error).__name__
    says = f"your code raised {name}: {text}" if text else f"your code raised {name}, without a message"
    line = own_line(error, given)
    return wrong("raised", called, [says, line] if line else [says])


def _by_the_learner(error: BaseException, given: Any) -> bool:
    """Whether a ``raise`` of the learner's own cell made this error, and not PyTorch, which raises it too."""
    place: TracebackType | None = error.__traceback__
    while place is not None and place.tb_next is not None:
        place = place.tb_next
    if place is None:
        return False
    code = place.tb_frame.f_code
    own = {function.__code__.co_filename for function in own_functions(given)}
    return code.co_filename in own and code.co_code[place.tb_lasti] == dis.opmap["RAISE_VARARGS"]
