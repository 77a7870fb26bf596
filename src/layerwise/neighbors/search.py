"""Exact k nearest neighbours in tiles: tensors in, rows and votes out. Knows no tap and no file.

A float32 product finds the candidates; a bound on its rounding says which rows could be among the k nearest; those
are measured again in float64, and that decides. How it goes, for one tile of queries x and every tile of rows y:

1. Both are centred on the rows' mean and scaled by a power of two, so that a large common mean costs no digits.
2. s = (1 − g)|y|² − 2x·y is, up to a constant of the query, a lower bound of the squared distance; the upper bound is
   s + 2g(|x|² + |y|²). The m > k smallest s are kept.
3. With U the k-th smallest upper bound, no row with s > U is a neighbour. If the largest kept s is above U, the
   neighbours are all among those kept; otherwise the query is searched again in float64, then with more and more kept.
4. The rows with s ≤ U get their float64 distance; they are sorted by distance, then by `tie_key`.

The product is summed in blocks of 2,048 features, whose rounding errors are known whatever the library's own order:
g = (2048 + 4 D / 2048 + 16) · 2⁻²⁴ (in float64: D more, times 2⁻⁵³), and an absolute part for what underflows. Derived
in docs/methods/votes.md.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from layerwise.arrays.votes import check_k
from layerwise.errors import NonFiniteError, ShapeError
from layerwise.neighbors.found import Neighbors, nearest_first

MOST_ROWS = 8192
NARROW = 64
QUERY_TILE_BYTES = 1 << 28
BASE_TILE_BYTES = 1 << 26
MEASURE_BYTES = 1 << 20
PRODUCT_WIDTH = 2048
SPARE_CANDIDATES = 18
WIDENING = 4


def find_neighbors(
    queries: Tensor, base: Tensor, k: int, *, own_rows: NDArray[np.int64] | None = None, first_row: int = 0
) -> Neighbors:
    """The k nearest rows of `base` for each query: Euclidean, exact, equal distances by `tie_key` of the row.

    Args:
        queries: shape (Q, D), any floating type.
        base: shape (B, D), on the same device.
        k: how many neighbours.
        own_rows: shape (Q,); the row that is the query itself and is left out of its vote, or -1 where there is none.
        first_row: the number of `base`'s first row in the whole training set, when `base` is a shard of it.

    Returns:
        Shapes (Q, k).

    Raises:
        NotEnoughExamplesError: `base` has no more than k rows.
        ShapeError: the widths differ.
        NonFiniteError: NaN or infinity among the values.
    """
    check_k(k, len(base))
    if queries.ndim != 2 or base.ndim != 2 or queries.shape[1] != base.shape[1]:
        raise ShapeError(
            f"queries (Q, D) and base (B, D) need the same D; got {tuple(queries.shape)} and {tuple(base.shape)}."
        )
    scale = _power_of_two_scale(queries, base)
    own = np.full(len(queries), -1) if own_rows is None else own_rows - first_row
    own_columns = torch.from_numpy(own).to(base.device)
    rows = np.empty((len(queries), k), dtype=np.int64)
    distances = np.empty((len(queries), k), dtype=np.float64)
    open_queries = torch.arange(len(queries), device=base.device)
    with _full_precision(base.device):
        for dtype, kept in _effort(k, base):
            if not len(open_queries):
                break
            search = _Search.over(base, dtype, scale, first_row)
            still_open = []
            for part in torch.split(open_queries, _queries_at_once(base.shape[1], kept)):
                found, decided = search.nearest(queries[part], k, kept, own_columns[part])
                done = part[decided].cpu().numpy()
                rows[done], distances[done] = found.rows, found.squared_distances
                still_open.append(part[~decided])
            open_queries = torch.cat(still_open)
    return Neighbors(rows, distances)


@contextmanager
def _full_precision(device: torch.device) -> Iterator[None]:
    """Products in the precision of their factors: the bound does not hold for TF32, bfloat16 or autocast."""
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("highest")
    try:
        with torch.autocast(device.type, enabled=False):
            yield
    finally:
        torch.set_float32_matmul_precision(before)


def _effort(k: int, base: Tensor) -> Iterator[tuple[torch.dtype, int]]:
    """Precisions and numbers of candidates, dearer and dearer; the last decides every query."""
    kept = min(k + SPARE_CANDIDATES, len(base))
    if base.shape[1] > NARROW and base.dtype != torch.float64:
        yield torch.float32, kept
    while True:
        yield torch.float64, kept
        if kept == len(base):
            return
        kept = min(kept * WIDENING, len(base))


def _queries_at_once(width: int, kept: int) -> int:
    return max(1, min(MOST_ROWS, QUERY_TILE_BYTES // (4 * width), QUERY_TILE_BYTES // (16 * kept)))


@dataclass(frozen=True)
class _Search:
    """One base, made ready for products in one precision: its centre, scale and norms, and how far they can be off."""

    base: Tensor  # (B, D)
    first_row: int
    dtype: torch.dtype
    center: Tensor  # (D,), after scaling
    scale: float
    norms: Tensor  # (B,), squared
    relative_error: float
    absolute_error: float

    @classmethod
    def over(cls, base: Tensor, dtype: torch.dtype, scale: float, first_row: int) -> _Search:
        width = base.shape[1]
        total = torch.zeros(width, dtype=torch.float64, device=base.device)
        for tile in _tiles(len(base), width, MEASURE_BYTES):
            total += base[tile].sum(dim=0, dtype=torch.float64)
        center = (total * (scale / len(base))).to(dtype)
        roundings = min(width, PRODUCT_WIDTH) + 4 * -(-width // PRODUCT_WIDTH) + 16
        if dtype == torch.float64:
            roundings += width  # its norms are summed in its own precision
        relative_error = roundings * torch.finfo(dtype).eps / 2
        unmeasured = cls(base, first_row, dtype, center, scale, center.new_empty(0), relative_error, width * 2.0**-100)
        tiles = _tiles(len(base), width, MEASURE_BYTES)
        norms = torch.cat([unmeasured.norms_of(unmeasured.centred(base[tile])) for tile in tiles])
        return replace(unmeasured, norms=norms)

    def centred(self, values: Tensor, buffer: Tensor | None = None) -> Tensor:
        """Scaled and centred rows, in `buffer` if one is given: new memory for each tile costs as much as the sums."""
        rows = values.new_empty(values.shape, dtype=self.dtype) if buffer is None else buffer[: len(values)]
        return rows.copy_(values).mul_(self.scale).sub_(self.center)

    def norms_of(self, centred: Tensor) -> Tensor:
        norms: Tensor = torch.linalg.vector_norm(centred, dim=1, dtype=torch.float64)
        return norms.square().to(self.dtype)

    def nearest(self, queries: Tensor, k: int, kept: int, own: Tensor) -> tuple[Neighbors, Tensor]:
        """The neighbours of those queries that `kept` candidates decide, and which queries those are (Q,)."""
        candidates, decided = self._candidates(queries, k, kept, own)
        return self._measured(queries[decided], candidates[decided], k), decided

    def _candidates(self, queries: Tensor, k: int, kept: int, own: Tensor) -> tuple[Tensor, Tensor]:
        """Rows that could be among the k nearest (Q, kept), -1 where ruled out; and whether none is missing (Q,)."""
        centred = self.centred(queries)
        scores, rows = self._smallest_lower_bounds(centred, kept, own)
        norms = self.norms_of(centred)[:, None] + self.norms[rows]  # (Q, kept)
        upper_bounds = scores + 2 * (self.relative_error * norms + self.absolute_error)
        farthest_possible = upper_bounds.kthvalue(k, dim=1).values  # (Q,)
        decided = (scores.amax(dim=1) > farthest_possible) | (kept == len(self.base))
        ruled_out = (scores > farthest_possible[:, None]) | scores.isinf()
        return rows.masked_fill_(ruled_out, -1), decided

    def _smallest_lower_bounds(self, centred: Tensor, kept: int, own: Tensor) -> tuple[Tensor, Tensor]:
        """The `kept` smallest s of the module's docstring, and their rows, over all tiles of the base."""
        best = centred.new_full((len(centred), kept), torch.inf)
        best_rows = torch.zeros_like(best, dtype=torch.int64)
        buffer = torch.empty_like(self.base[: _rows_in(BASE_TILE_BYTES, self.base.shape[1])], dtype=self.dtype)
        for tile in _tiles(len(self.base), self.base.shape[1], BASE_TILE_BYTES):
            shrunk = self.norms[tile] * (1 - self.relative_error)
            scores = _minus_twice_product(shrunk, centred, self.centred(self.base[tile], buffer))
            _rule_out_self(scores, own - tile.start)
            tile_best, tile_rows = scores.topk(min(kept, scores.shape[1]), dim=1, largest=False)
            best, order = torch.cat([best, tile_best], dim=1).topk(kept, dim=1, largest=False)
            best_rows = torch.cat([best_rows, tile_rows + tile.start], dim=1).gather(1, order)
        return best, best_rows

    def _measured(self, queries: Tensor, candidates: Tensor, k: int) -> Neighbors:
        """The k nearest candidates by their float64 distance."""
        candidates = candidates.sort(dim=1, descending=True).values  # those ruled out last
        counts = (candidates >= 0).sum(dim=1)  # (Q,)
        distances = torch.full(candidates.shape, torch.inf, dtype=torch.float64)
        at_once = max(1, MEASURE_BYTES // (8 * self.base.shape[1] * candidates.shape[1]))
        # Written to again and again: fresh memory for each part would cost more than the arithmetic.
        rows = self.base.new_empty((at_once * candidates.shape[1], self.base.shape[1]))
        differences = torch.empty_like(rows, dtype=torch.float64)
        # Queries with as many candidates go together, so that few are measured for nothing.
        for part in torch.split(counts.argsort(), at_once) if len(counts) else ():
            chosen = candidates[part, : int(counts[part].max())]  # (part, c)
            flat = chosen.clamp(min=0).flatten()
            torch.index_select(self.base, 0, flat, out=rows[: len(flat)])
            off = differences[: len(flat)].copy_(rows[: len(flat)]).view(*chosen.shape, -1)
            squared = off.sub_(queries[part, None].double()).square_().sum(dim=2)
            distances[part.cpu(), : chosen.shape[1]] = squared.masked_fill_(chosen < 0, torch.inf).cpu()
        return nearest_first(candidates.cpu().numpy() + self.first_row, distances.numpy(), k)


def _minus_twice_product(start: Tensor, queries: Tensor, rows: Tensor) -> Tensor:
    """start (B,) − 2 queries (Q, D) · rows (B, D), summed in blocks of features; shape (Q, B)."""
    blocks = zip(torch.split(queries, PRODUCT_WIDTH, 1), torch.split(rows, PRODUCT_WIDTH, 1), strict=True)
    scores = start.repeat(len(queries), 1)
    for query_block, row_block in blocks:
        # Not addmm: a library may begin with the running sum and add a block's products onto it one by one.
        scores.sub_(query_block @ row_block.T, alpha=2)
    return scores


def _rule_out_self(scores: Tensor, own_columns: Tensor) -> None:
    (here,) = ((own_columns >= 0) & (own_columns < scores.shape[1])).nonzero(as_tuple=True)
    scores[here, own_columns[here]] = torch.inf


def _power_of_two_scale(*parts: Tensor) -> float:
    """Brings the largest magnitude to at most 4, exactly, so that squares neither overflow nor vanish."""
    largest = 0.0
    for values in parts:
        for tile in _tiles(len(values), values.shape[1], BASE_TILE_BYTES):
            low, high = values[tile].aminmax()
            largest = max(largest, abs(float(low)), abs(float(high)))
            if not np.isfinite(largest) or low.isnan():
                raise NonFiniteError("NaN or infinity among the values; nearest neighbours need finite numbers.")
    if largest == 0:
        return 1.0
    # A float32 holds powers of two from -126 to 127.
    return float(2.0 ** np.clip(-np.ceil(np.log2(largest)), -126, 126))


def _rows_in(size_bytes: int, width: int) -> int:
    return max(1, min(MOST_ROWS, size_bytes // (4 * max(width, 1))))


def _tiles(count: int, width: int, size_bytes: int) -> Iterator[slice]:
    """Consecutive slices of rows that take about `size_bytes` in float32, and no more than MOST_ROWS each."""
    step = _rows_in(size_bytes, width)
    for start in range(0, count, step):
        yield slice(start, min(start + step, count))
