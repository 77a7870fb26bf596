"""The k nearest training examples of every example at every tap, within a memory limit, resumable tap by tap.

Taps are recorded in groups that fit the limit: one forward pass for each group, and all for one when the activations
are kept in files. What a tap's search found is written down before the next begins.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from layerwise.arrays.votes import check_k
from layerwise.data.images import ImageData
from layerwise.difficulty.found import FoundSoFar
from layerwise.errors import ActivationsTooLargeError, DataError, NonFiniteError
from layerwise.neighbors.search import find_neighbors
from layerwise.progress import Progress, silent
from layerwise.recording import Activations, record
from layerwise.recording.sizes import in_units
from layerwise.taps import SOFTMAX, Tap, Taps
from layerwise.taps.borrowing import Preprocess

BYTES_PER_NUMBER = 4
IDENTITY_CHECK_ROWS = 1024


@dataclass(frozen=True)
class ProbeSettings:
    """How the probes are built.

    Attributes:
        k: neighbours in a vote.
        batch_size: images in one forward pass.
        limit_bytes: the most memory for recorded activations.
        keep: a folder for the activations, which are otherwise dropped after use.
        device: where to compute; by default where the model is.
    """

    k: int = 30
    batch_size: int = 256
    limit_bytes: float = 4e9
    keep: Path | None = None
    device: str | None = None


@dataclass
class Clock:
    """Seconds by step and tap, as they were spent."""

    recording_s: float = 0.0
    tap_to_search_s: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Probed:
    """What the probes found.

    Attributes:
        neighbors: shape (N, L, k), rows of the training set, nearest first.
        logits: shape (N, K), the network's own.
        clock: where the time went.
    """

    neighbors: NDArray[np.int32]
    logits: NDArray[np.float32]
    clock: Clock


def probe(
    model: nn.Module,
    taps: Taps,
    train: ImageData,
    examples: ImageData,
    settings: ProbeSettings,
    *,
    preprocessing: Preprocess | None = None,
    found: FoundSoFar | None = None,
    progress: Progress = silent,
) -> Probed:
    """Find the k nearest training examples of every example at every tap; no example is its own neighbour.

    Args:
        model: the network in which the taps were found.
        taps: L places.
        train: the examples that the probes are built from.
        examples: N examples to measure; those whose id is among `train`'s are left out of their own vote.
        settings: k, and the limits.
        preprocessing: what the network expects to be done to pixels in [0, 1].
        found: taps that an earlier, interrupted call finished; each new one is added.
        progress: is shown the batches and the taps.

    Raises:
        NotEnoughExamplesError: k or fewer training examples.
        ActivationsTooLargeError: one tap alone is over the limit.
        DataError: an id stands for one image in `train` and for another in `examples`.
        NonFiniteError: NaN or infinity at a tap.
    """
    check_k(settings.k, len(train))
    own_rows = rows_in(train, examples)
    found = FoundSoFar(None) if found is None else found
    return _Probes(model, taps, train, examples, own_rows, settings, preprocessing, found, progress).run()


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


def groups_of_taps(taps: Sequence[Tap], examples: int, limit_bytes: float) -> list[list[Tap]]:
    """Consecutive taps whose activations fit the limit together.

    Args:
        taps: in order of execution.
        examples: how many will be recorded.
        limit_bytes: the most memory for one group.

    Raises:
        ActivationsTooLargeError: one tap alone is over the limit.
    """
    groups: list[list[Tap]] = []
    room = 0.0
    for tap in taps:
        size = BYTES_PER_NUMBER * tap.features * examples
        if size > limit_bytes:
            raise ActivationsTooLargeError(
                f'tap "{tap.name}" needs {in_units(size)} ({examples} × {" × ".join(map(str, tap.shape))} float32), '
                f"over the limit of {in_units(limit_bytes)}.\n    Leave it out with a list of taps, measure fewer "
                "examples, keep activations in files (--keep-activations), or raise the limit (--limit-gb)."
            )
        if not groups or size > room:
            groups.append([])
            room = limit_bytes
        groups[-1].append(tap)
        room -= size
    return groups


@dataclass(frozen=True)
class _Probes:
    model: nn.Module
    taps: Taps
    train: ImageData
    examples: ImageData
    own_rows: NDArray[np.int64]  # (N,), -1 for examples that are not in the training set
    settings: ProbeSettings
    preprocessing: Preprocess | None
    found: FoundSoFar
    progress: Progress
    clock: Clock = field(default_factory=Clock)

    def run(self) -> Probed:
        open_taps = [tap for tap in self.taps if not self.found.has(tap)]
        for group in self._groups(open_taps):
            base, unseen = self._record(group)
            self.found.keep_logits(self._logits(base, unseen))
            missing = [tap for tap in group if not self.found.has(tap)]
            for tap in self.progress(missing, total=len(missing), what="Searching neighbours"):
                started = time.perf_counter()
                self.found.keep(tap, self._search(tap, base, unseen))
                self.clock.tap_to_search_s[tap.name] = time.perf_counter() - started
        neighbors = np.stack([self.found.neighbors(tap) for tap in self.taps], axis=1)  # (N, L, k)
        return Probed(neighbors, self.found.logits(), self.clock)

    @property
    def _new(self) -> NDArray[np.bool_]:
        return self.own_rows < 0

    def _groups(self, taps: list[Tap]) -> list[list[Tap]]:
        if self.settings.keep is not None:
            return [list(self.taps)]
        if not taps:
            return []
        return groups_of_taps(taps, len(self.train) + int(self._new.sum()), self.settings.limit_bytes)

    def _record(self, group: list[Tap]) -> tuple[Activations, Activations | None]:
        started = time.perf_counter()
        base = self._activations(self.train, group, "base")
        unseen = self._activations(self.examples.select(self._new), group, "held-out") if self._new.any() else None
        self.clock.recording_s += time.perf_counter() - started
        return base, unseen

    def _activations(self, data: ImageData, group: list[Tap], name: str) -> Activations:
        settings = self.settings
        return record(
            self.model,
            data,
            self.taps,
            only=[tap.name for tap in group],
            preprocessing=self.preprocessing,
            batch_size=settings.batch_size,
            limit_bytes=settings.limit_bytes,
            keep=settings.keep / name if settings.keep is not None else None,
            device=settings.device,
            progress=self.progress,
        )

    def _search(self, tap: Tap, base: Activations, unseen: Activations | None) -> NDArray[np.int32]:
        """The rows (N, k) of the nearest training examples at one tap."""
        k = self.settings.k
        base_values = self._tensor(base, tap)
        rows = np.empty((len(self.examples), k), dtype=np.int32)
        own = self.own_rows[~self._new]
        try:
            if unseen is not None:
                rows[self._new] = find_neighbors(self._tensor(unseen, tap), base_values, k).rows
            if len(own):
                in_order = np.array_equal(own, np.arange(len(base_values)))
                queries = base_values if in_order else base_values[torch.from_numpy(own)]
                rows[~self._new] = find_neighbors(queries, base_values, k, own_rows=own).rows
        except NonFiniteError as error:
            raise NonFiniteError(f'at tap "{tap.name}": {error}') from error
        return rows

    def _tensor(self, activations: Activations, tap: Tap) -> torch.Tensor:
        values = torch.from_numpy(np.asarray(activations.flat(tap.name)))
        device = self.settings.device or next((p.device for p in self.model.parameters()), torch.device("cpu"))
        # The search needs float64, which Apple's mps has not.
        return values.to(device) if torch.device(device).type == "cuda" else values

    def _logits(self, base: Activations, unseen: Activations | None) -> NDArray[np.float32]:
        logits = np.empty((len(self.examples), self.taps[SOFTMAX].features), dtype=np.float32)
        logits[~self._new] = base.logits[self.own_rows[~self._new]]
        if unseen is not None:
            logits[self._new] = unseen.logits
        return logits
