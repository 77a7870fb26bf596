"""`read_units`: what `layerwise inside --units` left in a run folder, as tables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from layerwise.errors import FileError
from layerwise.runs import read_array, read_json, read_table

UNIT_COLUMNS = ("tap", "order", "unit", "fires", "dead", "never_fires", "saturated", "selectivity", "excited_by")


@dataclass(frozen=True, eq=False)
class UnitsView:
    """Units of a network.

    Attributes:
        units: a row per unit; see `UnitReport.table`, and `selectivity`.
        gradients: a row per layer; see `gradient_norms`.
        shown: a row per picture: `tap`, `unit`, `value`, `id`, `label`; of each tap's most selective units.
        pictures: shape (rows of `shown`, C, h, w), bytes.
        facts: units.json: the split, how many images.
    """

    units: pd.DataFrame
    gradients: pd.DataFrame
    shown: pd.DataFrame
    pictures: NDArray[np.uint8]
    facts: Mapping[str, Any]

    @property
    def taps(self) -> tuple[str, ...]:
        """Names of the taps in order of execution."""
        return tuple(dict.fromkeys(self.units.sort_values("order")["tap"]))

    def layers(self) -> pd.DataFrame:
        """A row per tap: `tap`, `units`, `dead`, `never_fires`, `saturated`, and quantiles of the firing rate."""
        rows = []
        for tap in self.taps:
            units = self.units[self.units["tap"] == tap]
            low, lower, median, upper, high = units["fires"].quantile([0.05, 0.25, 0.5, 0.75, 0.95])
            counts = {name: int(units[name].sum()) for name in ("dead", "never_fires", "saturated")}
            quantiles = {"low": low, "lower": lower, "median": median, "upper": upper, "high": high}
            rows.append({"tap": tap, "units": len(units), **counts, **quantiles})
        return pd.DataFrame(rows)


def read_units(run: Path) -> UnitsView | None:
    """Read the units of a run; None if they were not measured.

    Raises:
        FileError: a file is damaged, or the files do not belong together.
    """
    folder = run / "units"
    if not (folder / "units.json").exists():
        return None
    try:
        facts = read_json(folder / "units.json")
        units, gradients, shown = (read_table(folder / f"{name}.parquet") for name in ("units", "gradients", "shown"))
        pictures = read_array(folder / "shown.npy", mapped=True)
        fits = (
            set(UNIT_COLUMNS) <= set(units.columns)
            and {"layer", "rms"} <= set(gradients.columns)
            and {"tap", "unit", "value", "id", "label"} <= set(shown.columns)
            and len(pictures) == len(shown)
            and pictures.dtype == np.uint8
            and pictures.ndim == 4
            and pictures.shape[1] in (1, 3)
            and _are_finite(units[["unit", "order", "fires"]])
            and units["selectivity"].dtype.kind in "iuf"
            and _are_finite(gradients[["rms"]])
            and _are_finite(shown[["unit", "value", "label"]])
            and set(zip(shown["tap"], shown["unit"], strict=True)) <= set(zip(units["tap"], units["unit"], strict=True))
            and (not len(shown) or shown["label"].min() >= 0)
            and isinstance(facts, dict)
            and isinstance(facts.get("images"), int)
        )
    except FileError as error:
        raise FileError(f"{error}\n    Measure the units again: layerwise inside {run} --units") from error
    if not fits:
        raise FileError(
            f"the files in {folder} do not belong together.\n    Measure again: layerwise inside {run} --units"
        )
    return UnitsView(units, gradients, shown, pictures, facts)


def _are_finite(table: pd.DataFrame) -> bool:
    return all(values.dtype.kind in "iuf" and np.isfinite(values).all() for _, values in table.items())
