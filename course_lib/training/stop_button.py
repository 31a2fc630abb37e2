"""The notebook's stop button, or Ctrl-C, as an event that a loop looks at between two steps."""

import contextlib
import signal
import threading
from collections.abc import Iterator
from typing import Any


@contextlib.contextmanager
def stop_button() -> Iterator[threading.Event]:
    """Turn the first Ctrl-C, or the notebook's stop button, into an event; the second one raises as ever."""
    stop = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield stop  # signals arrive in the main thread alone
        return
    before = signal.getsignal(signal.SIGINT)

    def pressed(*_: Any) -> None:
        stop.set()
        signal.signal(signal.SIGINT, before)

    signal.signal(signal.SIGINT, pressed)
    try:
        yield stop
    finally:
        signal.signal(signal.SIGINT, before)
