"""Predictions that are neither right nor wrong: kept as typed, shown beside what came out."""

import difflib

from course_lib.classroom.streams import say

_typed: dict[str, object] = {}
NOT_YET = (..., None, "", "…", "...")


def guess(name: str, typed: object) -> None:
    """Keep what the reader expects; the claim that names it, ``claim(…, guessed=name)``, shows it beside the result.

    typed: a number or some words; ``...`` is no guess yet, and takes an earlier one back. Nothing is judged.
    """
    if any(typed is empty or (isinstance(typed, str) and typed.strip() == empty) for empty in NOT_YET):
        _typed[name] = None
        say("yours to guess: put a number or some words in place of the dots, and run on")
    else:
        _typed[name] = typed
        say("kept; what came out will stand beside it")


def typed(name: str) -> str | None:
    """Return what was typed as one line of at most 200 characters, None for no guess yet.

    LookupError for a name that no guess has had.
    """
    if name not in _typed:
        near = difflib.get_close_matches(str(name), _typed, n=1)
        remedy = f"did you mean {near[0]!r}?" if near else "its cell was not run"
        raise LookupError(f"guessed: no guess {name!r}; {remedy}")
    if _typed[name] is None:
        return None
    return " ".join(str(_typed[name]).split())[:200]
