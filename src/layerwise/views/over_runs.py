"""`read_over_runs`: what `layerwise difficulty RUN --with RUN2` left in a run folder: depths and scores over runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from layerwise.arrays.soft_depth import reliability_of_mean
from layerwise.errors import FileError
from layerwise.runs import read_json, read_table

__all__ = ["OverRunsView", "read_over_runs"]

COLUMNS = ("id", "split", "label", "label_name", "depth", "depth_low", "depth_high", "correct", "unresolved")
FACTS = ("runs", "taps", "reliability", "enough", "left_out")


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
        """The reliability of the mean of 1 to `most` runs, by Spearman and Brown's formula, shape (most,)."""
        one = next(float(row["one_run"]) for row in self.facts["reliability"] if row["name"] == name)
        return reliability_of_mean(one, np.arange(1, most + 1))


def read_over_runs(run: Path) -> OverRunsView | None:
    """Read depths over several runs; None if none were combined.

    Raises:
        FileError: a file is damaged, or the files do not belong together.
    """
    if not (run / "over_runs.json").exists():
        return None
    again = f"Combine the runs again: layerwise difficulty {run} --with RUN2 --again"
    try:
        facts, examples = read_json(run / "over_runs.json"), read_table(run / "over_runs.parquet")
    except FileError as error:
        raise FileError(f"{error}\n    {again}") from None
    fits = (
        isinstance(facts, dict)
        and set(FACTS) <= set(facts)
        and isinstance(facts["taps"], list)
        and {"name", "one_run", "mean", "half_width", "runs_needed"} <= set(pd.DataFrame(facts["reliability"]).columns)
        and set(COLUMNS) <= set(examples.columns)
        and examples["depth"].max() <= len(facts["taps"])
    )
    if not fits:
        raise FileError(f"over_runs.json and over_runs.parquet in {run} do not belong together.\n    {again}")
    return OverRunsView(examples, facts)
