"""MapScale: from a map's own coordinates to the page's, as the payload's points show it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from layerwise.inside.embedding.result import TapMaps
from layerwise.views.explorer.payload import Payload

NOT_DRAWN = 65535
LEAST = 2
FARTHEST = 4.0
"""In steps of the page's scale: more than rounding means that the points are of other maps."""


@dataclass(frozen=True, eq=False)
class MapScale:
    """Page = factor × coordinate + shift, along each axis: shapes (2,)."""

    factor: NDArray[np.float64]
    shift: NDArray[np.float64]

    def apply(self, point: NDArray[np.floating]) -> list[float]:
        """One point (2,) on the page's scale; it may lie outside 0 to 65534."""
        return [round(float(value), 1) for value in self.factor * point + self.shift]


def find_scales(payload: Payload, ids: NDArray[np.str_], maps: Sequence[TapMaps]) -> dict[str, MapScale]:
    """A method to its scale, of those methods whose points in the payload are of these maps.

    Args:
        payload: with points of its N examples.
        ids: shape (N,), theirs.
        maps: as the run keeps them.
    """
    row_of = {str(one): row for row, one in enumerate(ids)}
    tap_to_maps = {one.tap: one for one in maps}
    scales = {}
    for method in payload.manifest["maps"]:
        shown = [_pairs(payload, one, row_of, tap_to_maps.get(one["tap"]), method["method"]) for one in method["taps"]]
        pairs = [pair for pair in shown if pair is not None]
        scale = _fitted(*(np.concatenate(parts) for parts in zip(*pairs, strict=True))) if pairs else None
        if scale is not None:
            scales[str(method["method"])] = scale
    return scales


def _pairs(
    payload: Payload, one: Mapping[str, Any], row_of: Mapping[str, int], maps: TapMaps | None, method: str
) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
    """Coordinates (n, 2) of examples that are drawn, and their points (n, 2) on the page."""
    drawn = None if maps is None else maps.map(method)
    if drawn is None:
        return None
    places = np.array(
        [(place, row_of[str(one)]) for place, one in enumerate(drawn.ids) if str(one) in row_of], np.int64
    )
    if not len(places):
        return None
    points = read_array(payload, one["points"])[places[:, 1]]
    known = (points != NOT_DRAWN).any(axis=1)
    return drawn.coordinates[places[known, 0]].astype(np.float64), points[known].astype(np.float64)


def _fitted(coordinates: NDArray[np.float64], points: NDArray[np.float64]) -> MapScale | None:
    if len(points) < LEAST or not np.ptp(coordinates, axis=0).all():
        return None
    lines = [np.polyfit(coordinates[:, axis], points[:, axis], 1) for axis in range(2)]
    scale = MapScale(np.array([line[0] for line in lines]), np.array([line[1] for line in lines]))
    off = np.abs(scale.factor * coordinates + scale.shift - points).max()
    return scale if off <= FARTHEST else None


def read_array(payload: Payload, ref: Mapping[str, Any]) -> NDArray[Any]:
    """An array of the payload, from its pack."""
    found = payload.packs[ref["pack"]]()[ref["offset"] : ref["offset"] + ref["bytes"]]
    return np.frombuffer(found, np.dtype(f"<{ref['dtype']}")).reshape(ref["shape"])
