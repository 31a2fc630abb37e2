"""Turns an exception of the learner's code into a message that points at the learner's own line."""

from typing import Any

import torch

from course_lib.classroom.exercises.cell import own_line
from course_lib.classroom.exercises.verdict import Verdict, wrong

FINAL = ("interrupted", "memory", "recursion")  # no known mistake explains these better


def raised(error: BaseException, given: Any, called: str) -> Verdict:
    """Return the verdict on a call that ended with error."""
    if isinstance(error, NotImplementedError):
        return Verdict("unfinished", "not_implemented", ["`raise NotImplementedError` is still there."])
    if isinstance(error, KeyboardInterrupt):
        says = "the check was interrupted before your code came back; does a loop ever end?"
        return wrong("interrupted", called, [says])
    if isinstance(error, RecursionError):
        return wrong("recursion", called, ["your code calls itself without end (RecursionError)"])
    text = " ".join(str(error).split())[:200] or "no message"
    if isinstance(error, MemoryError | torch.OutOfMemoryError) or "allocate" in text:
        says = "your code asked for more memory than there is; is a shape far too large?"
        return wrong("memory", called, [says, text])
    says = f"your code raised {type(error).__name__}: {text}"
    line = own_line(error, given)
    return wrong("raised", called, [says, line] if line else [says])
