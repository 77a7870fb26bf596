"""RecordedExits: the logits of all exits for a data set, on which any policy can be tried without running anything."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from layerwise.arrays.policies import ExitPolicy
from layerwise.data.images import ImageData
from layerwise.errors import InputError
from layerwise.exits.costs import ExitCosts, count_exit_macs
from layerwise.exits.network import ExitNetwork
from layerwise.progress import Progress, silent
from layerwise.seeds import stream

__all__ = ["RecordedExits", "record_exits", "split_recorded"]


@dataclass(frozen=True, eq=False)
class RecordedExits:
    """What all exits of a network say about labelled images.

    Attributes:
        logits: shape (E + 1, N, K).
        labels: shape (N,).
        ids: shape (N,).
        split: of the images.
        names: of the exits, E + 1 of them.
        costs: MACs by exit.
    """

    logits: NDArray[np.float32]
    labels: NDArray[np.int64]
    ids: NDArray[np.str_]
    split: str
    names: tuple[str, ...]
    costs: ExitCosts

    def __len__(self) -> int:
        return len(self.labels)

    @cached_property
    def predictions(self) -> NDArray[np.int64]:
        """The class that each exit gives each example, (E + 1, N)."""
        found: NDArray[np.int64] = self.logits.argmax(axis=2)
        return found

    @property
    def plain_right(self) -> NDArray[np.bool_]:
        """Whether the network without exits is right, (N,)."""
        right: NDArray[np.bool_] = self.predictions[-1] == self.labels
        return right

    def confidence(self, policy: ExitPolicy) -> NDArray[np.float64]:
        """A policy's scores at each exit but the last, (E, N), turned so that those leave who are above a threshold."""
        sign = 1.0 if policy.leaves_above else -1.0
        scores = [sign * policy.scores(self.logits[: index + 1]) for index in range(len(self.names) - 1)]
        return np.stack(scores)

    def right(self, policy: ExitPolicy) -> NDArray[np.bool_]:
        """Whether a policy's answer is right, had an example left at each exit: (E + 1, N)."""
        answers = [policy.answer(self.logits[: index + 1]).argmax(axis=1) for index in range(len(self.names))]
        found: NDArray[np.bool_] = np.stack(answers) == self.labels
        return found

    def select(self, rows: NDArray[np.integer] | NDArray[np.bool_]) -> RecordedExits:
        """The examples of these rows."""
        return RecordedExits(
            self.logits[:, rows], self.labels[rows], self.ids[rows], self.split, self.names, self.costs
        )


def record_exits(
    net: ExitNetwork, data: ImageData, *, batch_size: int = 256, progress: Progress = silent
) -> RecordedExits:
    """Run all exits on all images of one split.

    Raises:
        InputError: the data holds several splits; and what `ExitNetwork.all_logits` raises.
    """
    if len(data.split_names) != 1:
        raise InputError(
            f"exits are recorded on one split; got {' and '.join(data.split_names)}.\n    Give data.test, for example."
        )
    logits = net.all_logits(data, batch_size=batch_size, progress=progress)
    (split,) = data.split_names
    return RecordedExits(logits, data.labels, data.ids, split, net.names, count_exit_macs(net))


def split_recorded(recorded: RecordedExits, share: float, *, seed: int) -> tuple[RecordedExits, RecordedExits]:
    """Two parts of the examples, drawn at random: a share to choose thresholds on, and the others to report.

    Raises:
        InputError: the share is not between 0 and 1, or leaves one part empty.
    """
    count = round(share * len(recorded)) if 0 < share < 1 else 0
    if not 0 < count < len(recorded):
        raise InputError(
            f"{len(recorded)} images cannot be parted by {share}: a share between 0 and 1, such as 0.5, is needed that "
            "leaves no part empty."
        )
    order = stream(seed, "exits", "calibration").permutation(len(recorded))
    return recorded.select(np.sort(order[:count])), recorded.select(np.sort(order[count:]))
