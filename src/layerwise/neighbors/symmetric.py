"""SymmetricPass: the float32 product of a base with itself, in which each pair of tiles is multiplied once.

The distance of two rows does not depend on which of them is the query, so leave-one-out over a whole training set needs
half the arithmetic of a product. The bounds are those of `product`.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from layerwise.neighbors.candidates import Candidates
from layerwise.neighbors.product import ProductPass
from layerwise.neighbors.tiles import minus_twice_product, rule_out_self, tiles

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
    best = _Best.of(count, product.kept, base.device)
    shrunk = product.norms * (1 - product.relative_error)
    parts = list(tiles(count, base.shape[1], TILE_BYTES))
    for number, left in enumerate(parts):
        queries = product.frame.centred(base[left], product.dtype)
        for right in parts[number:]:
            rows = queries if left == right else product.frame.centred(base[right], product.dtype)
            products = minus_twice_product(torch.zeros_like(shrunk[right]), queries, rows)
            best.keep(left, right, products + shrunk[right])
            if left != right:
                best.keep(right, left, (products + shrunk[left, None]).T.contiguous())
    return best.scores, best.rows


@dataclass(frozen=True)
class _Best:
    """The smallest scores so far, and the rows that have them."""

    scores: Tensor  # (B, kept)
    rows: Tensor  # (B, kept)

    @classmethod
    def of(cls, count: int, kept: int, device: torch.device) -> _Best:
        scores = torch.full((count, kept), torch.inf, device=device)
        return cls(scores, torch.zeros_like(scores, dtype=torch.int64))

    def keep(self, queries: slice, rows: slice, scores: Tensor) -> None:
        """Take in the scores of a tile of queries with a tile of rows."""
        if queries == rows:
            rule_out_self(scores, torch.arange(len(scores), device=scores.device))
        kept = self.scores.shape[1]
        nearest = scores.topk(min(kept, scores.shape[1]), dim=1, largest=False)
        both = torch.cat([self.scores[queries], nearest.values], dim=1)
        both_rows = torch.cat([self.rows[queries], nearest.indices + rows.start], dim=1)
        self.scores[queries], order = both.topk(kept, dim=1, largest=False)
        self.rows[queries] = both_rows.gather(1, order)
