"""What the page shows beside columns and maps: taps, exits, neighbours, units and facts."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from layerwise.views.explorer.columns import rows_of
from layerwise.views.explorer.packing import Packer, smallest_item
from layerwise.views.records import recorded_lines
from layerwise.views.run import RunView
from layerwise.views.taps import network_accuracy, probe_accuracy
from layerwise.views.units import UnitsView

MOST_FILTER_WEIGHTS = 200_000
"""More weights than these are not put into the manifest."""

NEIGHBOR_ROWS = 1024
"""Examples whose nearest training images lie in one pack."""


def taps_of(view: RunView) -> list[dict[str, Any]]:
    """`Tap`s of webapp/src/payload.ts."""
    accuracy = probe_accuracy(view)
    told: list[Any] = accuracy[accuracy["split"] == view.main_split].to_dict("records")
    rows: list[Any] = view.taps.to_dict("records")
    described = []
    for row, own in zip(rows, told, strict=True):
        name = str(row["name"])
        facts: dict[str, Any] = {
            f"probe accuracy ({view.main_split})": round(own["accuracy"], 4),
            f"agreement ({view.main_split})": round(own["agreement"], 4),
        }
        facts |= {word: int(row[word]) for word in ("parameters", "macs") if word in row and math.isfinite(row[word])}
        features = int(row["features"]) if "features" in row else 0
        described.append({"name": name, "shape": str(row.get("shape", "")), "features": features, "facts": facts})
    return described


def exits_of(view: RunView, packer: Packer) -> dict[str, Any] | None:
    """`Exits` of webapp/src/payload.ts."""
    if view.exits is None:
        return None
    reference, confidence = None, view.exits.confidence()
    if confidence is not None and view.exits.recorded_ids is not None:
        rows = rows_of(view, str(view.exits.summary["split"]), pd.Series(view.exits.recorded_ids))
        column = np.full((len(view.examples), confidence.shape[1]), np.nan)
        column[rows[rows >= 0]] = confidence[rows >= 0]
        reference = packer.add("exits", column, "f4")
    return {
        "names": list(view.exits.names),
        "policy": str(view.exits.summary["policy"]),
        "split": str(view.exits.summary["split"]),
        "confidence": reference,
        "column": None if view.exits.left is None else "exit",
    }


def neighbors_of(view: RunView, packer: Packer, count: int) -> dict[str, Any] | None:
    """The nearest training images at each tap, `count` of them, in packs of a few examples: a story needs one."""
    if view.neighbors is None or view.base is None:
        return None
    nearest = view.neighbors[:, :, :count]  # (N, L, shown)
    blocks = [nearest[start : start + NEIGHBOR_ROWS] for start in range(0, len(nearest), NEIGHBOR_ROWS)]
    item = smallest_item(len(view.base))
    packs = [
        packer.later(f"neighbors-{number}", block.shape, item, partial(np.asarray, block))
        for number, block in enumerate(blocks)
    ]
    return {"count": nearest.shape[2], "of": view.neighbors.shape[2], "rows": NEIGHBOR_ROWS, "blocks": packs}


def units_of(view: RunView) -> list[dict[str, Any]]:
    """`TapUnits` of webapp/src/payload.ts."""
    if view.units is None:
        return []
    layers: list[Any] = view.units.layers().to_dict("records")
    return [
        {
            "tap": layer["tap"],
            "counts": {name: int(layer[name]) for name in ("units", "dead", "never_fires", "saturated")},
            "kept": int(view.units.shown.loc[view.units.shown["tap"] == layer["tap"], "unit"].nunique()),
            "units": list(_units(view, view.units, layer["tap"])),
        }
        for layer in layers
    ]


def _units(view: RunView, units: UnitsView, tap: str) -> Iterator[dict[str, Any]]:
    shown = units.shown[units.shown["tap"] == tap]
    unit_to_shown: dict[Any, pd.DataFrame] = dict(list(shown.groupby("unit")))
    class_to_place = {name: place for place, name in enumerate(view.class_names)}
    filters = _filters(view, tap)
    rows: list[Any] = units.units[units.units["tap"] == tap].to_dict("records")
    for row in rows:
        unit = int(row["unit"])
        top = unit_to_shown.get(unit, shown.head(0)).sort_values("value", ascending=False, kind="stable")
        labels = top["label"].to_numpy(np.int64)
        yield {
            "unit": unit,
            "fires": round(float(row["fires"]), 5),
            "dead": bool(row["dead"]),
            "saturated": bool(row["saturated"]),
            "selectivity": round(float(row["selectivity"]), 4) if math.isfinite(row["selectivity"]) else None,
            "excited_by": -1 if row["never_fires"] else class_to_place.get(str(row["excited_by"]), -1),
            "shown": [int(place) for place in top.index],
            "ids": [str(name) for name in top["id"]],
            "values": [round(float(value), 4) for value in top["value"]],
            "labels": labels.tolist(),
            "histogram": np.bincount(labels, minlength=len(view.class_names)).tolist() if len(top) else None,
            "filter": filters[unit].tolist() if filters is not None and unit < len(filters) else None,
        }


def _filters(view: RunView, tap: str) -> NDArray[np.float64] | None:
    if view.filters is None or view.filters.layer != tap or view.filters.weights.size > MOST_FILTER_WEIGHTS:
        return None
    rounded: NDArray[np.float64] = view.filters.weights.astype(np.float64).round(4)
    return rounded


def facts_of(view: RunView) -> list[dict[str, Any]]:
    """What the page says about the run: accuracy with its interval, and all that was recorded."""
    accuracy = [
        (
            f"accuracy, {row['split']}",
            f"{row['accuracy']:.2%} [{row['accuracy_low']:.2%}, {row['accuracy_high']:.2%}] of {row['count']:,}",
        )
        for row in network_accuracy(view).to_dict("records")
    ]
    return [
        {"title": "The network", "lines": accuracy},
        {"title": "All that was recorded of this run", "lines": recorded_lines(view)},
    ]
