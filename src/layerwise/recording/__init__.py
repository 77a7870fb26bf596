"""Activations of a whole data set at all taps, in one forward pass: record gives Activations.

- `recorder`: record.
- `activations`: Activations, in memory or in a folder.
- `description`: describe_taps, the places of a network as a table.
- `reduction`: what is kept of a value: all of it, or its mean over positions.
- `groups`: which taps are recorded together, so that a limit of memory holds.
- `sizes`: the memory and disk that a recording needs, before it runs.
- `stores`: where values go batch by batch: arrays in memory, or files that appear when all is written.
"""

from __future__ import annotations

from layerwise.recording.activations import Activations
from layerwise.recording.description import describe_taps
from layerwise.recording.recorder import record

__all__ = ["Activations", "describe_taps", "record"]
