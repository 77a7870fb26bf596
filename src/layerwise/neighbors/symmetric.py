"""SymmetricPass: the float32 product of a base with itself, in which each pair of tiles is multiplied once.

The distance of two rows does not depend on which of them is the query, so leave-one-out over a whole training set needs
half the arithmetic of a product. The bounds are those of `product`.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from layerwise.neighbors.candidates import Candidates
from layerwise.neighbors.product import MOST_QUERIES, ProductPass
from layerwise.neighbors.scores import minus_twice_product
from layerwise.neighbors.smallest import Smallest
from layerwise.neighbors.tiles import rows_in

TILE_BYTES = 1 << 27


@dataclass(frozen=True)
class SymmetricPass:
    """What every row of a base keeps, found at once."""

    product: ProductPass
    found: Candidates  # of all rows of the base

    @classmethod
    def over(cls, product: ProductPass, k: int) -> SymmetricPass:
        """Multiply all pairs of tiles.

        Args:
            product: the pass over the same base.
            k: how many neighbours are wanted.
        """
        return cls(product, product.bounded(product.norms, *_smallest_lower_bounds(product), k))

    @property
    def queries_at_once(self) -> int:
        """As many as keep a tile of scores within its memory."""
        return self.product.queries_at_once

    def candidates(self, queries: Tensor, k: int, own: Tensor) -> Candidates:
        """Those found for rows `own` (Q,) of the base, which the queries (Q, D) are."""
        del queries, k  # what they would be asked for is found
        return self.found[own]


def _smallest_lower_bounds(product: ProductPass) -> tuple[Tensor, Tensor]:
    """The smallest lower bounds (B, kept) of each row's squared distances from the others, and those rows."""
    base, count = product.base, len(product.base)
    shrunk = product.norms * (1 - product.relative_error)
    smallest = Smallest.of(count, product.kept, shrunk)
    step = min(MOST_QUERIES, rows_in(TILE_BYTES, base.shape[1]))
    parts = [slice(start, min(start + step, count)) for start in range(0, count, step)]
    for number, left in enumerate(parts):
        queries = product.frame.centred(base[left], product.dtype)
        for right in parts[number:]:
            rows = queries if left == right else product.frame.centred(base[right], product.dtype)
            products = minus_twice_product(torch.zeros_like(shrunk[right]), queries, rows)
            scores = products + shrunk[right]
            if left == right:
                scores.fill_diagonal_(torch.inf)
            smallest.take(scores, right.start, left)
            if left != right:
                smallest.take((products + shrunk[left, None]).T.contiguous(), left.start, right)
    return smallest.scores, smallest.rows
