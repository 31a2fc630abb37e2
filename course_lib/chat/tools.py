"""A tool that a model may use: it writes ``calc(…)``, the loop computes that and writes the result behind it.

Schick et al. 2023, *Toolformer*, let a model learn where to call; Cobbe et al. 2021, *Training verifiers to solve math
word problems*, put a calculator into the drawing of the text, as is done here.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from course_lib.chat.evaluator import ExpressionError, Limits, evaluate

CALL = re.compile(r"\bcalc\(")
RESULT = " = "
FAILED = "error"


@dataclass(frozen=True)
class Call:
    """A call in a text: text[start:end] is ``calc(expression)``."""

    start: int
    end: int
    expression: str


def find_call(text: str, start: int = 0, answered: bool = False) -> Call | None:
    """Return the first whole call from a place on that has no result behind it; None where there is none.

    answered: take one that has a result behind it, too. A bracket within quotes closes nothing. A call that is not
    closed is none yet, and one within another is part of it.
    """
    for match in CALL.finditer(text, start):
        if match.start() < start:
            continue
        end = _closing(text, match.end())
        if end is None:
            return None
        start = end + 1
        if answered or not text.startswith(RESULT, start):
            return Call(match.start(), start, text[match.end() : end])
    return None


def result_of(call: Call, limits: Limits | None = None) -> str:
    """Return what stands behind a call: ' = 84', or ' = error' where the expression cannot be computed."""
    try:
        return f"{RESULT}{evaluate(call.expression, limits)!r}"
    except ExpressionError:
        return f"{RESULT}{FAILED}"


def write_with_calculator(
    write: Callable[[str], str], prompt: str, most_calls: int = 4, limits: Limits | None = None
) -> str:
    """Return what is written behind the prompt, with the result behind each call.

    write: continues a text to its end; what it puts behind a call is dropped, the result takes its place, and it is
    asked to go on from there. After most_calls results the rest stands as written, as does a call in the prompt.
    ValueError for most_calls below 0.
    """
    if most_calls < 0:
        raise ValueError(f"most_calls: expected at least 0, got {most_calls}")
    text = prompt
    for _ in range(most_calls):
        before = len(text)
        text += write(text)
        call = find_call(text, before, answered=True)  # what is behind it is made up
        if call is None:
            return text[len(prompt) :]
        text = text[: call.end] + result_of(call, limits)
    return (text + write(text))[len(prompt) :]


def _closing(text: str, at: int) -> int | None:
    """Return where the bracket closes that was opened before a place; None where it does not."""
    depth, quote = 1, ""
    for i in range(at, len(text)):
        if quote:
            quote = "" if text[i] == quote else quote
        elif text[i] in "'\"":
            quote = text[i]
        elif text[i] in "()":
            depth += 1 if text[i] == "(" else -1
            if depth == 0:
                return i
    return None
