"""Units in a run folder, all under RUN/units/: the numbers, and pictures of what excites the most selective ones."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from layerwise.data.images import ImageData
from layerwise.data.thumbnails import thumbnails
from layerwise.inside.units import UnitReport
from layerwise.runs import write_all

UNITS_SHOWN = 6
"""Units of a tap whose images are kept as pictures."""


def save_units(
    run: Path, report: UnitReport, gradients: pd.DataFrame, data: ImageData, *, facts: Mapping[str, Any]
) -> None:
    """Write a report of units, the gradients by layer, and the images that excite the most selective units of each tap.

    Args:
        run: the run folder.
        report: of the data.
        gradients: from `gradient_norms`.
        data: the images that the report is of.
        facts: what was measured, for units.json.
    """
    units = report.table().assign(selectivity=report.selectivity())
    chosen = _most_selective(units)
    shown = pd.DataFrame(
        {
            "tap": np.repeat(units["tap"].to_numpy()[chosen], report.top.shape[1]),
            "unit": np.repeat(units["unit"].to_numpy()[chosen], report.top.shape[1]),
            "row": report.top[chosen].ravel(),
            "value": report.top_values[chosen].ravel(),
        }
    )
    shown = shown[shown["row"] >= 0]
    rows = shown["row"].to_numpy()
    write_all(
        run / "units",
        {
            "units.json": {**facts, "class_names": list(report.class_names), "images": len(report.ids)},
            "units.parquet": units,
            "class_means.npy": report.class_means,
            "gradients.parquet": gradients,
            "shown.parquet": shown.assign(id=report.ids[rows], label=data.labels[rows]).drop(columns="row"),
            "shown.npy": thumbnails(data.select(rows)),
        },
    )


def _most_selective(units: pd.DataFrame) -> NDArray[np.int64]:
    """Rows of the units of each tap that tell classes apart best, the best first."""
    alive = units[~units["dead"] & units["selectivity"].notna()]
    best = alive.sort_values(["order", "selectivity"], ascending=[True, False]).groupby("order").head(UNITS_SHOWN)
    return best.index.to_numpy(np.int64)
