"""`read_over_runs`: what `layerwise difficulty RUN --with RUN2` left in a run folder: depths and scores over runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from layerwise.arrays.columns import Numbers, column_faults
from layerwise.arrays.score_catalog import SCORES
from layerwise.arrays.soft_depth import reliability_of_mean
from layerwise.errors import FileError
from layerwise.runs import read_json, read_table
from layerwise.views.faults import refuse_faults

__all__ = ["OverRunsView", "read_over_runs"]

COLUMNS = ("id", "split", "label", "label_name", "depth", "depth_low", "depth_high", "correct", "unresolved")
FACTS = ("runs", "taps", "reliability", "enough", "left_out")
MOST = 1e300
"""More than any count or width; infinity is none."""
RELIABILITY = ("name", "one_run", "mean", "half_width", "runs_needed")


@dataclass(frozen=True, eq=False)
class OverRunsView:
    """Examples by their mean depth over runs.

    Attributes:
        examples: a row per image; see `OverRuns.table`.
        facts: over_runs.json: the runs, the names of the taps, and the reliability of depth and of each score.
    """

    examples: pd.DataFrame
    facts: Mapping[str, Any]

    @property
    def taps(self) -> tuple[str, ...]:
        """Names of the taps in order of execution."""
        return tuple(map(str, self.facts["taps"]))

    @property
    def runs(self) -> int:
        """How many runs."""
        return len(self.facts["runs"])

    def reliabilities(self) -> pd.DataFrame:
        """A row for depth, soft depth and each score; see `OverRuns.reliabilities`."""
        return pd.DataFrame(self.facts["reliability"])

    def in_order(self) -> pd.DataFrame:
        """The rows of `examples` from shallow to deep, then by the width of the interval and by id."""
        width = self.examples["depth_high"] - self.examples["depth_low"]
        return self.examples.assign(width=width).sort_values(["depth", "width", "id"]).drop(columns="width")

    def reliability_by_runs(self, name: str, most: int) -> NDArray[np.float64]:
        """The reliability of the mean of 1 to `most` runs, by Spearman and Brown's formula, shape (most,); NaN where
        that of one run is not known, because all values are the same.
        """
        one = float(self.reliabilities().set_index("name")["one_run"].astype(np.float64)[name])
        return reliability_of_mean(one, np.arange(1, most + 1))


def read_over_runs(run: Path) -> OverRunsView | None:
    """Read depths over several runs; None if none were combined.

    Raises:
        FileError: a file is damaged, or the files do not belong together.
    """
    if not (run / "over_runs.json").exists():
        return None
    again = f"Combine the runs again: layerwise difficulty {run} --with RUN2 --again"
    apart = f"over_runs.json and over_runs.parquet in {run} do not belong together.\n    {again}"
    try:
        facts, examples = read_json(run / "over_runs.json"), read_table(run / "over_runs.parquet")
    except FileError as error:
        raise FileError(f"{error}\n    {again}") from None
    if not isinstance(facts, dict):
        raise FileError(apart)
    refuse_faults(run / "over_runs.json", _fact_faults(facts), again)
    refuse_faults(run / "over_runs.parquet", _table_faults(examples), again)
    deepest, unresolved = examples["depth_high"].max(), examples["unresolved"].max()
    if deepest > len(facts["taps"]) or unresolved > len(facts["runs"]):
        raise FileError(apart)
    return OverRunsView(examples, facts)


def _table_faults(examples: pd.DataFrame) -> list[str]:
    """What over_runs.parquet holds that was not written there."""
    missing = [name for name in COLUMNS if name not in examples]
    if missing or not len(examples):
        return [f"there is no column {', '.join(missing)}" if missing else "there is no row"]
    counts = {name: Numbers(0, whole=True) for name in ("label", "unresolved")}
    depths = {name: Numbers(0) for name in ("depth", "depth_low", "depth_high")}
    return column_faults(examples, {**counts, **depths, "correct": Numbers(0, 1)})


def _fact_faults(facts: Mapping[str, Any]) -> list[str]:
    """What over_runs.json says in another way than it was written."""
    missing = [name for name in FACTS if name not in facts]
    if missing:
        return [f"it does not say {', '.join(missing)}"]
    faults = [f"{name} is no list of names" for name in ("runs", "taps") if not _are_names(facts[name])]
    if not _is_number(facts["enough"], most=1):
        faults.append("enough is no share")
    if not _is_number(facts["left_out"], whole=True):
        faults.append("left_out is no count")
    rows = facts["reliability"]
    if not isinstance(rows, list) or not all(map(_is_reliability, rows)):
        return [*faults, "reliability is not as it was written"]
    names = [row["name"] for row in rows]
    return faults if "depth" in names and len(set(names)) == len(names) else [*faults, "reliability lacks depth"]


def _is_reliability(row: Any) -> bool:
    """Whether this is what is said of one score; what is not known is None."""
    if not isinstance(row, dict) or not set(RELIABILITY) <= set(row) or str(row["name"]) not in SCORES:
        return False
    shares = all(row[name] is None or _is_number(row[name], most=1) for name in ("one_run", "mean"))
    needed = row["runs_needed"] is None or _is_number(row["runs_needed"], whole=True)
    return shares and needed and _is_number(row["half_width"])


def _is_number(value: Any, *, most: float = MOST, whole: bool = False) -> bool:
    kind = int if whole else int | float
    return isinstance(value, kind) and not isinstance(value, bool) and 0 <= value <= most


def _are_names(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(name, str) for name in value)
