"""The depth of every example without the whole table of votes: who disagrees once is not asked again.

An example's depth is the first tap from which on every probe agrees with its reference class. So taps are asked from
the last to the first, and an example drops out where it disagrees for the first time: earlier votes cannot change its
depth. The early taps, which are the widest, are asked about few examples, or are not even recorded.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from layerwise.arrays.depth import Reference, prediction_depth, reference_classes
from layerwise.arrays.votes import vote
from layerwise.difficulty.clock import Clock
from layerwise.difficulty.found import FoundSoFar
from layerwise.difficulty.recorded import Question, Recorded
from layerwise.difficulty.recorder import ProbeRecorder
from layerwise.difficulty.shards import Sharded
from layerwise.neighbors.voting import find_votes
from layerwise.taps import INPUT, Tap

NOT_ASKED = -1


@dataclass(frozen=True)
class LazilyProbed:
    """What the probes were asked, and what follows from it.

    Attributes:
        depth: shape (N,), 0 to L; L is unresolved.
        reference: shape (N,), the class with which the probes were compared.
        asked: shape (L,), about how many examples each tap was asked.
        logits: shape (N, K), the network's own.
        clock: where the time went.
    """

    depth: NDArray[np.int64]
    reference: NDArray[np.int64]
    asked: NDArray[np.int64]
    logits: NDArray[np.float32]
    clock: Clock


def probe_lazily(
    recorder: ProbeRecorder, *, agree_with: Reference = "prediction", found: FoundSoFar | None = None
) -> LazilyProbed:
    """Find the prediction depth of every example: that of `probe`'s votes, from fewer of them.

    Args:
        recorder: gives the activations.
        agree_with: the reference class.
        found: taps that an earlier, interrupted call finished; each new one is added.

    Raises:
        ActivationsTooLargeError: of one tap not even a shard fits the limit.
        NonFiniteError: NaN or infinity at a tap.
        InputError: there is no such reference.
    """
    return _LazyProbes(recorder, agree_with, FoundSoFar(None) if found is None else found).run()


@dataclass(frozen=True)
class _LazyProbes:
    recorder: ProbeRecorder
    agree_with: Reference
    found: FoundSoFar  # of each tap that was asked the votes (N,), NOT_ASKED for examples that had dropped out

    def run(self) -> LazilyProbed:
        known = self.recorder.input_cache.read()
        open_taps = [tap for tap in reversed(self.recorder.taps.taps) if not self.found.has(tap)]
        to_record = [tap for tap in open_taps if tap.name != INPUT or known is None]
        for group in self.recorder.groups(to_record):
            left = self._left(group[0]) if group else ~self.recorder.everyone
            if not left.any() and self.recorder.settings.keep is None:
                break
            # No name holds a group while the next is recorded.
            self._ask_all(group, self.recorder.record(group, left, logits=not self.found.has_logits))
        if known is not None:
            self._look_up(known)
        return self._result()

    def _ask_all(self, group: Sequence[Tap], recorded: Recorded | Sharded) -> None:
        recorder, train = self.recorder, self.recorder.train
        if not self.found.has_logits:
            self.found.keep_logits(recorded.logits())
        question = Question(self._votes, lambda found: found.votes(train.labels, train.num_classes))
        for tap in recorder.shown(group, "Asking probes"):
            left = self._left(tap)
            if left.any():
                with recorder.clock.searching(tap):
                    self._keep(tap, left, recorded.answers(tap, left, question))

    def _votes(self, queries: Tensor, base: Tensor, own_rows: NDArray[np.int64] | None) -> NDArray[np.int64]:
        train, k = self.recorder.train, self.recorder.settings.k
        return find_votes(queries, base, train.labels, k, num_classes=train.num_classes, own_rows=own_rows)

    def _look_up(self, neighbors: NDArray[np.int32]) -> None:
        """Ask the first tap, whose neighbours (N, k) are known."""
        tap, train = self.recorder.taps[INPUT], self.recorder.train
        left = self._left(tap)
        if left.any() and not self.found.has(tap):
            self._keep(tap, left, vote(train.labels[neighbors[left]], train.num_classes))

    def _keep(self, tap: Tap, asked: NDArray[np.bool_], votes: NDArray[np.int64]) -> None:
        everyones = np.full(len(asked), NOT_ASKED, dtype=np.int64)
        everyones[asked] = votes
        self.found.keep(tap, everyones)

    def _left(self, tap: Tap) -> NDArray[np.bool_]:
        """Who agrees at every later tap, shape (N,)."""
        taps = self.recorder.taps.taps
        later = taps[taps.index(tap) + 1 :]
        if not all(self.found.has(one) for one in later):  # nobody was left there
            return ~self.recorder.everyone
        left = self.recorder.everyone
        for one in later:
            left &= self.found.result(one) == self._reference()
        return left

    def _reference(self) -> NDArray[np.int64]:
        return reference_classes(
            self.agree_with,
            votes=self.found.result(self.recorder.taps.taps[-1])[:, None],
            predictions=self.found.logits().argmax(axis=1),
            labels=self.recorder.examples.labels,
        )

    def _result(self) -> LazilyProbed:
        nobody = np.full(len(self.recorder.examples), NOT_ASKED)
        by_tap = [self.found.result(tap) if self.found.has(tap) else nobody for tap in self.recorder.taps]
        votes, reference = np.stack(by_tap), self._reference()  # (L, N), (N,)
        asked = (votes != NOT_ASKED).sum(axis=1)
        depth = prediction_depth(votes == reference)
        return LazilyProbed(depth, reference, asked, self.found.logits(), self.recorder.clock)
