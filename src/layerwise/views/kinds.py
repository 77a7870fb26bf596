"""`read_kinds`: what `layerwise difficulty --folds` left in a run folder: the four kinds of difficulty."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from layerwise.arrays.columns import Numbers, column_faults
from layerwise.arrays.kinds import EXAMPLE_KINDS
from layerwise.errors import FileError
from layerwise.runs import read_json, read_table
from layerwise.views.faults import refuse_faults

__all__ = ["KindsView", "read_kinds"]

COLUMNS = ("id", "label", "label_name", "training_depth", "held_out_depth", "looks_like", "looks_like_name", "kind")


@dataclass(frozen=True, eq=False)
class KindsView:
    """Training images by their depth in training and held out.

    Attributes:
        examples: a row per image; see `FoldedDepths.table`.
        facts: folds.json: how many folds, the names of the taps, the settings of the trainings.
    """

    examples: pd.DataFrame
    facts: Mapping[str, Any]

    @property
    def taps(self) -> tuple[str, ...]:
        """Names of the taps in order of execution."""
        return tuple(map(str, self.facts["taps"]))

    def counts(self) -> pd.DataFrame:
        """A row per kind: kind, count, share, right (how often the held-out network gives the label)."""
        right = self.examples["label"] == self.examples["looks_like"]
        rows = []
        for kind in EXAMPLE_KINDS:
            here = self.examples["kind"] == kind
            rows.append({"kind": kind, "count": int(here.sum()), "share": here.mean(), "right": int(right[here].sum())})
        return pd.DataFrame(rows)

    def grid(self) -> NDArray[np.int64]:
        """How many images have each depth held out and, rounded, in training: (L + 1, L + 1), held out first."""
        depths = len(self.taps) + 1
        held_out = self.examples["held_out_depth"].to_numpy().astype(np.int64)
        trained = np.rint(self.examples["training_depth"].to_numpy()).astype(np.int64)
        return np.bincount(held_out * depths + trained, minlength=depths**2).reshape(depths, depths)

    def most(self, kind: str, count: int) -> pd.DataFrame:
        """The clearest images of a kind: those with the largest difference, or sum, of both depths; then by id."""
        rows = self.examples[self.examples["kind"] == kind]
        trained, held_out = rows["training_depth"], rows["held_out_depth"]
        ways = (-trained - held_out, trained - held_out, held_out - trained, trained + held_out)
        clear = dict(zip(EXAMPLE_KINDS, ways, strict=True))
        order = pd.DataFrame({"clear": -clear[kind], "id": rows["id"]}).sort_values(["clear", "id"]).index
        return rows.loc[order[:count]]


def read_kinds(run: Path) -> KindsView | None:
    """Read the four kinds of a run; None if they were not measured.

    Raises:
        FileError: a file is damaged, or the files do not belong together.
    """
    if not (run / "folds.json").exists():
        return None
    again = f"Measure them again: layerwise difficulty {run} --folds 5 --again"
    apart = f"folds.json and folds.parquet in {run} do not belong together.\n    {again}"
    try:
        facts, examples = read_json(run / "folds.json"), read_table(run / "folds.parquet")
    except FileError as error:
        raise FileError(f"{error}\n    {again}") from None
    if not (isinstance(facts, dict) and isinstance(facts.get("taps"), list)):
        raise FileError(apart)
    refuse_faults(run / "folds.parquet", _table_faults(examples), again)
    if examples["held_out_depth"].max() > len(facts["taps"]):
        raise FileError(apart)
    return KindsView(examples, facts)


def _table_faults(examples: pd.DataFrame) -> list[str]:
    """What folds.parquet holds that was not written there."""
    missing = [name for name in COLUMNS if name not in examples]
    if missing or not len(examples):
        return [f"there is no column {', '.join(missing)}" if missing else "there is no row"]
    classes = Numbers(0, whole=True)
    numbers = {"training_depth": Numbers(0), "held_out_depth": classes, "label": classes, "looks_like": classes}
    strange = set(examples["kind"].astype(str)) - set(EXAMPLE_KINDS)
    return column_faults(examples, numbers) + (["kind holds others than the four"] if strange else [])
