"""Turns: one at a time, a few wait, and whoever comes to a full queue is told so at once."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from layerwise.errors import BusyError


class Turns:
    """A queue in front of a lock.

    Args:
        lock: what only one may hold; several queues may share it.
        seats: how many may be at work or wait.
        what: what they wait for, for messages.
        patience_s: how long one waits.
    """

    def __init__(self, lock: threading.Lock, *, seats: int, what: str, patience_s: float = 60.0) -> None:
        self._lock, self._what, self._patience_s = lock, what, patience_s
        self._count = seats
        self._seats = threading.BoundedSemaphore(seats)

    @contextmanager
    def seat(self) -> Iterator[None]:
        """A place in the queue.

        Raises:
            BusyError: there is none.
        """
        if not self._seats.acquire(blocking=False):
            raise BusyError(f"{self._count} {self._what} are under way already.\n    Wait for them, then try again.")
        try:
            yield
        finally:
            self._seats.release()

    @contextmanager
    def turn(self) -> Iterator[None]:
        """The lock, for one who has a seat.

        Raises:
            BusyError: it was not free for so long.
        """
        if not self._lock.acquire(timeout=self._patience_s):
            raise BusyError(f"the network was busy for {self._patience_s:.0f} s.\n    Try again in a while.")
        try:
            yield
        finally:
            self._lock.release()
