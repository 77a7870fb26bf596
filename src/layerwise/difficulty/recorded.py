"""Recorded: a group of taps in memory, and what a probe says there; Question: what it is asked."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from layerwise.errors import NonFiniteError
from layerwise.neighbors.found import Neighbors
from layerwise.recording import Activations
from layerwise.taps import Tap

COPY_BYTES = 1 << 30
"""Some queries of many are copied in parts of this size: nobody's limit has room for a second copy of all."""


@dataclass(frozen=True)
class Question:
    """What a probe is asked; both ways give the same answers (Q, …).

    Attributes:
        of_base: from queries (Q, D), the whole base (B, D) and the queries' own rows (Q,) or None.
        of_neighbors: from neighbours that were found shard by shard.
    """

    of_base: Callable[[Tensor, Tensor, NDArray[np.int64] | None], NDArray[Any]]
    of_neighbors: Callable[[Neighbors], NDArray[Any]]


@dataclass(frozen=True)
class Recorded:
    """A group of taps of all training examples, and of those examples to measure that are not among these.

    Attributes:
        base: of the training examples.
        unseen: of some others; None if there are none.
        own_rows: shape (N,), an example's row in `base`, or -1.
        unseen_rows: shape (N,), an example's row in `unseen`, or -1.
        device: where to search.
    """

    base: Activations
    unseen: Activations | None
    own_rows: NDArray[np.int64]
    unseen_rows: NDArray[np.int64]
    device: torch.device

    def logits(self) -> NDArray[np.float32]:
        """What the network gave for every example, shape (N, K); all of them must have been recorded."""
        logits = np.empty((len(self.own_rows), self.base.logits.shape[1]), dtype=np.float32)
        own = self.own_rows >= 0
        logits[own] = self.base.logits[self.own_rows[own]]
        if self.unseen is not None:
            logits[~own] = self.unseen.logits[self.unseen_rows[~own]]
        return logits

    def answers(self, tap: Tap, asked: NDArray[np.bool_], question: Question) -> NDArray[Any]:
        """What a probe says at one tap of those asked (N,), in their order.

        Raises:
            NonFiniteError: NaN or infinity at this tap.
        """
        base = self._tensor(self.base, tap)
        unseen, own = (np.flatnonzero(asked & mask) for mask in (self.own_rows < 0, self.own_rows >= 0))
        found = []
        try:
            if self.unseen is not None and len(unseen):
                queries = self._tensor(self.unseen, tap)
                found += [question.of_base(part, base, None) for part, _ in _parts(queries, self.unseen_rows[unseen])]
            found += [question.of_base(part, base, rows) for part, rows in _parts(base, self.own_rows[own])]
        except NonFiniteError as error:
            raise NonFiniteError(f'at tap "{tap.name}": {error}') from error
        answers: NDArray[Any] = np.concatenate(found)[np.argsort(np.concatenate([unseen, own]))]
        return answers

    def _tensor(self, activations: Activations, tap: Tap) -> Tensor:
        return torch.from_numpy(np.asarray(activations.flat(tap.name))).to(self.device)


def _parts(values: Tensor, rows: NDArray[np.int64]) -> Iterator[tuple[Tensor, NDArray[np.int64]]]:
    """Rows of values (B, D), with their numbers; all of them in order are the values themselves."""
    if len(rows) == len(values) and np.array_equal(rows, np.arange(len(rows))):
        yield values, rows
        return
    at_once = max(1, COPY_BYTES // (values.element_size() * values.shape[1]))
    for start in range(0, len(rows), at_once):
        part = rows[start : start + at_once]
        yield values[torch.from_numpy(part).to(values.device)], part
