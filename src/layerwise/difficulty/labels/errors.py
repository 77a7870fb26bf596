"""LabelErrors: every training example with how suspect its label is; find_label_errors makes it from dynamics."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from layerwise.difficulty.labels.suspicion import KINDS, kind_probabilities, most_likely, outvoted, suspicion
from layerwise.errors import DataError, ShapeError
from layerwise.training.dynamics import Dynamics

__all__ = ["LabelErrors", "find_label_errors"]


@dataclass(frozen=True, eq=False)
class LabelErrors:
    """How suspect each of N labels is.

    Attributes:
        ids: shape (N,).
        labels: shape (N,), as given.
        class_names: K names.
        suspicion: shape (N,), 0 to 1; high means that the label is wrong. It ranks: of how many labels in all are wrong
            it knows nothing.
        suggested: shape (N,), the class that the network gave instead through most of the training; the label itself
            where no other class was ever likely.
        kinds: shape (N, 3), how well each example fits "fine", "mislabelled" and "ambiguous"; rows sum to 1.
        outvoted: shape (N,), whether the network gave another class more than the label, on the mean over epochs.
    """

    ids: NDArray[np.str_]
    labels: NDArray[np.int64]
    class_names: tuple[str, ...]
    suspicion: NDArray[np.float64]
    suggested: NDArray[np.int64]
    kinds: NDArray[np.float64]
    outvoted: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.labels)

    @cached_property
    def order(self) -> NDArray[np.int64]:
        """Rows, the most suspect first; among equals in the order of the training set: shape (N,)."""
        rows: NDArray[np.int64] = np.argsort(-self.suspicion, kind="stable")
        return rows

    @property
    def kind(self) -> NDArray[np.str_]:
        """What each example most likely is: "fine", "mislabelled" or "ambiguous", shape (N,).

        Nine in ten are expected to be fine. One that was not outvoted is at most ambiguous.
        """
        return most_likely(self.kinds, self.outvoted)

    def table(self) -> pd.DataFrame:
        """A row for each example, the most suspect first: rank (from 1), id, label, label_name, suggested,
        suggested_name, suspicion, kind, outvoted, and fine, mislabelled, ambiguous (how well it fits each kind).
        """
        names = np.array(self.class_names, dtype=object)
        table = pd.DataFrame(
            {
                "id": self.ids,
                "label": self.labels,
                "label_name": names[self.labels],
                "suggested": self.suggested,
                "suggested_name": names[self.suggested],
                "suspicion": self.suspicion,
                "kind": self.kind,
                "outvoted": self.outvoted,
                **dict(zip(KINDS, self.kinds.T, strict=True)),
            }
        ).iloc[self.order]
        table.insert(0, "rank", np.arange(1, len(table) + 1))
        return table.reset_index(drop=True)


def find_label_errors(
    dynamics: Dynamics, *, ids: Sequence[str] | NDArray[np.str_], class_names: Sequence[str]
) -> LabelErrors:
    """Rank labels by how likely they are wrong, from what one ordinary training noted.

    Args:
        dynamics: of the training; see `DynamicsLog`.
        ids: shape (N,), of the training examples, in the order of the log.
        class_names: K names, in the order of the logits.

    Raises:
        ShapeError: not as many ids as examples.
        DataError: a class without a name, or an id that comes twice.
        InputError: a log without the scores that are needed.
        NonFiniteError: scores that are NaN or infinite.

    Cost: free with training. Source: `layerwise.difficulty.labels.suspicion`.

    Example::

        log = lw.DynamicsLog(len(data.train), data.num_classes)
        lw.train(model, data, log=log)
        errors = lw.find_label_errors(log.result(), ids=data.train.ids, class_names=data.class_names)
        errors.table().head(20)
    """
    if len(ids) != len(dynamics):
        raise ShapeError(f"ids need shape ({len(dynamics)},), one for each example of the log; got {len(ids)}.")
    if len(set(np.asarray(ids, dtype=np.str_).tolist())) < len(ids):
        raise DataError("some ids come twice.\n    Give each example an id of its own.")
    highest = max(dynamics.labels.max(), dynamics.rivals.max())
    if highest >= len(class_names):
        raise DataError(
            f"class {highest} of the log has no name: {len(class_names)} class names were given.\n"
            "    Give the names of all classes, in the order of the logits."
        )
    return LabelErrors(
        ids=np.asarray(ids, dtype=np.str_),
        labels=dynamics.labels,
        class_names=tuple(class_names),
        suspicion=suspicion(dynamics.scores),
        suggested=np.where(dynamics.rivals >= 0, dynamics.rivals, dynamics.labels),
        kinds=kind_probabilities(dynamics.scores),
        outvoted=outvoted(dynamics.scores),
    )
