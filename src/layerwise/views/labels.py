"""`read_labels`: what `layerwise difficulty --label-errors` left in a run folder; `read_noted`: what training noted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from layerwise.arrays.columns import Numbers, array_fault, column_faults
from layerwise.arrays.intervals import rank_correlation
from layerwise.arrays.score_catalog import SCORES, hardness
from layerwise.errors import FileError
from layerwise.runs import read_array, read_json, read_table
from layerwise.training.dynamics import DYNAMICS_FILE, NOTE_AGAIN, Dynamics, load_dynamics
from layerwise.views.faults import picture_faults, refuse_faults

__all__ = ["LabelsView", "NotedView", "read_labels", "read_noted"]

LABEL_KINDS = ("fine", "mislabelled", "ambiguous")
MAPPED = ("confidence", "variability", "correctness")
"""Scores without which there is no map of the data."""
COLUMNS = ("rank", "id", "label", "label_name", "suggested", "suggested_name", "suspicion", "kind", "outvoted")


@dataclass(frozen=True, eq=False)
class NotedView:
    """What N training images went through.

    Attributes:
        ids: shape (N,).
        dynamics: scores, and the curve of each image's label.
    """

    ids: NDArray[np.str_]
    dynamics: Dynamics

    @property
    def scores(self) -> tuple[str, ...]:
        """Names of the scores that the catalog knows."""
        return tuple(name for name in self.dynamics.scores if name in SCORES)

    def correlations(self) -> pd.DataFrame:
        """Spearman's rank correlation of every two scores, all turned so that high is hard."""
        turned = pd.DataFrame({name: hardness(name, self.dynamics.scores[name]) for name in self.scores})
        return turned.corr(method="spearman")

    def with_depth(self, examples: pd.DataFrame) -> pd.DataFrame:
        """How each score goes with prediction depth: score, rho (Spearman, high is hard), low and high (95 %), count;
        empty unless more than two training images were measured.
        """
        rows = {name: row for row, name in enumerate(self.ids.tolist())}
        known = examples[(examples["split"] == "train") & examples["id"].astype(str).isin(rows)]
        at = np.array([rows[name] for name in known["id"].astype(str)], dtype=np.int64)
        lines = [
            (name, *rank_correlation(hardness(name, self.dynamics.scores[name][at]), known["depth"]), len(at))
            for name in self.scores
            if len(at) > 2
        ]
        return pd.DataFrame(lines, columns=["score", "rho", "low", "high", "count"])


@dataclass(frozen=True, eq=False)
class LabelsView:
    """Suspect labels of N training images, with evidence on the M most suspect ones.

    Attributes:
        labels: a row per image, the most suspect first; see `LabelErrors.table`.
        suspects: a row per suspect image; see `Evidence.table`; in the order of `labels`.
        for_label, for_suggested: shape (M, L), shares of the neighbours at every tap.
        pictures: shape (M, C, h, w), bytes.
        neighbors: shape (M, n, C, h, w), bytes: the nearest ones at the tap where each image was lost.
        neighbor_labels: shape (M, n).
        facts: labels.json.
    """

    labels: pd.DataFrame
    suspects: pd.DataFrame
    for_label: NDArray[np.float64]
    for_suggested: NDArray[np.float64]
    pictures: NDArray[np.uint8]
    neighbors: NDArray[np.uint8]
    neighbor_labels: NDArray[np.int64]
    facts: Mapping[str, Any]

    @property
    def taps(self) -> tuple[str, ...]:
        """Names of the taps in order of execution."""
        return tuple(map(str, self.facts["taps"]))

    @property
    def class_names(self) -> tuple[str, ...]:
        """K names."""
        return tuple(map(str, self.facts["class_names"]))

    def counts(self) -> Mapping[str, int]:
        """How many images most likely are of each kind."""
        return {str(kind): int(count) for kind, count in self.labels["kind"].value_counts().items()}


def read_noted(run: Path) -> NotedView | None:
    """Read the training dynamics of a run; None if none were noted.

    Raises:
        FileError: a file is damaged.
    """
    if not (run / DYNAMICS_FILE).is_file():
        return None
    noted = NotedView(*load_dynamics(run))
    missing = [name for name in MAPPED if name not in noted.dynamics.scores]
    faults = [f"there is no column {', '.join(missing)}"] if missing else []
    refuse_faults(run / DYNAMICS_FILE, faults, NOTE_AGAIN)
    return noted


def read_labels(run: Path) -> LabelsView | None:
    """Read the suspect labels of a run; None if labels were not ranked.

    Raises:
        FileError: a file is damaged, or the files do not belong together.
    """
    folder = run / "labels"
    if not (folder / "labels.json").exists():
        return None
    again = f"Rank the labels again: layerwise difficulty {run} --label-errors --again"
    try:
        facts = read_json(folder / "labels.json")
        labels, suspects = (read_table(folder / f"{name}.parquet") for name in ("labels", "suspects"))
        names = ("for_label", "for_suggested", "suspects", "neighbors", "neighbor_labels")
        for_label, for_suggested, pictures, neighbors, classes = (read_array(folder / f"{name}.npy") for name in names)
    except FileError as error:
        raise FileError(f"{error}\n    {again}") from None
    fits = (
        isinstance(facts, dict)
        and _are_names(facts.get("class_names"))
        and _are_names(facts.get("taps"))
        and {"id", "lost_at", "lost_at_tap"} <= set(suspects.columns)
        and "id" in labels
        and suspects["id"].tolist() == labels["id"].head(len(suspects)).tolist()
        and for_label.shape == for_suggested.shape == (len(suspects), len(facts["taps"]))
        and classes.ndim == 2
        and len(pictures) == len(classes) == len(suspects)
        and len(neighbors) == classes.size
    )
    if not fits:
        raise FileError(f"the files in {folder} do not belong together.\n    {again}")
    a_class = Numbers(0, len(facts["class_names"]) - 1, whole=True)
    refuse_faults(folder / "labels.parquet", _table_faults(labels, a_class), again)
    a_tap = Numbers(0, len(facts["taps"]) - 1, whole=True)
    refuse_faults(folder / "suspects.parquet", column_faults(suspects, {"lost_at": a_tap}), again)
    arrays = {"for_label": (for_label, Numbers(0, 1)), "for_suggested": (for_suggested, Numbers(0, 1)),
              "neighbor_labels": (classes, a_class)}  # fmt: skip
    for name, (array, numbers) in arrays.items():
        fault = array_fault(array, numbers)
        refuse_faults(folder / f"{name}.npy", [f"it {fault}"] if fault else [], again)
    for name, array in (("suspects", pictures), ("neighbors", neighbors)):
        refuse_faults(folder / f"{name}.npy", picture_faults(array), again)
    shown = neighbors.reshape(*classes.shape, *neighbors.shape[1:])
    return LabelsView(labels, suspects, for_label, for_suggested, pictures, shown, classes, facts)


def _table_faults(labels: pd.DataFrame, a_class: Numbers) -> list[str]:
    """What labels.parquet holds that was not written there."""
    missing = [name for name in COLUMNS if name not in labels]
    if missing:
        return [f"there is no column {', '.join(missing)}"]
    strange = set(labels["kind"].astype(str)) - set(LABEL_KINDS)
    numbers = {"rank": Numbers(1, whole=True), "label": a_class, "suggested": a_class, "suspicion": Numbers(0, 1)}
    return column_faults(labels, numbers) + (["kind holds others than the three"] if strange else [])


def _are_names(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(name, str) for name in value)
