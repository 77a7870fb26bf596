"""PreparedBase: a base that is made ready once, and is then asked about one query at a time.

`find_neighbors` is made for many queries: it finds the frame of a search, and copies the centred base, each time. Here
norms are kept, and a query reads the rows once, where they lie, in float32. Bounds of the rounding leave few rows,
whose distances in float64 are the last word: the neighbours are the same.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from layerwise.errors import ShapeError
from layerwise.neighbors.candidates import Candidates
from layerwise.neighbors.found import Neighbors
from layerwise.neighbors.frame import Frame, squared_norms
from layerwise.neighbors.measuring import measure
from layerwise.neighbors.scores import feature_blocks, full_precision, product_error
from layerwise.neighbors.search import check_arrays
from layerwise.neighbors.tiles import MEASURE_BYTES, tiles

UNIT = float(torch.finfo(torch.float32).eps) / 2


@dataclass(frozen=True)
class PreparedBase:
    """A base, and what its rows' distances are bounded with, in the units of a frame.

    Attributes:
        base: shape (B, D), float32; it may be mapped from a file.
        frame: scale and centre c.
        norms: shape (B,), float64, |Y|² of the centred rows.
        lengths: shape (B,), float64, |y| of the rows themselves.
    """

    base: Tensor
    frame: Frame
    norms: Tensor
    lengths: Tensor

    @classmethod
    def over(cls, base: Tensor) -> PreparedBase:
        """Measure a base (B, D) of any floating type; one that is not float32 is copied.

        Raises:
            NonFiniteError: NaN or infinity among its values.
        """
        base = base.float()
        frame = Frame.over(base[:1], base)
        parts = [
            squared_norms(frame.centred(base[tile], torch.float32))
            for tile in tiles(len(base), base.shape[1], MEASURE_BYTES)
        ]
        return cls(base, frame, torch.cat(parts), squared_norms(base).sqrt() * frame.scale)

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
            lower, upper = self._bounds(query.float())
            if own_row >= 0:
                lower[own_row] = upper[own_row] = torch.inf
            rows = _possible(lower, upper, k)
            if own_row >= 0:
                rows = rows[rows != own_row]
            known = torch.zeros(1, len(rows), dtype=torch.float64)
            candidates = Candidates(rows[None], known, known, torch.ones(1, dtype=torch.bool))
            return measure(query[None], self.base, candidates, k, 0)

    def _bounds(self, query: Tensor) -> tuple[Tensor, Tensor]:
        """What the squared distance of each row is at least and at most: (B,) each.

        With X and Y the query and a row less the centre c, |Y − X|² = |Y|² + |X|² − 2 y · X + 2 c · X. Only y · X is
        off by more than a few roundings, by at most |y| |X| times the error of a sum. So rows need not be centred.
        """
        centred = self.frame.centred(query[None], torch.float32)[0]
        exact = centred.double()
        own, shift = exact.square().sum(), exact @ self.frame.center.float().double()
        product = torch.zeros(len(self.base), dtype=torch.float64)
        for block in feature_blocks(len(query)):
            product += torch.mv(self.base[:, block], centred[block])
        squared = self.norms + own - 2 * self.frame.scale * product + 2 * shift
        of_product = 2 * product_error(len(query), torch.float32) * self.lengths * own.sqrt()
        off = of_product + 8 * UNIT * (self.norms + own) + self.frame.absolute_error
        return squared - off, squared + off


def _possible(lower: Tensor, upper: Tensor, k: int) -> Tensor:
    """The rows that may be among the k nearest; what is no number rules nothing out."""
    ruled_out = lower > upper.kthvalue(k).values
    return (~ruled_out).nonzero()[:, 0]
