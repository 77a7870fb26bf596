"""Sharded: one tap that is over the memory limit by itself, asked in parts and searched shard by shard.

A part of the queries takes at most half of the limit. While it is held, the training examples go by in shards that fit
what is left, and what the shards find is merged. So each part costs a forward pass over the training examples.

All that is recorded is whole batches, in the order of the data set: a network may round differently in a batch of
another size, and the votes are to be those of one recording.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import groupby, pairwise
from operator import itemgetter
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from layerwise.data.images import ImageData
from layerwise.difficulty.recorded import Question
from layerwise.neighbors.found import Neighbors, merge_neighbors
from layerwise.neighbors.search import find_neighbors
from layerwise.progress import Progress
from layerwise.taps import Tap


@dataclass(frozen=True)
class Room:
    """How many examples of one tap are held at once.

    Attributes:
        train: B, the training examples.
        unseen: examples to measure that are not among these.
        batch_size: images in one forward pass.
        k: neighbours of each; a shard has more rows.
    """

    train: int
    unseen: int
    batch_size: int
    k: int

    @property
    def least(self) -> int:
        """Fewer cannot be searched: one query, and the smallest shard or a batch of queries."""
        return 1 + self._beside_queries

    def queries(self, rows: int) -> int:
        """How many queries a part may have, if `rows` are held in all."""
        # Half, because they are held twice for a moment.
        return min(rows // 2, rows - self._beside_queries)

    def shards(self, rows: int) -> list[slice]:
        """The training examples in shards of whole batches, each of more than k and at most `rows`."""
        # The last shard takes up to k more, which would be too few by themselves.
        step = max(self._smallest_step, (rows - self.k) // self.batch_size * self.batch_size)
        edges = [*range(0, self.train - self.k, step), self.train]
        return [slice(*ends) for ends in pairwise(edges)]

    @property
    def _beside_queries(self) -> int:
        return max(min(self.train, self._smallest_step + self.k), min(self.unseen, self.batch_size))

    @property
    def _smallest_step(self) -> int:
        """Whole batches of more than k examples."""
        return (self.k // self.batch_size + 1) * self.batch_size


@dataclass(frozen=True)
class Sharded:
    """One tap that is over the limit; takes the place of `Recorded`.

    Attributes:
        record: from some examples to their activations at the tap, shape (B, D).
        logits: gives what the network says of every example, shape (N, K).
        train: B examples that the probes are built from.
        examples: N examples to measure.
        own_rows: shape (N,), an example's row in `train`, or -1.
        rows: how many examples' activations the limit has room for, at least `room.least`.
        room: how they are shared out.
        device: where to search.
        progress: is shown the shards.
    """

    record: Callable[[ImageData], NDArray[Any]]
    logits: Callable[[], NDArray[np.float32]]
    train: ImageData
    examples: ImageData
    own_rows: NDArray[np.int64]
    rows: int
    room: Room
    device: torch.device
    progress: Progress

    def answers(self, tap: Tap, asked: NDArray[np.bool_], question: Question) -> NDArray[Any]:
        """What a probe says of those asked (N,), in their order.

        Raises:
            NonFiniteError: NaN or infinity at this tap.
        """
        rows = np.flatnonzero(asked)
        order = np.argsort(self.own_rows[rows], kind="stable")  # as they are recorded: those unseen first
        parts = np.array_split(rows[order], -(-len(rows) // self.room.queries(self.rows)))
        shards = self.room.shards(self.rows - len(parts[0]))
        total, what = len(parts) * len(shards), f"Searching {tap.name} in shards"
        by_part = groupby(self.progress(self._search(parts, shards), total=total, what=what), key=itemgetter(0))
        answers = [question.of_neighbors(reduce(self._merged, (found for _, found in part))) for _, part in by_part]
        back: NDArray[Any] = np.concatenate(answers)[np.argsort(order)]
        return back

    def _search(self, parts: Sequence[NDArray[np.int64]], shards: Sequence[slice]) -> Iterator[tuple[int, Neighbors]]:
        """For each part, by its number, the neighbours in every shard."""
        for number, part in enumerate(parts):
            for found in self._search_one(part, shards):
                yield number, found

    def _search_one(self, part: NDArray[np.int64], shards: Sequence[slice]) -> Iterator[Neighbors]:
        # No name holds a shard, and none the queries of an earlier part: while the next are recorded they are gone.
        queries, own, k = self._queries(part, self.rows - len(part)), self.own_rows[part], self.room.k
        for shard in shards:
            yield find_neighbors(queries, self._base(shard), k, own_rows=own, first_row=shard.start)

    def _base(self, shard: slice) -> Tensor:
        return torch.from_numpy(self.record(self.train.select(shard))).to(self.device)

    def _queries(self, part: NDArray[np.int64], rows: int) -> Tensor:
        """Activations of some examples (Q, D), unseen ones first, from recordings of at most `rows`."""
        own, unseen = self.own_rows[part], np.flatnonzero(self.own_rows < 0)
        places = np.searchsorted(unseen, part[own < 0])
        picked = [
            *self._picked(self.examples, unseen, places, rows),
            *self._picked(self.train, np.arange(len(self.train)), own[own >= 0], rows),
        ]
        return torch.from_numpy(np.concatenate(picked)).to(self.device)

    def _picked(
        self, data: ImageData, recorded: NDArray[np.int64], places: NDArray[np.int64], rows: int
    ) -> Iterator[NDArray[Any]]:
        """Activations at ascending `places` of those rows of the data that are recorded, at most `rows` at a time."""
        batches = np.arange(len(recorded)) // self.room.batch_size
        needed = np.unique(batches[places])
        at_once = max(1, rows // self.room.batch_size)
        for start in range(0, len(needed), at_once):
            some = np.flatnonzero(np.isin(batches, needed[start : start + at_once]))
            here = places[np.isin(places, some)]
            # A copy, so that the others are let go.
            yield self.record(data.select(recorded[some]))[np.searchsorted(some, here)]

    def _merged(self, first: Neighbors, second: Neighbors) -> Neighbors:
        return merge_neighbors(first, second, self.room.k)
