"""How many rows, queries and scores are held at once: tiles.

tiles                 consecutive slices of rows that take about so many bytes
rows_scored_at_once   rows that meet a tile of queries before their scores are looked at
sketched_at_once      queries that meet the sketches of a whole base
"""

from __future__ import annotations

from collections.abc import Iterator

import torch

MOST_ROWS = 8192
QUERY_TILE_BYTES = 1 << 28
BASE_TILE_BYTES = 1 << 26
MEASURE_BYTES = 1 << 20
CACHED_SCORES = 1 << 21
BUSY_SCORES = 1 << 26
EVEN = 256  # products of other numbers of rows are slower


def tiles(count: int, width: int, size_bytes: int) -> Iterator[slice]:
    """Consecutive slices of rows that take about `size_bytes` in float32, and no more than MOST_ROWS each."""
    step = rows_in(size_bytes, width)
    for start in range(0, count, step):
        yield slice(start, min(start + step, count))


def rows_in(size_bytes: int, width: int) -> int:
    """How many float32 rows take `size_bytes`: at least 1, at most MOST_ROWS."""
    return max(1, min(MOST_ROWS, size_bytes // (4 * max(width, 1))))


def rows_scored_at_once(queries: int, device: torch.device) -> int:
    """How many rows meet a tile of queries before the scores are looked at.

    As many as leave the scores in a processor's cache, or keep a GPU busy.
    """
    rows = (CACHED_SCORES if device.type == "cpu" else BUSY_SCORES) // queries
    return max(1, rows - rows % EVEN if rows > EVEN else rows)


def sketched_at_once(rows: int, width: int) -> int:
    """How many queries meet the sketches of a whole base of this shape: all their scores, and they, are kept."""
    return max(16, min(MOST_ROWS, QUERY_TILE_BYTES // (4 * max(rows, width))))
