"""RecordedExits: the logits of all exits for a data set, on which any policy can be tried without running anything."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from layerwise.arrays.policies import ExitPolicy
from layerwise.data.images import ImageData
from layerwise.errors import DataError, InputError, NonFiniteError, NotEnoughExamplesError, ShapeError
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

    Raises:
        NotEnoughExamplesError: there is no example.
        ShapeError: the arrays do not belong together.
        DataError: labels outside 0 to K - 1, or two examples with one id.
        NonFiniteError: NaN or infinity among the logits.
    """

    logits: NDArray[np.float32]
    labels: NDArray[np.int64]
    ids: NDArray[np.str_]
    split: str
    names: tuple[str, ...]
    costs: ExitCosts

    def __post_init__(self) -> None:
        exits, count = len(self.names), len(self.labels)
        shape = self.logits.shape
        if not count:
            raise NotEnoughExamplesError("exits are judged by examples; got none.")
        if shape[:2] != (exits, count) or len(shape) != 3 or not shape[2] or len(self.costs.network) != exits:
            raise ShapeError(f"logits of {exits} exits for {count} labels have the shape (E + 1, N, K); got {shape}.")
        if len(self.ids) != count or len(set(self.ids.tolist())) != count:
            raise DataError(f"{count} examples need ids of their own; got {len(set(self.ids.tolist()))}.")
        if self.labels.dtype.kind not in "iu" or not 0 <= self.labels.min() <= self.labels.max() < shape[2]:
            raise DataError(f"labels must be whole numbers from 0 to {shape[2] - 1}.")
        if self.logits.dtype.kind != "f" or not np.isfinite(self.logits).all():
            raise NonFiniteError("logits of exits hold NaN or infinity, or are no numbers.")

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
