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
from layerwise.neighbors.scores import minus_twice_product, product_error, rule_out_self
from layerwise.neighbors.smallest import Smallest
from layerwise.neighbors.tiles import (
    BASE_TILE_BYTES,
    MEASURE_BYTES,
    QUERY_TILE_BYTES,
    rows_in,
    rows_scored_at_once,
    tiles,
)

MOST_QUERIES = 2048


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
        """As many as keep a tile of them, and what each keeps, within its memory."""
        width = max(self.base.shape[1], 4 * self.kept)  # scores and rows of those kept, before and after a merge
        return max(1, min(MOST_QUERIES, QUERY_TILE_BYTES // (4 * width)))

    @property
    def _rows_at_once(self) -> int:
        scored = rows_scored_at_once(self.queries_at_once, self.base.device)
        return min(rows_in(BASE_TILE_BYTES, self.base.shape[1]), scored)

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
        base, norms = self.base, self.norms * (1 - self.relative_error)
        smallest = Smallest.of(len(centred), self.kept, centred)
        buffer = base.new_empty(min(self._rows_at_once, len(base)), base.shape[1], dtype=self.dtype)
        for start in range(0, len(base), self._rows_at_once):
            tile = slice(start, start + self._rows_at_once)
            scores = minus_twice_product(norms[tile], centred, self.frame.centred(base[tile], self.dtype, buffer))
            rule_out_self(scores, own - start)
            smallest.take(scores, start)
        return smallest.scores, smallest.rows


def _norms(centred: Tensor) -> Tensor:
    return squared_norms(centred).to(centred.dtype)
