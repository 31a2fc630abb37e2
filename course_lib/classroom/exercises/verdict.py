"""What a check decides: a state, the key of a message, and the message."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Verdict:
    """state: right, wrong or unfinished; key: which message; lines: the message; printed: what the code printed."""

    state: str
    key: str
    lines: list[str] = field(default_factory=list)
    printed: str = ""


def wrong(key: str, called: str, says: list[str]) -> Verdict:
    """Return the verdict on an answer that differs: how it was called, then what was wrong."""
    return Verdict("wrong", key, [called, *says])
