"""PreparedBase: a base that is made ready once, and is then asked about one query at a time.

`find_neighbors` is made for many queries: it goes over the whole base to find its frame, and again for each tile. Here
the sketches of the base are kept (`sketch`), so that a query reads these and the few rows that they cannot rule out.
The last word is the same, distances in float64, and so are the neighbours.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from layerwise.errors import ShapeError
from layerwise.neighbors.candidates import Candidates
from layerwise.neighbors.found import Neighbors
from layerwise.neighbors.frame import Frame
from layerwise.neighbors.measuring import measure
from layerwise.neighbors.plan import SHORT_REST
from layerwise.neighbors.scores import full_precision, minus_twice_product, product_error
from layerwise.neighbors.search import check_arrays
from layerwise.neighbors.sketch import Directions, Sketch, principal_columns

SHORT = 256
"""Of rows with so few features all are measured: sketches would not be shorter."""

LENGTH = 256
"""Directions of a sketch."""

MEASURED_FIRST = 32
"""Rows beyond k that are measured first: the k-th nearest of them says how far a neighbour can be."""

ROUNDING = 1 + 1e-9
"""More than a sum of squares in float64 can be off."""


@dataclass(frozen=True)
class PreparedBase:
    """A base, and what rules most of its rows out.

    Attributes:
        base: shape (B, D); it may be mapped from a file, of which a query then reads a few rows.
        sketches: of all rows; None if all are measured.
    """

    base: Tensor
    sketches: Sketches | None

    @classmethod
    def over(cls, base: Tensor) -> PreparedBase:
        """Sketch a base (B, D).

        Raises:
            NonFiniteError: NaN or infinity among its values.
        """
        with full_precision(base.device):
            return cls(base, Sketches.over(base))

    def find(self, query: Tensor, k: int, *, own_row: int = -1) -> Neighbors:
        """The k nearest rows, exact, nearest first: those of `find_neighbors`.

        Args:
            query: shape (D,), finite.
            k: how many neighbours.
            own_row: the row that is the query itself and is left out, or -1.

        Returns:
            Shapes (1, k).

        Raises:
            NotEnoughExamplesError: the base has no more than k rows.
            ShapeError: the widths differ, or it is not one query.

        >>> prepared = PreparedBase.over(torch.tensor([[0.0], [1.0], [2.0], [10.0]]))
        >>> prepared.find(torch.tensor([1.2]), 2).rows
        array([[1, 2]])
        """
        if query.ndim != 1:
            raise ShapeError(f"one query (D,) is expected; got {tuple(query.shape)}.")
        check_arrays(query[None], self.base, k)
        with full_precision(self.base.device):
            rows = self._candidates(query, k, own_row)
            return self._measured(query, rows[rows != own_row], k)

    def _candidates(self, query: Tensor, k: int, own_row: int) -> Tensor:
        """Rows (c,), farther than k of which are all others."""
        first_count = k + MEASURED_FIRST
        if self.sketches is None or first_count >= len(self.base):
            return torch.arange(len(self.base))
        asked = self.sketches.of_query(query)
        scores = self.sketches.scores(asked)
        first = scores.topk(first_count, largest=False).indices
        nearest = self._measured(query, first[first != own_row], k)
        near = scores <= self.sketches.largest_scores(asked, float(nearest.squared_distances[0, -1]))
        near |= scores.isnan()
        near[first] = True
        return near.nonzero()[:, 0]

    def _measured(self, query: Tensor, rows: Tensor, k: int) -> Neighbors:
        """The k nearest of some rows (c,)."""
        nothing_known = torch.zeros(1, len(rows), dtype=torch.float64)
        candidates = Candidates(rows[None], nothing_known, nothing_known, torch.ones(1, dtype=torch.bool))
        return measure(query[None], self.base, candidates, k, 0)


@dataclass(frozen=True)
class Sketches:
    """Sketches of a base, and the directions along which a query gets its own.

    Attributes:
        frame: where they are made.
        directions: what is sketched.
        sketch: of all rows.
    """

    frame: Frame
    directions: Directions
    sketch: Sketch

    @classmethod
    def over(cls, base: Tensor) -> Sketches | None:
        """Sketches of a base (B, D); None if they would not be shorter than its rows, or these are all the same.

        Raises:
            NonFiniteError: NaN or infinity among its values.
        """
        frame = Frame.over(base[:1], base)
        if base.shape[1] <= SHORT:
            return None
        columns = principal_columns(base, frame, min(LENGTH, base.shape[1] // 2))
        if not columns.shape[1]:
            return None
        sample = frame.centred(base[:: -(-len(base) // 256)], torch.float32)
        norm = float(sample.double().square().sum(dim=1).mean().sqrt())
        directions = Directions.along(columns, shortest_rest=norm * SHORT_REST)
        return cls(frame, directions, directions.sketch(base, frame))

    def of_query(self, query: Tensor) -> Sketch:
        """The sketch of a query (D,)."""
        return self.directions.sketch(query[None], self.frame)

    def scores(self, asked: Sketch) -> Tensor:
        """|y|² − 2 x · y of the sketches, shape (B,)."""
        return minus_twice_product(self.sketch.squared_lengths, asked.vectors, self.sketch.vectors)[0]

    def largest_scores(self, asked: Sketch, farthest: float) -> Tensor:
        """The largest score, for each row (B,), with which it can be within a squared distance of the query."""
        own, lengths = asked.squared_lengths.double(), self.sketch.squared_lengths.double()
        distance = (farthest * ROUNDING) ** 0.5 * self.frame.scale
        reach = distance + asked.radii + self.sketch.radii
        slack = product_error(self.sketch.vectors.shape[1], torch.float32) * (own + lengths)
        largest: Tensor = reach.square() - own + slack + self.frame.absolute_error
        return largest
