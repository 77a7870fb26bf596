"""The k nearest training examples of every example at every tap, within a memory limit, resumable tap by tap.

What a tap's search found is written down before the next begins.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from layerwise.difficulty.clock import Clock
from layerwise.difficulty.found import FoundSoFar
from layerwise.difficulty.recorded import Question, Recorded
from layerwise.difficulty.recorder import ProbeRecorder
from layerwise.difficulty.shards import Sharded
from layerwise.neighbors.search import find_neighbors
from layerwise.taps import INPUT, Tap


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


def probe(recorder: ProbeRecorder, *, found: FoundSoFar | None = None) -> Probed:
    """Find the k nearest training examples of every example at every tap; no example is its own neighbour.

    Args:
        recorder: gives the activations.
        found: taps that an earlier, interrupted call finished; each new one is added.

    Raises:
        ActivationsTooLargeError: of one tap not even a shard fits the limit.
        NonFiniteError: NaN or infinity at a tap.
    """
    return _Probes(recorder, FoundSoFar(None) if found is None else found).run()


@dataclass(frozen=True)
class _Probes:
    recorder: ProbeRecorder
    found: FoundSoFar

    def run(self) -> Probed:
        recorder = self.recorder
        input_neighbors = recorder.input_cache.read()
        known = {} if input_neighbors is None else {INPUT: input_neighbors}
        to_search = [tap for tap in recorder.taps if tap.name not in known and not self.found.has(tap)]
        # The last group's pass goes through the whole network and gives the logits; then no other has to.
        for group in reversed(recorder.groups(to_search)):
            # No name holds a group while the next is recorded.
            self._search_all(group, recorder.record(group, recorder.everyone, logits=not self.found.has_logits))
        by_tap = [known[tap.name] if tap.name in known else self.found.result(tap) for tap in recorder.taps]
        return Probed(np.stack(by_tap, axis=1), self.found.logits(), recorder.clock)

    def _search_all(self, group: Sequence[Tap], recorded: Recorded | Sharded) -> None:
        recorder = self.recorder
        if not self.found.has_logits:
            self.found.keep_logits(recorded.logits())
        question = Question(self._search, lambda found: found.rows)
        for tap in recorder.shown(group, "Searching neighbours"):
            with recorder.clock.searching(tap):
                neighbors = recorded.answers(tap, recorder.everyone, question).astype(np.int32)
                self.found.keep(tap, neighbors)
            if tap.name == INPUT:
                recorder.input_cache.write(neighbors)

    def _search(self, queries: Tensor, base: Tensor, own_rows: NDArray[np.int64] | None) -> NDArray[np.int64]:
        return find_neighbors(queries, base, self.recorder.settings.k, own_rows=own_rows).rows
