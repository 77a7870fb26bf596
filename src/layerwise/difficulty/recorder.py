"""ProbeRecorder: activations of the training examples and of those to measure, in groups of taps that fit the limit.

One forward pass for each group, and one for all when the activations are kept in files.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from layerwise.arrays.votes import check_k
from layerwise.data.images import ImageData
from layerwise.difficulty.input_cache import InputCache
from layerwise.difficulty.projection import Projection
from layerwise.difficulty.settings import ProbeSettings
from layerwise.errors import ActivationsTooLargeError, DataError, NonFiniteError
from layerwise.progress import Progress, silent
from layerwise.recording import Activations, record
from layerwise.recording.sizes import in_units
from layerwise.taps import Tap, Taps
from layerwise.taps.borrowing import Preprocess

BYTES_PER_NUMBER = 4
IDENTITY_CHECK_ROWS = 1024
COPY_BYTES = 1 << 30
"""Some queries of many are copied in parts of this size: nobody's limit has room for a second copy of all."""

Search = Callable[[Tensor, Tensor, NDArray[np.int64] | None], NDArray[Any]]
"""From queries (Q, D), base (B, D) and the queries' own rows (Q,) or None, to answers (Q, …)."""


@dataclass
class Clock:
    """Seconds by step and tap, as they were spent."""

    recording_s: float = 0.0
    tap_to_search_s: dict[str, float] = field(default_factory=dict)


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
        return InputCache(folder, self.train, self.examples, self.settings.k)

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
            ActivationsTooLargeError: one tap alone is over the limit.
        """
        if self.settings.keep is not None:
            return [list(taps)]
        unseen = int((self.own_rows < 0).sum())
        examples, limit_bytes = len(self.train) + unseen, self.settings.limit_bytes
        return groups_of_taps(taps, examples, limit_bytes, width=self.settings.fast)

    def record(self, group: Sequence[Tap], wanted: NDArray[np.bool_]) -> Recorded:
        """One forward pass: the training examples, and those wanted (N,) of the others.

        Raises:
            NonFiniteError: NaN or infinity at a tap.
            ActivationsTooLargeError: the disk is too small, or one batch is over the limit.
        """
        started = time.perf_counter()
        base = self._activations(self.train, group, "base")
        unseen, rows = None, np.full(len(self.examples), -1)
        recorded = self._to_record(wanted)
        if len(recorded):
            unseen = self._activations(self.examples.select(recorded), group, "held-out")
            rows[recorded] = np.arange(len(recorded))
        self.clock.recording_s += time.perf_counter() - started
        return Recorded(base, unseen, self.own_rows, rows, self.device)

    def _to_record(self, wanted: NDArray[np.bool_]) -> NDArray[np.int64]:
        """The examples that share a batch with one that is wanted.

        Whole batches, because a network may round otherwise in a batch of another size, and then vote otherwise.
        """
        unseen = np.flatnonzero(self.own_rows < 0)
        if self.settings.keep is not None:
            return unseen
        batches = np.arange(len(unseen)) // self.settings.batch_size
        return unseen[np.isin(batches, batches[wanted[unseen]])]

    def _activations(self, data: ImageData, group: Sequence[Tap], name: str) -> Activations:
        settings = self.settings
        return record(
            self.model,
            data,
            self.taps,
            only=None if settings.keep is not None else [tap.name for tap in group],
            preprocessing=self.preprocessing,
            batch_size=settings.batch_size,
            reduce=self.projection,
            limit_bytes=settings.limit_bytes,
            keep=settings.keep / name if settings.keep is not None else None,
            device=settings.device,
            progress=self.progress,
        )

    @property
    def device(self) -> torch.device:
        """Where to search."""
        chosen = self.settings.device or next((p.device for p in self.model.parameters()), "cpu")
        # The search needs float64, which Apple's mps has not.
        return torch.device(chosen if torch.device(chosen).type == "cuda" else "cpu")


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

    def answers(self, tap: Tap, asked: NDArray[np.bool_], search: Search) -> NDArray[Any]:
        """What a search says at one tap of those asked (N,), in their order.

        Raises:
            NonFiniteError: NaN or infinity at this tap.
        """
        base = self._tensor(self.base, tap)
        unseen, own = (np.flatnonzero(asked & mask) for mask in (self.own_rows < 0, self.own_rows >= 0))
        found = []
        try:
            if self.unseen is not None and len(unseen):
                queries = self._tensor(self.unseen, tap)
                found += [search(part, base, None) for part, _ in _parts(queries, self.unseen_rows[unseen])]
            found += [search(part, base, rows) for part, rows in _parts(base, self.own_rows[own])]
        except NonFiniteError as error:
            raise NonFiniteError(f'at tap "{tap.name}": {error}') from error
        answers: NDArray[Any] = np.concatenate(found)[np.argsort(np.concatenate([unseen, own]))]
        return answers

    def _tensor(self, activations: Activations, tap: Tap) -> Tensor:
        return torch.from_numpy(np.asarray(activations.flat(tap.name))).to(self.device)


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


def groups_of_taps(
    taps: Sequence[Tap], examples: int, limit_bytes: float, *, width: int | None = None
) -> list[list[Tap]]:
    """Taps that follow one another, and whose activations fit the limit together.

    Args:
        taps: in the order in which they are wanted.
        examples: how many will be recorded.
        limit_bytes: the most memory for one group.
        width: wider taps are projected to so many numbers.

    Raises:
        ActivationsTooLargeError: one tap alone is over the limit.
    """
    groups: list[list[Tap]] = []
    room = 0.0
    for tap in taps:
        shape = tap.shape if width is None or tap.features <= width else (width,)
        size = BYTES_PER_NUMBER * math.prod(shape) * examples
        if size > limit_bytes:
            raise ActivationsTooLargeError(
                f'tap "{tap.name}" needs {in_units(size)} ({examples} × {" × ".join(map(str, shape))} float32), '
                f"over the limit of {in_units(limit_bytes)}.\n    Leave it out with a list of taps, measure fewer "
                "examples, keep activations in files (--keep-activations), or raise the limit (--limit-gb)."
            )
        if not groups or size > room:
            groups.append([])
            room = limit_bytes
        groups[-1].append(tap)
        room -= size
    return groups


def _parts(values: Tensor, rows: NDArray[np.int64]) -> Iterator[tuple[Tensor, NDArray[np.int64]]]:
    """Rows of values (B, D), with their numbers; all of them in order are the values themselves."""
    if len(rows) == len(values) and np.array_equal(rows, np.arange(len(rows))):
        yield values, rows
        return
    at_once = max(1, COPY_BYTES // (values.element_size() * values.shape[1]))
    for start in range(0, len(rows), at_once):
        part = rows[start : start + at_once]
        yield values[torch.from_numpy(part).to(values.device)], part
