"""Where a network is read: find_taps gives Taps, an immutable plan; recording carries it out.

- `tap`: Tap and Taps, the places that were chosen.
- `finding`: find_taps, the placements.
- `placing`: all places of a network, and the choice among them.
- `calls`: one observed forward pass: which modules ran, in which order, with which outputs.
- `graph`: the network as a graph of operations, if it can be traced; replays it.
- `blocks`: which operations of a graph, or which modules, end a block.
- `readers`: how to read: hooks on modules, or a replay of the graph.
- `borrowing`: a network is put back as it was found.

A plan and its execution are kept apart so that what is read can be shown, tested and stored before anything is read.
"""

from __future__ import annotations

from layerwise.taps.finding import find_taps
from layerwise.taps.tap import INPUT, SOFTMAX, Tap, Taps

__all__ = ["INPUT", "SOFTMAX", "Tap", "Taps", "find_taps"]
