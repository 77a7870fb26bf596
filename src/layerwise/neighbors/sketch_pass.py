"""SketchPass: candidates by short sketches, which rule out most rows; those left get a product over all features.

For one tile of queries and the whole base:

1. Products of sketches give a lower bound of every pair's squared distance.
2. The rows with the smallest ones get a product over all D features. U is the k-th smallest upper bound of these.
3. Every other row whose sketch is near enough to be within U gets one, too. All others are surely farther.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from layerwise.neighbors.candidates import Candidates, farthest_possible
from layerwise.neighbors.frame import Frame, squared_norms
from layerwise.neighbors.rates import fastest_type
from layerwise.neighbors.sampled import Pairs
from layerwise.neighbors.sketch import Directions, Sketch, narrowed
from layerwise.neighbors.tiles import (
    MOST_ROWS,
    PRODUCT_WIDTH,
    feature_blocks,
    minus_twice_product,
    product_error,
    rule_out_self,
    tiles,
)

SCORE_BYTES = 1 << 28
SLICE_BYTES = 1 << 23
MOST_CANDIDATES = 1 / 8
USUAL = 1.5


@dataclass(frozen=True)
class SketchPass:
    """One base and its sketches."""

    base: Tensor  # (B, D)
    frame: Frame
    kept: int
    directions: Directions
    sketch: Sketch

    @classmethod
    def over(cls, base: Tensor, frame: Frame, kept: int, directions: Directions) -> SketchPass:
        """Sketch the whole base.

        Args:
            base: shape (B, D).
            frame: the search's.
            kept: how many rows of each query are measured first, more than k or all.
            directions: what is sketched.
        """
        sketch = narrowed(directions.sketch(base, frame), fastest_type(base.device))
        return cls(base, frame, kept, directions, sketch)

    @property
    def queries_at_once(self) -> int:
        """As many as keep a tile of scores within its memory."""
        return max(16, min(MOST_ROWS, SCORE_BYTES // (4 * max(self.base.shape))))

    def candidates(self, queries: Tensor, k: int, own: Tensor) -> Candidates:
        """All rows that the sketches cannot rule out; complete for queries that have few enough of them.

        Args:
            queries: shape (Q, D).
            k: how many neighbours are wanted.
            own: shape (Q,), the row that is the query itself, or -1.
        """
        sketch = narrowed(self.directions.sketch(queries, self.frame), self.sketch.vectors.dtype)
        centred = self.frame.centred(queries, torch.float32)
        scores = self._scores(sketch)
        rule_out_self(scores, own)
        nearest = scores.topk(self.kept, dim=1, largest=False)
        first = torch.zeros_like(scores, dtype=torch.bool).scatter_(1, nearest.indices, nearest.values.isfinite())
        farthest = farthest_possible(self._bounded(centred, sketch, first, k).upper, k)
        wanted = self._within(scores, sketch, farthest)
        few = wanted.sum(dim=1) <= max(self.kept, MOST_CANDIDATES * len(self.base))
        return self._bounded(centred, sketch, wanted.logical_and_(few[:, None]), k, complete=few)

    def _scores(self, queries: Sketch) -> Tensor:
        """|y|² − 2 x · y of the sketches: shape (Q, B), float32."""
        scores = torch.empty(len(queries.vectors), len(self.base), device=self.base.device)
        norms = _norms(self.sketch)
        for tile in tiles(len(self.base), 1, SLICE_BYTES):
            scores[:, tile] = minus_twice_product(norms[tile], queries.vectors, self.sketch.vectors[tile])
        return scores

    def _within(self, scores: Tensor, sketch: Sketch, farthest: Tensor) -> Tensor:
        """Whether a row's squared distance could be as small as `farthest` (Q, 1): shape (Q, B)."""
        radii = self.sketch.radii
        usual = radii.median() * USUAL
        wanted = scores <= self._largest_score(sketch, farthest, torch.minimum(radii.max(), usual))
        # One threshold for a query is a fast comparison; it would be a bad one if a few large radii decided it.
        (unusual,) = (radii > usual).nonzero(as_tuple=True)
        wanted[:, unusual] = scores[:, unusual] <= self._largest_score(sketch, farthest, radii[unusual])
        return wanted

    def _largest_score(self, sketch: Sketch, farthest: Tensor, radii: Tensor) -> Tensor:
        """Of rows with these radii (R,) or a single one: shape (Q, R) or (Q, 1), float32."""
        own = _norms(sketch).double()[:, None]
        reach = farthest.sqrt() + sketch.radii[:, None] + radii
        rounding = product_error(self.sketch.vectors.shape[1], self.sketch.vectors.dtype)
        slack = rounding * (own + _norms(self.sketch).max()) + self.frame.absolute_error
        exact = reach.square() - own + slack
        return torch.nextafter(exact.float(), exact.new_tensor(torch.inf).float())

    def _bounded(
        self, centred: Tensor, sketch: Sketch, wanted: Tensor, k: int, *, complete: Tensor | None = None
    ) -> Candidates:
        """The wanted rows (Q, B) with bounds of their squared distance, from products over all features."""
        slices = list(tiles(len(self.base), min(PRODUCT_WIDTH, self.base.shape[1]), SLICE_BYTES))
        parts = [Pairs.where(wanted[:, rows]) for rows in slices]
        norms = [
            sketch.norms[pairs.queries] + self.sketch.norms[rows][pairs.rows]
            for rows, pairs in zip(slices, parts, strict=True)
        ]
        products = [torch.zeros_like(part) for part in norms]
        buffer = centred.new_empty(SLICE_BYTES // 4)
        for block in feature_blocks(self.base.shape[1]):
            frame, some = self.frame.of_features(block), centred[:, block].contiguous()
            for rows, pairs, total in zip(slices, parts, products, strict=True):
                if len(total):
                    total += pairs.products(some, frame.centred(self.base[rows, block], torch.float32, buffer))
        squared = torch.cat(norms) - 2 * torch.cat(products)
        slack = product_error(self.base.shape[1], torch.float32) * torch.cat(norms) + self.frame.absolute_error
        queries = torch.cat([pairs.queries for pairs in parts])
        rows_of_pairs = torch.cat([pairs.rows + rows.start for rows, pairs in zip(slices, parts, strict=True)])
        return _by_query(queries, rows_of_pairs, squared - slack, squared + slack, len(centred), k, complete)


def _by_query(
    queries: Tensor, rows: Tensor, lower: Tensor, upper: Tensor, count: int, k: int, complete: Tensor | None
) -> Candidates:
    """Lists of pairs as a table: a row for each query, filled up with -1."""
    order = queries.argsort(stable=True)
    queries = queries[order]
    counts = torch.bincount(queries, minlength=count)
    places = torch.arange(len(queries), device=queries.device) - (counts.cumsum(0) - counts)[queries]
    width = max(k + 1, int(counts.max()))

    def table(values: Tensor, filling: float) -> Tensor:
        return values.new_full((count, width), filling).index_put_((queries, places), values[order])

    whole = complete if complete is not None else torch.ones_like(counts, dtype=torch.bool)
    return Candidates(table(rows, -1), table(lower, torch.inf), table(upper, torch.inf), whole)


def _norms(sketch: Sketch) -> Tensor:
    return squared_norms(sketch.vectors).float()
