"""Clock: where the time of a measurement went."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from layerwise.taps import Tap


@dataclass
class Clock:
    """Seconds by step and tap, as they were spent."""

    recording_s: float = 0.0
    tap_to_search_s: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def recording(self) -> Iterator[None]:
        """Time that is spent recording."""
        started = time.perf_counter()
        yield
        self.recording_s += time.perf_counter() - started

    @contextmanager
    def searching(self, tap: Tap) -> Iterator[None]:
        """Time that is spent searching a tap: all but what is spent recording its shards."""
        started = time.perf_counter() - self.recording_s
        yield
        self.tap_to_search_s[tap.name] = time.perf_counter() - self.recording_s - started
