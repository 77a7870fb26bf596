"""History: a table with fixed columns, written whole."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from layerwise.errors import FileError
from layerwise.training import history
from layerwise.training.history import EpochRecord, TrainingHistory, read_records, write_history

RECORDS = (
    EpochRecord(1, "train", loss=2.0, accuracy=0.25, lr=0.1, time_s=1.5),
    EpochRecord(1, "validation", loss=1.75, accuracy=0.5, lr=0.1, time_s=0.5),
)
COLUMNS = ["epoch", "split", "loss", "accuracy", "lr", "time_s"]


def test_parquet_and_csv_hold_the_same_rows(tmp_path: Path) -> None:
    write_history(tmp_path, RECORDS)
    table = pd.read_parquet(tmp_path / "history.parquet")
    assert list(table.columns) == COLUMNS
    assert table.to_dict("records") == [vars(record) for record in RECORDS]
    assert pd.read_csv(tmp_path / "history.csv").to_dict("records") == table.to_dict("records")


def test_a_history_without_epochs_has_the_same_columns_and_types(tmp_path: Path) -> None:
    write_history(tmp_path, [])
    empty = pd.read_parquet(tmp_path / "history.parquet")
    write_history(tmp_path, RECORDS)
    full = pd.read_parquet(tmp_path / "history.parquet")
    assert len(empty) == 0
    assert empty.dtypes.astype(str).to_dict() == full.dtypes.astype(str).to_dict()


def test_a_failure_while_writing_leaves_the_history_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_history(tmp_path, RECORDS)
    before = (tmp_path / "history.parquet").read_bytes()

    def fail(_table: pd.DataFrame, path: Path, **_options: object) -> None:
        path.write_bytes(b"half")
        raise KeyboardInterrupt

    monkeypatch.setattr(pd.DataFrame, "to_parquet", fail)
    with pytest.raises(KeyboardInterrupt):
        history.write_history(tmp_path, RECORDS[:1])
    assert (tmp_path / "history.parquet").read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["history.csv", "history.parquet"]


def test_one_split_can_be_taken_out() -> None:
    assert TrainingHistory(RECORDS, kept_epoch=1).of_split("validation") == RECORDS[1:]


def test_rows_of_another_version_are_refused() -> None:
    assert read_records([vars(record) for record in RECORDS]) == list(RECORDS)
    with pytest.raises(FileError, match=r"^the history in the checkpoint is not of this version of layerwise"):
        read_records([{"epoch": 1}])
