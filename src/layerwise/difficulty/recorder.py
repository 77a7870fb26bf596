"""ProbeRecorder: activations of the training examples and of those to measure, in groups of taps that fit the limit.

One forward pass for each group, and one for all when the activations are kept in files. A tap that is over the limit
by itself is a group that goes by in shards.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from layerwise.arrays.votes import check_k
from layerwise.data.images import ImageData
from layerwise.difficulty.clock import Clock
from layerwise.difficulty.input_cache import InputCache
from layerwise.difficulty.projection import Projection
from layerwise.difficulty.recorded import Recorded
from layerwise.difficulty.settings import ProbeSettings
from layerwise.difficulty.shards import Room, Sharded
from layerwise.errors import DataError
from layerwise.progress import Progress, silent
from layerwise.recording import Activations, record
from layerwise.recording.groups import groups_of_taps, size_bytes
from layerwise.taps import Tap, Taps
from layerwise.taps.borrowing import Preprocess

IDENTITY_CHECK_ROWS = 1024


@dataclass(frozen=True)
class ProbeRecorder:
    """A network, the training examples of its probes, and the examples to measure.

    Attributes:
        model: the network in which the taps were found.
        taps: L places.
        train: B examples that the probes are built from.
        examples: N examples to measure.
        settings: k, and the limits.
        own_rows: shape (N,); an example's row in `train`, or -1 where it is not in it.
        preprocessing: what the network expects to be done to pixels in [0, 1].
        progress: is shown the batches and the taps.
        clock: where the time went.
    """

    model: nn.Module
    taps: Taps
    train: ImageData
    examples: ImageData
    settings: ProbeSettings
    own_rows: NDArray[np.int64]
    preprocessing: Preprocess | None = None
    progress: Progress = silent
    clock: Clock = field(default_factory=Clock)

    @classmethod
    def create(
        cls,
        model: nn.Module,
        taps: Taps,
        train: ImageData,
        examples: ImageData,
        settings: ProbeSettings,
        *,
        preprocessing: Preprocess | None = None,
        progress: Progress = silent,
    ) -> ProbeRecorder:
        """Check what is given, and find out which examples are training examples.

        Raises:
            NotEnoughExamplesError: k or fewer training examples.
            DataError: an id stands for one image in `train` and for another in `examples`.
        """
        check_k(settings.k, len(train))
        return cls(model, taps, train, examples, settings, rows_in(train, examples), preprocessing, progress)

    @property
    def input_cache(self) -> InputCache:
        """Where the neighbours of the raw images may be known already."""
        # What is kept there is exact.
        folder = self.settings.cache if self.projection is None else None
        return InputCache(None if folder is None else Path(folder), self.train, self.examples, self.settings.k)

    @property
    def projection(self) -> Projection | None:
        """What is done to wide activations; None where all is exact."""
        if self.settings.fast is None:
            return None
        projection = Projection(self.settings.fast)
        return projection if any(projection.changes(tap) for tap in self.taps) else None

    @property
    def everyone(self) -> NDArray[np.bool_]:
        """A mask of all examples, shape (N,)."""
        return np.ones(len(self.examples), dtype=np.bool_)

    def groups(self, taps: Sequence[Tap]) -> list[list[Tap]]:
        """Taps, in the order given, that are recorded together; with `keep` all at once, though none is asked for.

        Raises:
            ActivationsTooLargeError: of one tap not even a shard fits the limit.
        """
        if self.settings.keep is not None:
            return [list(taps)]
        settings, room = self.settings, self._room
        return groups_of_taps(
            taps, room.train + room.unseen, settings.limit_bytes, width=settings.fast, at_least=room.least
        )

    def shown(self, group: Sequence[Tap], what: str) -> Iterator[Tap]:
        """A group's taps with a bar; one that goes by in shards has a bar of its own."""
        progress = silent if self._is_in_shards(group) else self.progress
        return progress(group, total=len(group), what=what)

    def record(self, group: Sequence[Tap], wanted: NDArray[np.bool_], *, logits: bool) -> Recorded | Sharded:
        """One forward pass: the training examples, and those wanted (N,) of the others.

        A tap that is over the limit is not recorded before it is asked. Without logits the pass ends at the last tap.

        Raises:
            NonFiniteError: NaN or infinity at a tap.
            ActivationsTooLargeError: the disk is too small, or one batch is over the limit.
        """
        return self._sharded(group[0]) if self._is_in_shards(group) else self._recorded(group, wanted, logits=logits)

    def _recorded(self, group: Sequence[Tap], wanted: NDArray[np.bool_], *, logits: bool) -> Recorded:
        base = self._activations(self.train, group, self.progress, name="base", logits=logits)
        unseen, rows = None, np.full(len(self.examples), -1)
        recorded = self._to_record(wanted)
        if len(recorded):
            images = self.examples.select(recorded)
            unseen = self._activations(images, group, self.progress, name="held-out", logits=logits)
            rows[recorded] = np.arange(len(recorded))
        return Recorded(base, unseen, self.own_rows, rows, self.device)

    def _sharded(self, tap: Tap) -> Sharded:
        return Sharded(
            record=lambda data: self._activations(data, [tap], silent, logits=False).flat(tap.name),
            logits=lambda: self._recorded([], self.everyone, logits=True).logits(),
            train=self.train,
            examples=self.examples,
            own_rows=self.own_rows,
            rows=int(self.settings.limit_bytes // size_bytes(tap, 1, width=self.settings.fast)),
            room=self._room,
            device=self.device,
            progress=self.progress,
        )

    @property
    def _room(self) -> Room:
        unseen = int((self.own_rows < 0).sum())
        # A size below 1 is refused when something is recorded.
        return Room(len(self.train), unseen, max(1, self.settings.batch_size), self.settings.k)

    def _is_in_shards(self, group: Sequence[Tap]) -> bool:
        """Whether the group is one tap that is over the limit."""
        if len(group) != 1 or self.settings.keep is not None:
            return False
        examples = self._room.train + self._room.unseen
        return size_bytes(group[0], examples, width=self.settings.fast) > self.settings.limit_bytes

    def _to_record(self, wanted: NDArray[np.bool_]) -> NDArray[np.int64]:
        """The examples that share a batch with one that is wanted.

        Whole batches, because a network may round otherwise in a batch of another size, and then vote otherwise.
        """
        unseen = np.flatnonzero(self.own_rows < 0)
        if self.settings.keep is not None:
            return unseen
        batches = np.arange(len(unseen)) // self.settings.batch_size
        return unseen[np.isin(batches, batches[wanted[unseen]])]

    def _activations(
        self, data: ImageData, group: Sequence[Tap], progress: Progress, *, name: str = "", logits: bool
    ) -> Activations:
        settings = self.settings
        with self.clock.recording():
            return record(
                self.model,
                data,
                self.taps,
                only=None if settings.keep is not None else [tap.name for tap in group],
                logits=logits or settings.keep is not None,
                preprocessing=self.preprocessing,
                batch_size=settings.batch_size,
                reduce=self.projection,
                limit_bytes=settings.limit_bytes,
                keep=None if settings.keep is None else Path(settings.keep) / name,
                device=settings.device,
                progress=progress,
            )

    @property
    def device(self) -> torch.device:
        """Where to search."""
        chosen = self.settings.device or next((p.device for p in self.model.parameters()), "cpu")
        # The search needs float64, which Apple's mps has not.
        return torch.device(chosen if torch.device(chosen).type == "cuda" else "cpu")


def rows_in(train: ImageData, examples: ImageData) -> NDArray[np.int64]:
    """For each example its row in the training set, or -1: shape (N,).

    Raises:
        DataError: the same id, but another image: then nobody can say whether it is the same example.
    """
    id_to_row = {example_id: row for row, example_id in enumerate(train.ids.tolist())}
    rows = np.array([id_to_row.get(example_id, -1) for example_id in examples.ids.tolist()], dtype=np.int64)
    shared = np.flatnonzero(rows >= 0)
    for start in range(0, len(shared), IDENTITY_CHECK_ROWS):
        part = shared[start : start + IDENTITY_CHECK_ROWS]
        same = np.array_equal(examples.images[part], train.images[rows[part]])
        if not same:
            raise DataError(
                f'some ids, such as "{examples.ids[part[0]]}", name one image among the training examples and another '
                "among those to measure.\n    Give every example an id of its own: ImageData.create(..., ids=...)."
            )
    return rows
