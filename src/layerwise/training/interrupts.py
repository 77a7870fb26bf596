"""interruptible: Ctrl-C waits for the batch under way, because weights in the middle of a step cannot be kept."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType

__all__ = ["StopRequest", "interruptible"]


class StopRequest:
    """Whether the user asked to stop."""

    made = False


@contextlib.contextmanager
def interruptible() -> Iterator[StopRequest]:
    """Note the first Ctrl-C in the request; a second one stops at once, as ever. The handler before is put back.

    Outside the main thread Python delivers no signals, so nothing is changed there; nor is it in a process that
    ignores Ctrl-C because another one answers it.
    """
    request = StopRequest()
    before = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or before is signal.SIG_IGN:
        yield request
        return

    def note(_signal: int, _frame: FrameType | None) -> None:
        request.made = True
        signal.signal(signal.SIGINT, signal.default_int_handler)

    signal.signal(signal.SIGINT, note)
    try:
        yield request
    finally:
        signal.signal(signal.SIGINT, before)
