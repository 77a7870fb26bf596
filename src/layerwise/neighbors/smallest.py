"""Smallest: the smallest scores of each query, taken from tiles of scores while these are in the processor's cache.

After the first tile, few scores are below the largest that a query keeps. They are found by one comparison and merged
by themselves: that is several times faster than a top-k of every tile.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from layerwise.neighbors.pairs import Pairs

FEW = 1 / 8


@dataclass(frozen=True)
class Smallest:
    """What each of Q queries keeps of all tiles that it has met.

    Attributes:
        scores: shape (Q, kept), ascending; infinite where there is no row yet.
        rows: shape (Q, kept), int64; those that the scores are of.
    """

    scores: Tensor
    rows: Tensor

    @classmethod
    def of(cls, queries: int, kept: int, like: Tensor) -> Smallest:
        """Nothing yet, for scores of the type and device of `like`."""
        scores = like.new_full((queries, kept), torch.inf)
        return cls(scores, torch.zeros_like(scores, dtype=torch.int64))

    def take(self, scores: Tensor, first_row: int, queries: slice = slice(None)) -> None:
        """Keep what is small of some queries' scores (Q, B) with rows that begin at `first_row`."""
        best, best_rows = self.scores[queries], self.rows[queries]
        below = Pairs.where(scores < best[:, -1:])
        if not len(below.rows):
            return
        if len(below.rows) > FEW * scores.numel():
            near, columns = scores.topk(min(best.shape[1], scores.shape[1]), dim=1, largest=False)
        else:
            values = scores.view(-1)[below.queries * scores.shape[1] + below.rows]
            near, columns = below.tables(below.most, (values, torch.inf), (below.rows, 0))
        both = torch.cat([best, near], dim=1)
        self.scores[queries], order = both.topk(best.shape[1], dim=1, largest=False)
        self.rows[queries] = torch.cat([best_rows, columns + first_row], dim=1).gather(1, order)
