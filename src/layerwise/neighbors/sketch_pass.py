"""SketchPass: candidates by short sketches, which rule out most rows; those left get a product over all features.

For one tile of queries and the whole base:

1. Products of sketches give a lower bound of every pair's squared distance.
2. The rows with the smallest ones get a product over all D features. U is the k-th smallest upper bound of these.
3. Every row whose sketch is near enough to be within U gets one. All others are surely farther.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from layerwise.neighbors.candidates import Candidates, farthest_possible
from layerwise.neighbors.frame import Frame
from layerwise.neighbors.pairs import Pairs
from layerwise.neighbors.rates import fastest_type
from layerwise.neighbors.scores import PRODUCT_WIDTH, feature_blocks, minus_twice_product, product_error, rule_out_self
from layerwise.neighbors.sketch import Directions, Sketch, narrowed
from layerwise.neighbors.smallest import Smallest
from layerwise.neighbors.tiles import rows_scored_at_once, sketched_at_once, tiles

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
        return sketched_at_once(*self.base.shape)

    @property
    def _rows_at_once(self) -> int:
        return rows_scored_at_once(self.queries_at_once, self.base.device)

    @property
    def _slices(self) -> list[slice]:
        return list(tiles(len(self.base), min(PRODUCT_WIDTH, self.base.shape[1]), SLICE_BYTES))

    def candidates(self, queries: Tensor, k: int, own: Tensor) -> Candidates:
        """All rows that the sketches cannot rule out; complete for queries that have few enough of them.

        Args:
            queries: shape (Q, D).
            k: how many neighbours are wanted.
            own: shape (Q,), the row that is the query itself, or -1.
        """
        sketch = narrowed(self.directions.sketch(queries, self.frame), self.sketch.vectors.dtype)
        centred = self.frame.centred(queries, torch.float32)
        scores, nearest = self._scores(sketch, own)
        first = self._bounded(centred, sketch, self._pairs(nearest))
        farthest = farthest_possible(first.table(k).upper, k)
        parts, complete = self._within(scores, sketch, farthest)
        return self._bounded(centred, sketch, parts).up_to(farthest).table(k, complete)

    def _scores(self, queries: Sketch, own: Tensor) -> tuple[Tensor, Smallest]:
        """|y|² − 2 x · y of the sketches, shape (Q, B), float32; and the smallest of each query."""
        shape = len(queries.vectors), len(self.base)
        scores = torch.empty(shape, dtype=torch.float32, device=self.base.device)
        nearest = Smallest.of(len(scores), self.kept, scores)
        for start in range(0, len(self.base), self._rows_at_once):
            tile = slice(start, start + self._rows_at_once)
            part = minus_twice_product(self.sketch.squared_lengths[tile], queries.vectors, self.sketch.vectors[tile])
            rule_out_self(part, own - start)
            nearest.take(part, start)
            scores[:, tile] = part
        return scores, nearest

    def _pairs(self, nearest: Smallest) -> list[Pairs]:
        """Each query's nearest rows, slice by slice of the base."""
        wanted = torch.zeros(len(nearest.rows), len(self.base), dtype=torch.bool, device=self.base.device)
        queries, places = nearest.scores.isfinite().nonzero(as_tuple=True)
        wanted[queries, nearest.rows[queries, places]] = True
        return [Pairs.where(wanted[:, rows]) for rows in self._slices]

    def _within(self, scores: Tensor, sketch: Sketch, farthest: Tensor) -> tuple[list[Pairs], Tensor]:
        """Pairs whose squared distance could be as small as `farthest` (Q, 1), and which queries (Q,) have few."""
        radii = self.sketch.radii
        usual = torch.minimum(radii.max(), radii.median() * USUAL)
        threshold = self._largest_score(sketch, farthest, usual)
        counts = torch.zeros(len(scores), dtype=torch.int64, device=scores.device)
        most, parts = max(self.kept, MOST_CANDIDATES * len(self.base)), []
        for rows in self._slices:
            some = scores[:, rows]
            wanted = some <= threshold
            # One threshold for a query is a fast comparison; it would be a bad one if a few large radii decided it.
            (unusual,) = (radii[rows] > usual).nonzero(as_tuple=True)
            if len(unusual):
                wanted[:, unusual] = some[:, unusual] <= self._largest_score(sketch, farthest, radii[rows][unusual])
            if not (counts <= most).all():
                wanted[counts > most] = False
            parts.append(Pairs.where(wanted))
            counts += parts[-1].counts
        few = counts <= most
        return [pairs if few.all() else pairs.chosen(few[pairs.queries]) for pairs in parts], few

    def _largest_score(self, sketch: Sketch, farthest: Tensor, radii: Tensor) -> Tensor:
        """Of rows with these radii (R,) or a single one: shape (Q, R) or (Q, 1), float32."""
        own = sketch.squared_lengths.double()[:, None]
        reach = farthest.sqrt() + sketch.radii[:, None] + radii
        rounding = product_error(self.sketch.vectors.shape[1], self.sketch.vectors.dtype)
        slack = rounding * (own + self.sketch.squared_lengths.max()) + self.frame.absolute_error
        exact = reach.square() - own + slack
        return torch.nextafter(exact.float(), exact.new_tensor(torch.inf).float())

    def _bounded(self, centred: Tensor, sketch: Sketch, parts: list[Pairs]) -> _Bounded:
        """Wanted pairs with bounds of their squared distances, from products over all features."""
        slices = self._slices
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
        norm = torch.cat(norms)
        squared = norm - 2 * torch.cat(products)
        slack = product_error(self.base.shape[1], torch.float32) * norm + self.frame.absolute_error
        pairs, order = Pairs.joined(parts, [rows.start for rows in slices], len(self.base))
        return _Bounded(pairs, (squared - slack)[order], (squared + slack)[order])


@dataclass(frozen=True)
class _Bounded:
    """Pairs, with bounds of their squared distances: shapes (P,)."""

    pairs: Pairs
    lower: Tensor
    upper: Tensor

    def up_to(self, farthest: Tensor) -> _Bounded:
        """Those that may be as near as `farthest` (Q, 1)."""
        near = self.lower <= farthest[self.pairs.queries, 0]
        return _Bounded(self.pairs.chosen(near), self.lower[near], self.upper[near])

    def table(self, k: int, complete: Tensor | None = None) -> Candidates:
        """The same as candidates of each query; by default all of them complete."""
        pairs = self.pairs
        columns = (pairs.rows, -1), (self.lower, torch.inf), (self.upper, torch.inf)
        rows, lower, upper = pairs.tables(max(k + 1, pairs.most), *columns)
        return Candidates(
            rows, lower, upper, torch.ones_like(pairs.ends, dtype=torch.bool) if complete is None else complete
        )
