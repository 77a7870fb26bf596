"""TrainingHistory: loss and accuracy of each epoch, training and held-out on one scale (mean per image)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from layerwise.errors import FileError
from layerwise.runs import write_table, write_text

__all__ = ["EpochRecord", "TrainingHistory"]


@dataclass(frozen=True)
class EpochRecord:
    """One pass over one split.

    Attributes:
        epoch: counted from 1.
        split: "train", "validation" or "test".
        loss: mean cross-entropy per image, in nats, without label smoothing.
        accuracy: share of images that are right, 0 to 1.
        lr: learning rate of the epoch's last step.
        time_s: seconds that the pass took.
    """

    epoch: int
    split: str
    loss: float
    accuracy: float
    lr: float
    time_s: float


@dataclass(frozen=True)
class TrainingHistory:
    """What a training went through, epoch by epoch.

    Both losses are the sum over images divided by the number of images. The training loss is taken as the images go by:
    under augmentation and dropout, with weights that move during the epoch; the held-out one with those at its end.

    Attributes:
        records: in order of epochs; in each "train" first, then the held-out split if there is one.
        kept_epoch: the epoch whose weights the network has: the last one, or the best one under early stopping.
    """

    records: tuple[EpochRecord, ...]
    kept_epoch: int

    def of_split(self, split: str) -> tuple[EpochRecord, ...]:
        """The records of one split, in order of epochs."""
        return tuple(record for record in self.records if record.split == split)

    def table(self) -> pd.DataFrame:
        """A row per record, a column per field of `EpochRecord`."""
        return history_table(self.records)


def history_table(records: Sequence[EpochRecord]) -> pd.DataFrame:
    """A row per record, with the same column types when there is none."""
    columns = {
        "epoch": "int64",
        "split": "str",
        "loss": "float64",
        "accuracy": "float64",
        "lr": "float64",
        "time_s": "float64",
    }
    return pd.DataFrame([asdict(record) for record in records], columns=list(columns)).astype(columns)


def write_history(run: Path, records: Sequence[EpochRecord]) -> None:
    """Write `history.parquet`, and `history.csv` beside it; a reader never sees half of one."""
    table = history_table(records)
    write_table(run / "history.parquet", table)
    write_text(run / "history.csv", table.to_csv(index=False))


def read_records(rows: Sequence[dict[str, Any]]) -> list[EpochRecord]:
    """Records from the plain dicts that a checkpoint holds.

    Raises:
        FileError: the rows are of another version.
    """
    try:
        return [EpochRecord(**row) for row in rows]
    except TypeError as error:
        raise FileError(f"the history in the checkpoint is not of this version of layerwise ({error}).") from None
