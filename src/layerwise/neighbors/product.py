"""ProductPass: candidates by a product over all features, in float32 or float64.

For one tile of queries x and every tile of rows y, s = (1 − g)|y|² − 2x·y is, up to a constant of the query, a lower
bound of the squared distance; the upper bound is s + 2g(|x|² + |y|²). The rows with the smallest s are kept. With U the
k-th smallest upper bound, the rows kept are all that matter if the largest kept s is above U.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from layerwise.neighbors.candidates import Candidates, farthest_possible
from layerwise.neighbors.frame import Frame, squared_norms
from layerwise.neighbors.tiles import (
    BASE_TILE_BYTES,
    MEASURE_BYTES,
    MOST_ROWS,
    QUERY_TILE_BYTES,
    minus_twice_product,
    product_error,
    rows_in,
    rule_out_self,
    tiles,
)


@dataclass(frozen=True)
class ProductPass:
    """One base, made ready for products in one precision."""

    base: Tensor  # (B, D)
    frame: Frame
    dtype: torch.dtype
    kept: int
    norms: Tensor  # (B,), squared
    relative_error: float

    @classmethod
    def over(cls, base: Tensor, frame: Frame, dtype: torch.dtype, kept: int) -> ProductPass:
        """Measure the base's norms.

        Args:
            base: shape (B, D).
            frame: the search's.
            dtype: of the products, float32 or float64.
            kept: how many candidates a query keeps, more than k or all.
        """
        width = base.shape[1]
        parts = [_norms(frame.centred(base[tile], dtype)) for tile in tiles(len(base), width, MEASURE_BYTES)]
        return cls(base, frame, dtype, kept, torch.cat(parts), product_error(width, dtype))

    @property
    def queries_at_once(self) -> int:
        """As many as keep a tile of scores within its memory."""
        width = self.base.shape[1]
        return max(1, min(MOST_ROWS, QUERY_TILE_BYTES // (4 * width), QUERY_TILE_BYTES // (16 * self.kept)))

    def candidates(self, queries: Tensor, k: int, own: Tensor) -> Candidates:
        """The rows with the smallest lower bounds.

        Args:
            queries: shape (Q, D).
            k: how many neighbours are wanted.
            own: shape (Q,), the row that is the query itself, or -1.
        """
        centred = self.frame.centred(queries, self.dtype)
        return self.bounded(_norms(centred), *self._smallest_lower_bounds(centred, own), k)

    def bounded(self, query_norms: Tensor, lower: Tensor, rows: Tensor, k: int) -> Candidates:
        """The rows (Q, kept) with the smallest lower bounds (Q, kept), of queries with squared norms (Q,)."""
        norms = query_norms[:, None] + self.norms[rows]  # (Q, kept)
        upper = lower + 2 * (self.relative_error * norms + self.frame.absolute_error)
        farthest = farthest_possible(upper, k)
        complete = (lower.amax(dim=1) > farthest[:, 0]) | (self.kept == len(self.base))
        return Candidates(rows.masked_fill_(lower.isinf(), -1), lower, upper, complete)

    def _smallest_lower_bounds(self, centred: Tensor, own: Tensor) -> tuple[Tensor, Tensor]:
        """The `kept` smallest s of the module's docstring, and their rows, over all tiles of the base."""
        best = centred.new_full((len(centred), self.kept), torch.inf)
        best_rows = torch.zeros_like(best, dtype=torch.int64)
        # Top-k is several times faster over one wide table than over many narrow ones.
        for columns in tiles(len(self.base), 1, BASE_TILE_BYTES):
            scores = self._lower_bounds(centred, columns)
            rule_out_self(scores, own - columns.start)
            nearest = scores.topk(min(self.kept, scores.shape[1]), dim=1, largest=False)
            best, order = torch.cat([best, nearest.values], dim=1).topk(self.kept, dim=1, largest=False)
            best_rows = torch.cat([best_rows, nearest.indices + columns.start], dim=1).gather(1, order)
        return best, best_rows

    def _lower_bounds(self, centred: Tensor, columns: slice) -> Tensor:
        """s of the module's docstring, shape (Q, as many rows as `columns` has)."""
        base, norms = self.base[columns], self.norms[columns] * (1 - self.relative_error)
        scores = centred.new_empty(len(centred), len(base))
        buffer = torch.empty_like(base[: rows_in(BASE_TILE_BYTES, base.shape[1])], dtype=self.dtype)
        for tile in tiles(len(base), base.shape[1], BASE_TILE_BYTES):
            rows = self.frame.centred(base[tile], self.dtype, buffer)
            scores[:, tile] = minus_twice_product(norms[tile], centred, rows)
        return scores


def _norms(centred: Tensor) -> Tensor:
    return squared_norms(centred).to(centred.dtype)
