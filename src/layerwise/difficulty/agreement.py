"""measure_agreement: how often the votes on projected activations are the exact ones, from a sample of the examples.

The sample is compared with all training examples, once with whole activations and once with projected ones. The
training examples go by in shards that fit the memory limit, and what the shards find is merged.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray

from layerwise.data.images import ImageData
from layerwise.difficulty.projection import Projection
from layerwise.difficulty.recorder import ProbeRecorder
from layerwise.neighbors.found import Neighbors, merge_neighbors
from layerwise.neighbors.search import find_neighbors
from layerwise.recording import Activations, record
from layerwise.recording.groups import BYTES_PER_NUMBER, groups_of_taps
from layerwise.seeds import stream
from layerwise.taps import Tap

SAMPLE = 256


def measure_agreement(recorder: ProbeRecorder, projection: Projection) -> tuple[dict[str, int], int]:
    """For each projected tap, how many examples of a sample get their exact vote; and how many the sample has.

    Raises:
        ActivationsTooLargeError: one tap of the sample alone is over the limit.
    """
    count = min(SAMPLE, len(recorder.examples))
    sample = np.sort(stream(0, "agreement").choice(len(recorder.examples), count, replace=False))
    projected = [tap for tap in recorder.taps if projection.changes(tap)]
    at_least = 2 * count + 2 * (recorder.settings.k + 1)
    groups = groups_of_taps(projected, at_least, recorder.settings.limit_bytes)
    agreeing: dict[str, int] = {}
    for group in groups:
        agreeing |= _Comparison(recorder, projection, sample, group).agreeing()
    return agreeing, count


@dataclass(frozen=True)
class _Comparison:
    """A sample's exact neighbours, and those among projections, at a group of taps."""

    recorder: ProbeRecorder
    projection: Projection
    sample: NDArray[np.int64]  # rows of the examples
    group: Sequence[Tap]

    def agreeing(self) -> dict[str, int]:
        """How many of the sample get their exact vote at each tap."""
        queries = self._record(self.recorder.examples.select(self.sample))
        found: dict[str, list[Neighbors]] = {}
        for rows in self._shards():
            base = self._record(self.recorder.train.select(rows))
            for tap in self.group:
                here = self._search(tap, queries, base, rows.start)
                before = found.get(tap.name)
                found[tap.name] = here if before is None else list(map(self._merged, before, here))
        return {name: int(np.equal(*map(self._votes, both)).sum()) for name, both in found.items()}

    def _shards(self) -> Iterator[slice]:
        """Equal parts of the training examples that fit the limit together with the sample."""
        train, settings = self.recorder.train, self.recorder.settings
        per_example = BYTES_PER_NUMBER * sum(tap.features for tap in self.group)
        rows = int(settings.limit_bytes // per_example) - len(self.sample)
        shards = -(-len(train) // rows)
        edges = [len(train) * shard // shards for shard in range(shards + 1)]
        for start, stop in pairwise(edges):
            yield slice(start, stop)

    def _record(self, data: ImageData) -> Activations:
        recorder, settings = self.recorder, self.recorder.settings
        return record(
            recorder.model,
            data,
            recorder.taps,
            only=[tap.name for tap in self.group],
            preprocessing=recorder.preprocessing,
            batch_size=settings.batch_size,
            limit_bytes=settings.limit_bytes,
            device=settings.device,
            progress=recorder.progress,
        )

    def _search(self, tap: Tap, queries: Activations, base: Activations, first_row: int) -> list[Neighbors]:
        """The exact neighbours and those among projections."""
        whole = [torch.from_numpy(part.flat(tap.name)).to(self.recorder.device) for part in (queries, base)]
        projected = [self.projection(part) for part in whole]
        k, own_rows = self.recorder.settings.k, self.recorder.own_rows[self.sample]
        return [
            find_neighbors(few, many, k, own_rows=own_rows, first_row=first_row) for few, many in (whole, projected)
        ]

    def _merged(self, first: Neighbors, second: Neighbors) -> Neighbors:
        return merge_neighbors(first, second, self.recorder.settings.k)

    def _votes(self, neighbors: Neighbors) -> NDArray[np.int64]:
        train = self.recorder.train
        return neighbors.votes(train.labels, train.num_classes)
