"""`read_maps`: the maps that `layerwise inside --embed` left in a run folder, as tables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from layerwise.arrays.columns import Numbers, column_faults
from layerwise.errors import FileError
from layerwise.runs import read_json, read_table
from layerwise.views.patterns import Pattern, pattern_fault

METHOD_NAMES = {"pca": "PCA", "tsne": "t-SNE", "umap": "UMAP"}
MAP = {"dims": int, "explained": float, "seconds": float}
TAP: Pattern = {"tap": str, "order": int, "k": int, "methods": {...: MAP}}


@dataclass(frozen=True, eq=False)
class MapsView:
    """Maps of the pixels and of every tap.

    Attributes:
        summary: a row per tap and method, in order of execution: `tap`, `method`, the means `trustworthiness`,
            `recall`, `label_accuracy` and `feature_label_accuracy`, `explained`, `dims`, `seconds`, `divergence`.
        points: by tap, a row per example: `id`, `label`, and for each method `METHOD_x`, `METHOD_y`, `METHOD_trust`,
            `METHOD_recall`, `METHOD_vote`.
        k: how many neighbours the quality is of.
        key: what the maps were drawn from, and how.
        class_names: K names.
    """

    summary: pd.DataFrame
    points: Mapping[str, pd.DataFrame]
    k: int
    key: Mapping[str, Any]
    class_names: tuple[str, ...]

    @property
    def taps(self) -> tuple[str, ...]:
        """Names of the taps in order of execution."""
        return tuple(dict.fromkeys(self.summary["tap"]))

    @property
    def methods(self) -> tuple[str, ...]:
        """Those that were drawn."""
        return tuple(dict.fromkeys(self.summary["method"]))

    def taps_of(self, method: str) -> tuple[str, ...]:
        """The taps with a map by this method, in order of execution; a command that was stopped leaves some without."""
        return tuple(self.summary.loc[self.summary["method"] == method, "tap"])

    def row(self, tap: str, method: str) -> Mapping[str, Any]:
        """The numbers of one map."""
        found = self.summary[(self.summary["tap"] == tap) & (self.summary["method"] == method)]
        return {str(name): value for name, value in found.iloc[0].items()}


def read_maps(run: Path) -> MapsView | None:
    """Read the maps of a run; None if none were drawn.

    Raises:
        FileError: a file is damaged.
    """
    folder = run / "maps"
    if not (folder / "maps.json").exists():
        return None
    index = read_json(folder / "maps.json")
    rows: list[dict[str, Any]] = []
    points: dict[str, pd.DataFrame] = {}
    try:
        names, ks = tuple(map(str, index["key"]["class_names"])), {10}
        read = [(_facts(folder / f"{stem}.json"), read_table(folder / f"{stem}.parquet")) for stem in index["taps"]]
        for facts, table in sorted(read, key=lambda tap: int(tap[0]["order"])):
            points[facts["tap"]] = _checked(table, facts["methods"], len(names))
            ks = {facts["k"]}
            rows += [_summary(facts, table, method) for method in facts["methods"]]
    except (FileError, AttributeError, KeyError, TypeError, ValueError) as error:
        raise FileError(
            f"the maps in {folder} cannot be read ({error}).\n    Draw them again: layerwise inside {run} --again"
        ) from error
    if not rows:
        return None
    return MapsView(pd.DataFrame(rows), points, ks.pop(), index["key"], names)


def _facts(path: Path) -> Mapping[str, Any]:
    """What is known of the maps of a tap.

    Raises:
        ValueError: it is not what was written.
    """
    facts = read_json(path)
    if fault := pattern_fault(facts, TAP):
        raise ValueError(f"{path.name}: {fault}")
    return facts  # type: ignore[no-any-return]


def _checked(table: pd.DataFrame, methods: Mapping[str, Any], classes: int) -> pd.DataFrame:
    """The points of a tap.

    Raises:
        ValueError: a column is not there, or does not hold such numbers.
    """
    if "id" not in table or not len(table):
        raise ValueError("no numbers of any image" if "id" in table else "no numbers of id")
    a_class, some = Numbers(0, classes - 1, whole=True), Numbers(gaps=True)
    numbers = {"label": a_class, "feature_vote": a_class}
    for method in methods:
        numbers |= {f"{method}_x": some, f"{method}_y": some, f"{method}_vote": a_class}
        numbers |= {f"{method}_trust": some, f"{method}_recall": some}
    if faults := column_faults(table.replace([np.inf, -np.inf], np.nan), numbers):
        raise ValueError("; ".join(faults))
    return table


def _summary(facts: Mapping[str, Any], table: pd.DataFrame, method: str) -> dict[str, Any]:
    label = table["label"].to_numpy()
    return {
        "tap": facts["tap"],
        "method": method,
        "trustworthiness": float(table[f"{method}_trust"].mean()),
        "recall": float(table[f"{method}_recall"].mean()),
        "label_accuracy": float(np.mean(table[f"{method}_vote"].to_numpy() == label)),
        "feature_label_accuracy": float(np.mean(table["feature_vote"].to_numpy() == label)),
        "divergence": float("nan"),
        **facts["methods"][method],
    }
