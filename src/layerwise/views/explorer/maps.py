"""The maps of a run for the page: each fills the same square, and each example keeps its row."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from layerwise.views.explorer.packing import Packer
from layerwise.views.maps import METHOD_NAMES, MapsView
from layerwise.views.run import RunView

LARGEST = 65_534
NOT_DRAWN = 65_535
LEAST_SPAN = 1e-300
"""Below it no scale is finite."""


@dataclass(frozen=True)
class Square:
    """Where the points of a map go on a square of 65,535 places a side.

    Maps of different taps have no common scale, so each fills the square; both axes of one keep theirs.
    """

    center: tuple[float, float]
    scale: float

    @classmethod
    def around(cls, points: NDArray[np.floating]) -> Square:
        """The square that holds all points (n, 2) that are finite."""
        points = np.asarray(points, np.float64)
        known = points[np.isfinite(points).all(axis=1)]
        if not len(known):
            return cls((0.0, 0.0), 1.0)
        low, high = known.min(axis=0), known.max(axis=0)
        span = 2 * float((high / 2 - low / 2).max())
        middle = low / 2 + high / 2
        return cls((float(middle[0]), float(middle[1])), LARGEST / span if span > LEAST_SPAN else 1.0)

    def apply(self, points: NDArray[np.floating]) -> NDArray[np.float64]:
        """Places (n, 2), 0 to 65,534 for points of the map; new ones may lie outside."""
        placed: NDArray[np.float64] = (np.asarray(points, np.float64) - self.center) * self.scale + LARGEST / 2
        return placed


def map_square(points: pd.DataFrame, method: str) -> Square:
    """The square of one map of a `MapsView`."""
    return Square.around(points[[f"{method}_x", f"{method}_y"]].to_numpy())


def map_methods(maps: MapsView, view: RunView, packer: Packer) -> list[dict[str, Any]]:
    """`MapMethod`s of webapp/src/payload.ts, the clearest method first; their points into packs, one for each map."""
    rows = _rows(maps, view.examples)
    return [_method(maps, view, packer, method, rows) for method in sorted(maps.methods, key=_order_of)]


def _order_of(method: str) -> int:
    known = ("tsne", "umap", "pca")
    return known.index(method) if method in known else len(known)


def _rows(maps: MapsView, examples: pd.DataFrame) -> pd.Series:
    """Rows of the examples by id; where two splits have an id in common, of the split that was drawn."""
    split = str(maps.key.get("images", "")).split(" ")[0]
    own = (examples["split"] == split).to_numpy()
    order = np.concatenate([np.flatnonzero(own), np.flatnonzero(~own)])
    rows = pd.Series(order, index=pd.Index(examples["id"].astype(str).to_numpy()[order]))
    return rows[~rows.index.duplicated()]


def _method(maps: MapsView, view: RunView, packer: Packer, method: str, rows: pd.Series) -> dict[str, Any]:
    taps, drawn = [], 0
    for tap in maps.taps_of(method):
        number, table = maps.taps.index(tap), maps.points[tap]
        at = rows.reindex(table["id"].astype(str).to_numpy(), fill_value=-1).to_numpy()
        placed = _placed(table, method, at, len(view.examples))
        taps.append(
            {
                "tap": tap,
                "order": view.tap_names.index(tap) if tap in view.tap_names else -1,
                "points": packer.add(f"map-{method}-{number}", placed, "u2"),
                "facts": _facts(maps.row(tap, method), maps.k),
            }
        )
        drawn = max(drawn, int((placed[:, 0] != NOT_DRAWN).sum()))
    return {"method": method, "title": METHOD_NAMES.get(method, method), "taps": taps, "drawn": drawn}


def _placed(table: pd.DataFrame, method: str, at: NDArray[np.int64], count: int) -> NDArray[np.uint16]:
    placed = np.full((count, 2), NOT_DRAWN, np.uint16)
    points = table[[f"{method}_x", f"{method}_y"]].to_numpy()
    there = (at >= 0) & np.isfinite(points).all(axis=1)
    placed[at[there]] = np.rint(map_square(table, method).apply(points[there])).astype(np.uint16)
    return placed


def _facts(row: Mapping[str, Any], k: int) -> list[dict[str, Any]]:
    told = (
        ("trustworthiness", "trustworthiness", "1: whoever are neighbours on the map are neighbours at the tap, too."),
        ("recall", "neighbours kept", f"Of an image's {k} nearest at the tap, how many are among the {k} on the map."),
        (
            "label_accuracy",
            "labels right from the map",
            f"Images whose label is the commonest among their {k} nearest on the map.",
        ),
        (
            "feature_label_accuracy",
            "labels right from the tap",
            f"Images whose label is the commonest among their {k} nearest at the tap.",
        ),
    )
    return [
        {"name": words, "about": about, "value": round(float(row[name]), 4), "share": name != "trustworthiness"}
        for name, words, about in told
        if name in row and math.isfinite(row[name])
    ]
