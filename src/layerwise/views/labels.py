"""`read_labels`: what `layerwise difficulty --label-errors` left in a run folder; `read_noted`: what training noted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from layerwise.arrays.intervals import rank_correlation
from layerwise.arrays.score_catalog import SCORES, hardness
from layerwise.errors import FileError
from layerwise.runs import read_array, read_json, read_table
from layerwise.training.dynamics import DYNAMICS_FILE, Dynamics, load_dynamics

__all__ = ["LabelsView", "NotedView", "read_labels", "read_noted"]

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
    return NotedView(*load_dynamics(run))


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
        and isinstance(facts.get("class_names"), list)
        and isinstance(facts.get("taps"), list)
        and set(COLUMNS) <= set(labels.columns)
        and {"id", "lost_at", "lost_at_tap"} <= set(suspects.columns)
        and suspects["id"].tolist() == labels["id"].head(len(suspects)).tolist()
        and for_label.shape == for_suggested.shape == (len(suspects), len(facts["taps"]))
        and classes.ndim == 2
        and len(pictures) == len(classes) == len(suspects)
        and len(neighbors) == classes.size
    )
    if not fits:
        raise FileError(f"the files in {folder} do not belong together.\n    {again}")
    shown = neighbors.reshape(*classes.shape, *neighbors.shape[1:])
    return LabelsView(labels, suspects, for_label, for_suggested, pictures, shown, classes, facts)
