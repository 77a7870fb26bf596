"""Dynamics: the scores that came with a training, a row for each example; saved, and read again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from layerwise.arrays.columns import Numbers, array_fault, column_faults
from layerwise.arrays.score_catalog import SCORES
from layerwise.errors import FileError, RunError, ShapeError
from layerwise.runs import read_array, read_table, write_all

__all__ = ["DYNAMICS_FILE", "Dynamics", "load_dynamics"]

BESIDE = ("id", "label", "rival", "rival_weight")
"""Columns that are no scores."""

NOTE_AGAIN = (
    "Write it again: the same layerwise train … --log-dynamics does so from the run's checkpoint.\n"
    "    Where that is gone, or the loop was your own, train again."
)

DYNAMICS_FILE, CURVES_FILE = "dynamics.parquet", "dynamics.npy"


@dataclass(frozen=True, eq=False)
class Dynamics:
    """What N examples went through in one training.

    Attributes:
        epochs: E, whole ones and one that was begun.
        labels: shape (N,), those trained on.
        scores: name to values (N,); what each means: `layerwise.arrays.score_catalog`.
        rivals: shape (N,), the class beside the label for which most probability spoke over the epochs; -1 for none. In
            each epoch the most likely other class speaks. It is found by a majority vote: the right one where a class
            has more than half of what was said, else one of those that spoke.
        rival_weights: shape (N,), what remains of its probabilities, summed over epochs, less those of the others.
        curves: shape (E, N), the label's probability in each epoch, NaN where an example did not come; None if they
            were not kept.
    """

    epochs: int
    labels: NDArray[np.int64]
    scores: Mapping[str, NDArray[np.float64]]
    rivals: NDArray[np.int64]
    rival_weights: NDArray[np.float64]
    curves: NDArray[np.float16] | None = None

    def __len__(self) -> int:
        return len(self.labels)

    def table(self, ids: Sequence[str] | NDArray[np.str_] | None = None) -> pd.DataFrame:
        """A row for each example: id if given, label, every score, rival and rival_weight.

        Raises:
            ShapeError: not as many ids as examples.
        """
        columns: dict[str, Any] = {} if ids is None else {"id": np.asarray(ids)}
        if ids is not None and len(ids) != len(self):
            raise ShapeError(f"ids need shape ({len(self)},), one for each example of the log; got {len(ids)}.")
        columns |= {"label": self.labels, **self.scores, "rival": self.rivals, "rival_weight": self.rival_weights}
        return pd.DataFrame(columns)

    def save(self, folder: Path | str, ids: Sequence[str] | NDArray[np.str_]) -> None:
        """Write `dynamics.parquet`, and `dynamics.npy` where curves were kept: both or neither.

        Args:
            folder: such as a run folder.
            ids: shape (N,), of the training examples, as the other tables have them.
        """
        table = self.table(ids)
        table.attrs = {"epochs": int(self.epochs)}
        write_all(Path(folder), {DYNAMICS_FILE: table, **({} if self.curves is None else {CURVES_FILE: self.curves})})
        if self.curves is None:
            (Path(folder) / CURVES_FILE).unlink(missing_ok=True)


def load_dynamics(folder: Path | str) -> tuple[NDArray[np.str_], Dynamics]:
    """Read ids and dynamics back.

    Raises:
        RunError: the folder holds none; says how to get them.
        FileError: a file is truncated or of another kind.
    """
    folder = Path(folder)
    if not (folder / DYNAMICS_FILE).is_file():
        raise RunError(
            f"{folder} holds no training dynamics.\n"
            "    Note them while training: layerwise train MODEL DATA -o RUN --log-dynamics\n"
            "    or in your own loop: log = lw.DynamicsLog(n, num_classes), log.update(ids, logits, labels), "
            "log.result().save(RUN, ids)."
        )
    try:
        table = read_table(folder / DYNAMICS_FILE)
        curves = read_array(folder / CURVES_FILE) if (folder / CURVES_FILE).is_file() else None
    except FileError as error:
        raise FileError(f"{error}\n    {NOTE_AGAIN}") from None
    epochs = table.attrs.get("epochs", 0 if curves is None else len(curves))
    faults = _table_faults(table) or _curve_faults(curves, epochs, len(table))
    if faults:
        raise FileError(f"{folder / DYNAMICS_FILE} is damaged: {'; '.join(faults)}.\n    {NOTE_AGAIN}")
    dynamics = Dynamics(
        epochs=epochs,
        labels=table["label"].to_numpy(np.int64),
        scores={str(name): table[name].to_numpy() for name in table.columns if name not in BESIDE},
        rivals=table["rival"].to_numpy(np.int64),
        rival_weights=table["rival_weight"].to_numpy(),
        curves=curves,
    )
    return table["id"].to_numpy(dtype=np.str_), dynamics


def _table_faults(table: pd.DataFrame) -> list[str]:
    """What dynamics.parquet holds that was not written there."""
    if "id" not in table or not len(table):
        return ["there is no column id" if "id" not in table else "there is no row"]
    twice = table["id"].astype(str).duplicated()
    scores = {name: Numbers() for name in table.columns if name in SCORES}
    labels = {"label": Numbers(0, whole=True), "rival": Numbers(-1, whole=True), "rival_weight": Numbers(0)}
    named = [f"{int(twice.sum())} ids come twice, such as {table['id'][twice].iloc[0]}"] if twice.any() else []
    return column_faults(table, labels | scores) + named


def _curve_faults(curves: NDArray[Any] | None, epochs: Any, count: int) -> list[str]:
    """Why the curves, or the number of epochs, are not those of the table."""
    if not isinstance(epochs, int) or isinstance(epochs, bool) or epochs < 0:
        return [f"its epochs are {epochs!r}; a whole number is expected"]
    if curves is None:
        return []
    if curves.ndim != 2 or curves.shape[1] != count:
        return [f"{CURVES_FILE} is {curves.shape}; (E, {count}) is expected"]
    fault = array_fault(curves, Numbers(0, 1, gaps=True))
    return [f"{CURVES_FILE} {fault}"] if fault else []
