"""Printing where the stream knows fewer signs than the course uses: a console of Windows in cp1252, cp437 or GBK."""

import sys


def say(text: str) -> None:
    """Print a text; a sign that standard output cannot encode is shown as ``?`` in place of an error."""
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"  # a stream of one's own may have none
    print(text.encode(encoding, errors="replace").decode(encoding))
