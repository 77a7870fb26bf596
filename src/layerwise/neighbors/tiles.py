"""Rows in tiles, and products of them whose rounding errors are known whatever the library's own order of summing.

tiles                 consecutive slices of rows that take about so many bytes
rows_scored_at_once, sketched_at_once   how large a tile of scores is
full_precision        products in the precision of their factors, for as long as a search lasts
minus_twice_product   start − 2 queries · rows, summed in blocks of features
product_error         how far such a sum can be off, as a share of |query|² + |row|²
feature_blocks        the blocks
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor

MOST_ROWS = 8192
PRODUCT_WIDTH = 2048
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


@contextmanager
def full_precision(device: torch.device) -> Iterator[None]:
    """Products in the precision of their factors: the bounds do not hold for TF32 or autocast."""
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("highest")
    try:
        with torch.autocast(device.type, enabled=False):
            yield
    finally:
        torch.set_float32_matmul_precision(before)


def rows_scored_at_once(queries: int, device: torch.device) -> int:
    """How many rows meet a tile of queries before the scores are looked at.

    As many as leave the scores in a processor's cache, or keep a GPU busy.
    """
    rows = (CACHED_SCORES if device.type == "cpu" else BUSY_SCORES) // queries
    return max(1, rows - rows % EVEN if rows > EVEN else rows)


def sketched_at_once(rows: int, width: int) -> int:
    """How many queries meet the sketches of a whole base of this shape: all their scores, and they, are kept."""
    return max(16, min(MOST_ROWS, QUERY_TILE_BYTES // (4 * max(rows, width))))


def feature_blocks(width: int) -> list[slice]:
    """Consecutive slices of at most PRODUCT_WIDTH features."""
    return [slice(start, min(start + PRODUCT_WIDTH, width)) for start in range(0, width, PRODUCT_WIDTH)]


def minus_twice_product(start: Tensor, queries: Tensor, rows: Tensor) -> Tensor:
    """start (B,) − 2 queries (Q, D) · rows (B, D), summed in blocks of features; shape (Q, B)."""
    first, *others = feature_blocks(queries.shape[1])
    product = torch.mm(queries[:, first], rows[:, first].T)
    scores = torch.sub(start, product, alpha=2)
    for block in others:
        # Not addmm: a library may begin with the running sum and add a block's products onto it one by one.
        scores.sub_(torch.mm(queries[:, block], rows[:, block].T, out=product), alpha=2)
    return scores


def product_error(width: int, dtype: torch.dtype) -> float:
    """How far start − 2 x · y can be off, as a share of |x|² + |y|²; derived in docs/methods/votes.md.

    Factors narrower than float32 are multiplied and summed in float32, and each block's sum is rounded to their type.
    """
    roundings = min(width, PRODUCT_WIDTH) + 4 * -(-width // PRODUCT_WIDTH) + 16
    if dtype == torch.float64:
        return float((roundings + width) * torch.finfo(dtype).eps / 2)  # its norms are summed in its own precision
    of_sums = roundings * torch.finfo(torch.float32).eps / 2
    return float(of_sums if dtype == torch.float32 else of_sums + torch.finfo(dtype).eps)


def rule_out_self(scores: Tensor, own_columns: Tensor) -> None:
    """Infinity where a query (Q,) meets itself among the columns of scores (Q, B); -1 for queries that do not."""
    (here,) = ((own_columns >= 0) & (own_columns < scores.shape[1])).nonzero(as_tuple=True)
    scores[here, own_columns[here]] = torch.inf
