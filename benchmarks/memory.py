"""MemoryPeak: how much memory a block of code needed, while it ran and beyond what was there before."""

from __future__ import annotations

import ctypes
import sys
import threading
from pathlib import Path
from types import TracebackType

from layerwise.runs import peak_memory_bytes

STATUS = Path("/proc/self/status")
PERIOD_S = 0.005


class MemoryPeak:
    """Watch the process's own memory (mapped files are the system's) every 5 ms; elsewhere than on Linux, its maximum.

    Attributes:
        before_bytes: held when the block began.
        peak_bytes: the most that was held at any look.
    """

    def __enter__(self) -> MemoryPeak:
        _give_back_freed()
        self.before_bytes = self.peak_bytes = anonymous_bytes()
        self._over = threading.Event()
        self._watcher = threading.Thread(target=self._watch, daemon=True)
        self._watcher.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._watcher.join()

    @property
    def added_bytes(self) -> int:
        """What the block needed on top."""
        return self.peak_bytes - self.before_bytes

    def _watch(self) -> None:
        while True:
            self.peak_bytes = max(self.peak_bytes, anonymous_bytes())
            if self._over.wait(PERIOD_S):
                return


def anonymous_bytes() -> int:
    """Memory that is no file's."""
    if not STATUS.exists():
        return peak_memory_bytes()
    lines = STATUS.read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("RssAnon:"))


def _give_back_freed() -> None:
    """Freed memory that glibc still holds would be taken again unseen."""
    if sys.platform == "linux":
        getattr(ctypes.CDLL(None), "malloc_trim", lambda _: 0)(0)
