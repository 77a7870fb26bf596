"""What speaks against a label: the neighbours of the most suspect examples at every tap, and where they were lost."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from layerwise.difficulty.labels.errors import LabelErrors
from layerwise.difficulty.result import Difficulty
from layerwise.errors import InputError

__all__ = ["Evidence", "gather_evidence"]


@dataclass(frozen=True, eq=False)
class Evidence:
    """The neighbours of the M most suspect examples at L taps.

    Attributes:
        errors: the suspicions.
        rows: shape (M,), rows of the training set, the most suspect first.
        tap_names: L names in order of execution.
        for_label: shape (M, L), the share of the k neighbours that have the example's own label.
        for_suggested: shape (M, L), the share that have the suggested class.
        neighbors: shape (M, L, k), rows of the training set, nearest first.
    """

    errors: LabelErrors
    rows: NDArray[np.int64]
    tap_names: tuple[str, ...]
    for_label: NDArray[np.float64]
    for_suggested: NDArray[np.float64]
    neighbors: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def lost_at(self) -> NDArray[np.int64]:
        """The tap where most neighbours speak for the suggested class instead of the label, the first of equals."""
        lost: NDArray[np.int64] = (self.for_suggested - self.for_label).argmax(axis=1)
        return lost

    def table(self) -> pd.DataFrame:
        """A row for each of the M examples: id, lost_at, lost_at_tap; for_suggested and for_label there (shares)."""
        lost, at = self.lost_at, np.arange(len(self))
        return pd.DataFrame(
            {
                "id": self.errors.ids[self.rows],
                "lost_at": lost,
                "lost_at_tap": np.array(self.tap_names, dtype=object)[lost],
                "for_suggested": self.for_suggested[at, lost],
                "for_label": self.for_label[at, lost],
            }
        )


def gather_evidence(errors: LabelErrors, measured: Difficulty) -> Evidence:
    """The neighbours of suspect examples, from a measurement of them against the whole training set.

    Args:
        errors: of all training examples.
        measured: of the suspect ones, which are left out of their own vote.

    Raises:
        InputError: the measurement has examples that are not among the errors.
    """
    id_to_row = {name: row for row, name in enumerate(errors.ids.tolist())}
    unknown = [name for name in measured.ids.tolist() if name not in id_to_row]
    if unknown:
        raise InputError(
            f"{len(unknown)} of the examples measured, such as {unknown[0]}, are not among those that were trained on."
        )
    rows = np.array([id_to_row[name] for name in measured.ids.tolist()], dtype=np.int64)
    first = np.argsort(-errors.suspicion[rows], kind="stable")
    rows, neighbors = rows[first], measured.neighbors[first]
    classes = measured.base_labels[neighbors]  # (M, L, k)
    return Evidence(
        errors=errors,
        rows=rows,
        tap_names=tuple(tap.name for tap in measured.taps),
        for_label=(classes == errors.labels[rows, None, None]).mean(axis=2),
        for_suggested=(classes == errors.suggested[rows, None, None]).mean(axis=2),
        neighbors=neighbors,
    )
