"""Pairs: for each query some rows of its own; their products, and tables of what is known of them."""

from __future__ import annotations

import functools
import warnings
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from layerwise.neighbors.tiles import MEASURE_BYTES


@dataclass(frozen=True)
class Pairs:
    """Which queries meet which rows.

    Attributes:
        queries: shape (P,), ascending.
        rows: shape (P,).
        ends: shape (Q,), how many pairs the queries up to each one have.
        count: how many rows there are.
    """

    queries: Tensor
    rows: Tensor
    ends: Tensor
    count: int

    @classmethod
    def where(cls, wanted: Tensor) -> Pairs:
        """The pairs of a mask (Q, B), in the order of its rows."""
        query_count, count = wanted.shape
        places = _places(wanted)
        queries = places // max(count, 1)
        return cls.of(queries, places - queries * count, query_count, count)

    @classmethod
    def of(cls, queries: Tensor, rows: Tensor, query_count: int, count: int) -> Pairs:
        """Pairs of ascending queries (P,)."""
        return cls(queries, rows, torch.bincount(queries, minlength=query_count).cumsum(0), count)

    @classmethod
    def joined(cls, parts: list[Pairs], starts: list[int], count: int) -> tuple[Pairs, Tensor]:
        """The pairs of the same queries with slices of `count` rows, and their order in the slices' sequence."""
        queries = torch.cat([pairs.queries for pairs in parts])
        rows = torch.cat([pairs.rows + start for pairs, start in zip(parts, starts, strict=True)])
        order = queries.argsort(stable=True)
        return cls.of(queries[order], rows[order], len(parts[0].ends), count), order

    def chosen(self, mask: Tensor) -> Pairs:
        """Those of a mask (P,)."""
        return Pairs.of(self.queries[mask], self.rows[mask], len(self.ends), self.count)

    @property
    def counts(self) -> Tensor:
        """How many pairs each query has: shape (Q,)."""
        return self.ends.diff(prepend=self.ends.new_zeros(1))

    @property
    def most(self) -> int:
        """The most pairs that a query has."""
        return int(self.counts.max()) if len(self.ends) else 0

    def tables(self, width: int, *columns: tuple[Tensor, float]) -> list[Tensor]:
        """Values (P,) with a row for each query, filled up on the right: shapes (Q, width), `width` at least `most`."""
        starts = self.ends.roll(1)
        starts[:1] = 0
        places = torch.arange(len(self.queries), device=self.queries.device)
        places += self.queries * width - starts[self.queries]
        filled = [values.new_full((len(self.ends), width), filling) for values, filling in columns]
        for table, (values, _) in zip(filled, columns, strict=True):
            table.view(-1)[places] = values
        return filled

    def products(self, queries: Tensor, rows: Tensor) -> Tensor:
        """x · y for each pair, in float32, summed in an order of the library's choice: shape (P,).

        Args:
            queries: shape (Q, D), float32.
            rows: shape (B, D), float32.
        """
        if not _library_has_it(queries.device):
            return self._gathered(queries, rows)
        starts = torch.cat([self.ends.new_zeros(1), self.ends])
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # of a beta state, and of checks that are left out
            wanted = torch.sparse_csr_tensor(
                starts,
                self.rows,
                queries.new_zeros(len(self.rows)),
                size=(len(queries), self.count),
                check_invariants=False,
            )
            found: Tensor = torch.sparse.sampled_addmm(wanted, queries, rows.T, beta=0.0).values()
        return found

    def _gathered(self, queries: Tensor, rows: Tensor) -> Tensor:
        at_once = max(1, MEASURE_BYTES // (4 * rows.shape[1]))
        parts = zip(torch.split(self.queries, at_once), torch.split(self.rows, at_once), strict=True)
        return torch.cat([(queries[some] * rows[theirs]).sum(dim=1) for some, theirs in parts])


def _places(mask: Tensor) -> Tensor:
    """Where a mask is true, in memory's order."""
    if mask.device.type == "cpu":  # NumPy reads a mask several times faster than torch
        return torch.from_numpy(np.flatnonzero(mask.numpy()))
    return mask.flatten().nonzero()[:, 0]


@functools.cache
def _library_has_it(device: torch.device) -> bool:
    """Not every build of PyTorch has this operation for every device."""
    one = torch.ones(1, 1, device=device)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            torch.sparse.sampled_addmm(one.to_sparse_csr(), one, one, beta=0.0)
    except RuntimeError:
        return False
    return True
