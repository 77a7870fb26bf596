"""Which first passes a search makes, in which order: each decides most of the queries that the one before left open."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from layerwise.neighbors.candidates import Candidates
from layerwise.neighbors.frame import Frame
from layerwise.neighbors.plan import useful_directions
from layerwise.neighbors.product import ProductPass
from layerwise.neighbors.sketch_pass import SketchPass
from layerwise.neighbors.symmetric import SymmetricPass

NARROW = 64
SPARE_CANDIDATES = 18
WIDENING = 4
MOST_KEPT = 1 << 26


class FirstPass(Protocol):
    """Finds candidates for a tile of queries."""

    @property
    def queries_at_once(self) -> int:
        """How many queries a tile of them holds."""
        ...

    def candidates(self, queries: Tensor, k: int, own: Tensor) -> Candidates:
        """For queries (Q, D), of which `own` (Q,) are rows of the base themselves, or -1."""
        ...


@dataclass(frozen=True)
class Part:
    """What one first pass found for some of the queries.

    Attributes:
        queries: shape (P,), their numbers.
        candidates: of these.
        first: whether no other pass was tried for them before.
        sketched: whether sketches found the candidates.
    """

    queries: Tensor
    candidates: Candidates
    first: bool
    sketched: bool


def candidates_in_parts(queries: Tensor, base: Tensor, k: int, own: Tensor) -> Iterator[Part]:
    """Candidates of all queries, pass by pass: those that are not complete come again in a later part.

    Args:
        queries: shape (Q, D).
        base: shape (B, D).
        k: how many neighbours are wanted.
        own: shape (Q,), the row that a query is itself, or -1.
    """
    open_queries = torch.arange(len(queries), device=base.device)
    for number, first_pass in enumerate(first_passes(queries, base, k, own)):
        still_open = []
        for part in torch.split(open_queries, first_pass.queries_at_once):
            candidates = first_pass.candidates(queries[part], k, own[part])
            yield Part(part, candidates, first=number == 0, sketched=isinstance(first_pass, SketchPass))
            still_open.append(part[~candidates.complete])
        open_queries = torch.cat(still_open)
        if not len(open_queries):
            return


def first_passes(queries: Tensor, base: Tensor, k: int, own: Tensor) -> Iterator[FirstPass]:
    """Dearer and dearer; the last one's candidates are complete for every query.

    Args:
        queries: shape (Q, D).
        base: shape (B, D).
        k: how many neighbours are wanted.
        own: shape (Q,), the row that a query is itself, or -1.
    """
    frame = Frame.over(queries, base)
    kept = min(k + SPARE_CANDIDATES, len(base))
    if base.shape[1] > NARROW and torch.float64 not in (queries.dtype, base.dtype):
        halved = _is_leave_one_out(queries, base, own) and kept * len(base) <= MOST_KEPT
        directions = useful_directions(len(queries), base, frame, k, halved=halved)
        if directions is not None:
            yield SketchPass.over(base, frame, kept, directions)
        product = ProductPass.over(base, frame, torch.float32, kept)
        # After sketches, few queries are left: then half of all products would be more than all of theirs.
        yield SymmetricPass.over(product, k) if halved and directions is None else product
    while True:
        yield ProductPass.over(base, frame, torch.float64, kept)
        if kept == len(base):
            return
        kept = min(kept * WIDENING, len(base))


def _is_leave_one_out(queries: Tensor, base: Tensor, own: Tensor) -> bool:
    """Whether the queries are the base itself, row for row."""
    same_memory = queries.data_ptr() == base.data_ptr() and queries.shape == base.shape
    return same_memory and bool((own == torch.arange(len(base), device=own.device)).all())
