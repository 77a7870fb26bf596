"""Store: a folder of finished records, a file for each chunk of them, written whole or not at all.

A file is named by the trials in it, so that the same work gives the same name; there is no server and no lock. Two
processes on one store may do the same work twice, and both write the same; of a trial that failed in one of them the
other's record counts. Read it with pandas or DuckDB:
`read_parquet("STORE/chunks/*.parquet")`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from layerwise.errors import FileError, StudyError
from layerwise.runs import atomic_path, read_json, read_object, write_json, write_text
from layerwise.study.file import Study, read_study
from layerwise.study.kept import SERIES, read_asked, read_plan, read_rows
from layerwise.study.trials import MEASURES, Record, Status, Trial

FORMAT = 1
PLAN = "plan.json"
MANY_FILES = 64
"""Files of chunks beyond which they are put into one, so that a finished study is looked through at once."""

KNOWN = ("cell", "block", "status")


class Store:
    """The results of a study.

    Args:
        folder: where; made when something is written.

    Raises:
        StudyError: the folder holds something else, or a store of another format.
    """

    def __init__(self, folder: Path | str) -> None:
        self.folder = Path(folder)
        self._chunks = self.folder / "chunks"
        if self.folder.exists() and not self.folder.is_dir():
            raise StudyError(f"{self.folder} is a file; a folder is expected for the results of a study.")
        if (self.folder / PLAN).exists():
            self._check_format(read_json(self.folder / PLAN))
        elif self.folder.exists() and any(self.folder.iterdir()):
            raise StudyError(f"{self.folder} holds something else than a study. Choose another folder.")

    def begin(self, study: Study) -> None:
        """Note the plan while there are no results: what is claimed after the first run is told apart by it.

        Raises:
            StudyError: there are results, and none of them is of a cell of this study: they are another study's.
        """
        path = self.folder / PLAN
        if self._files() and not self.cells().keys() & {cell.address for cell in study.cells}:
            raise StudyError(
                f"{self.folder} holds the results of another study: it has none of these cells.\n"
                "    Choose another folder (-o), or give the file another name."
            )
        if not path.exists() or not self._files():
            plan = {
                "format": FORMAT,
                "plan": study.plan,
                "hypothesis": study.hypothesis,
                "comparisons": [one.identity for one in study.comparisons],
                "alpha": study.alpha,
                "looks": study.planned_looks,
            }
            write_json(path, plan)
        write_text(self.folder / "study.toml", study.text)
        write_json(self.folder / "asked.json", {"name": study.name, "seeds": study.seeds, "looks": study.looks})
        write_json(
            self.folder / "cells.json", {**self.cells(), **{cell.address: cell.settings for cell in study.cells}}
        )

    def study(self) -> Study:
        """The study that was last run here, with as many seeds as were asked for.

        Raises:
            StudyError: nothing was run here.
            FileError: the study's file is gone, or what was asked is damaged.
        """
        path = self.folder / "asked.json"
        if not path.exists():
            raise StudyError(f"{self.folder} holds no study. Run one: layerwise study run NAME -o FOLDER.")
        asked = read_asked(path)
        study = read_study(self.folder / "study.toml")
        return replace(study, name=asked["name"], seeds=asked["seeds"], looks=tuple(asked["looks"]))

    def cells(self) -> dict[str, Any]:
        """The settings of all cells that were ever planned, by address."""
        path = self.folder / "cells.json"
        return read_object(path) if path.exists() else {}

    def plan(self) -> dict[str, Any]:
        """What was noted before the first run; see `Plan.read`."""
        path = self.folder / PLAN
        return read_plan(path) if path.exists() else {}

    def finished(self) -> set[str]:
        """The addresses of the trials that have a record."""
        known = self._read(list(KNOWN[:2]))
        return {f"{cell}-{block}" for cell, block in zip(known["cell"], known["block"], strict=True)}

    def keep(self, records: Sequence[Record]) -> None:
        """Write a chunk."""
        if records:
            # A record that failed must not take the place of a finished one.
            names = sorted(f"{one.cell}-{one.block}{one.status.removeprefix('done')}" for one in records)
            name = hashlib.sha256("\n".join(names).encode()).hexdigest()[:16]
            self._write(self._chunks / f"{name}.parquet", table_of(records))

    def forget(self, trials: Iterable[Trial]) -> None:
        """Leave the records of some trials out, so that they are run again."""
        gone = {trial.address for trial in trials}
        for path in self._files():
            table = read_rows(path, None)
            address = table["cell"] + "-" + table["block"].astype(str)
            if address.isin(gone).any():
                kept = table[~address.isin(gone)]
                if len(kept):
                    self._write(path, kept)
                else:
                    path.unlink()

    def compact(self) -> None:
        """Put many small files into one."""
        files = self._files()
        if len(files) > MANY_FILES:
            name = hashlib.sha256("\n".join(path.name for path in files).encode()).hexdigest()[:16]
            self._write(self._chunks / f"{name}.parquet", self._read(None))
            for path in files:
                if path.stem != name:
                    path.unlink(missing_ok=True)

    def table(self, *, series: bool = False) -> pd.DataFrame:
        """A row per record, by cell and block: `cell`, `block`, `status`, `error`, `seconds`, and its measures.

        Args:
            series: with curves, confusion matrices and kernels, too.
        """
        return self._read(None if series else [*KNOWN, "error", "seconds", *MEASURES])

    def _files(self) -> list[Path]:
        return sorted(self._chunks.glob("*.parquet"))

    def _read(self, columns: list[str] | None) -> pd.DataFrame:
        for _ in range(3):
            try:
                parts = [read_rows(path, columns) for path in self._files()]
                break
            except FileNotFoundError:  # another process has just put many files into one
                continue
        else:
            raise FileError(f"files in {self._chunks} vanish while they are read. Try again.")
        if not parts:
            return table_of([])[columns or slice(None)]
        rows = pd.concat(parts, ignore_index=True)
        if "status" in rows:  # two processes may have run the same trial, and one of them failed
            rows = rows.iloc[rows["status"].map(get_args(Status).index).argsort(kind="stable")]
        return rows.drop_duplicates(["cell", "block"]).sort_values(["cell", "block"], ignore_index=True)

    def _write(self, path: Path, table: pd.DataFrame) -> None:
        with atomic_path(path) as temporary:
            pq.write_table(pa.Table.from_pandas(table, preserve_index=False), temporary, compression="zstd")

    def _check_format(self, plan: Any) -> None:
        written = plan.get("format") if isinstance(plan, dict) else None
        if written != FORMAT:
            raise StudyError(
                f"{self.folder} was written in format {written}; this layerwise reads {FORMAT}.\n"
                "    Use the layerwise that wrote it, or another folder."
            )


def table_of(records: Sequence[Record]) -> pd.DataFrame:
    """A row per record; measures that it has not are NaN, series that it has not are empty."""
    none = np.empty(0, np.float32)
    columns: dict[str, Any] = {
        "cell": pd.Series([one.cell for one in records], dtype=str),
        "block": pd.Series([one.block for one in records], dtype=np.int64),
        "status": pd.Series([one.status for one in records], dtype=str),
        "error": pd.Series([one.error for one in records], dtype=str),
        "seconds": pd.Series([one.seconds for one in records], dtype=np.float64),
    }
    for name in MEASURES:
        columns[name] = pd.Series([one.measures.get(name, np.nan) for one in records], dtype=np.float64)
    for name in SERIES:
        key = name.removesuffix("_curve")
        values = [np.asarray(one.series.get(key, none), np.float32) for one in records]
        columns[name] = pd.Series(values, dtype=object)
    return pd.DataFrame(columns)


def find_stores(folder: Path | str) -> list[Store]:
    """The store in a folder, or those in its folders.

    Raises:
        StudyError: there is none.
    """
    folder = Path(folder)
    if (folder / PLAN).exists():
        return [Store(folder)]
    found = sorted(path.parent for path in folder.glob(f"*/{PLAN}"))
    if not found:
        raise StudyError(f"{folder} holds no results of a study. Run one: layerwise study run NAME -o {folder}")
    return [Store(one) for one in found]
