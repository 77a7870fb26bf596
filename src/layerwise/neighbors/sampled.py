"""Products of a few pairs: for each query its own rows of the base."""

from __future__ import annotations

import functools
import warnings
from dataclasses import dataclass

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
        """The pairs of a mask (Q, B), in the order of its `nonzero`."""
        queries, rows = wanted.nonzero(as_tuple=True)
        return cls(queries, rows, wanted.sum(dim=1).cumsum(0), wanted.shape[1])

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
