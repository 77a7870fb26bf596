"""Payload: all that the explorer's page shows of a run; `explorer_payload` makes it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from layerwise.errors import InputError
from layerwise.views.explorer.columns import example_columns, reference_answer
from layerwise.views.explorer.maps import map_methods
from layerwise.views.explorer.missing import missing_of
from layerwise.views.explorer.packing import ArrayRef, Packer, smallest_item
from layerwise.views.explorer.parts import exits_of, facts_of, neighbors_of, taps_of, units_of
from layerwise.views.explorer.sheets import sheets_of
from layerwise.views.run import RunView

FORMAT = 1
NEIGHBORS = 10


@dataclass(frozen=True, eq=False)
class Payload:
    """What the page is given.

    Attributes:
        manifest: what there is and where it lies; JSON. `Manifest` of webapp/src/payload.ts says each of its names.
        packs: a pack's name to what makes its bytes: arrays, little-endian, one after the other.
        sheets: a file name to what makes that file: small pictures, many to an image file.
    """

    manifest: Mapping[str, Any]
    packs: Mapping[str, Callable[[], bytes]]
    sheets: Mapping[str, Callable[[], bytes]]


def explorer_payload(view: RunView, *, neighbors: int = NEIGHBORS, small: bool = False) -> Payload:
    """Everything that the page shows, from what a run folder holds.

    Args:
        view: what was measured.
        neighbors: how many of the nearest training images the page shows at each tap.
        small: to be passed on: pictures are made small rather than exact.

    Raises:
        InputError: `neighbors` is not positive.
    """
    if neighbors < 1:
        raise InputError(f"neighbors = {neighbors}: the page shows at least one neighbour at each tap.")
    packer = Packer()
    pictures, files = sheets_of(view.thumbnails, "examples", small=small)
    base_pictures, base_files = sheets_of(view.base_thumbnails, "base", small=small)
    unit_pictures, unit_files = sheets_of(None if view.units is None else view.units.pictures, "units", small=small)
    maps = [] if view.maps is None else map_methods(view.maps, view, packer)
    manifest = {
        "format": FORMAT,
        "name": view.name,
        "count": len(view.examples),
        "base_count": 0 if view.base is None else len(view.base),
        "classes": list(view.class_names),
        "taps": taps_of(view),
        "reference": reference_answer(view),
        "depth_names": list(view.depth_names),
        "columns": [column.described(packer, len(view.class_names)) for column in example_columns(view)],
        "ids": packer.add_json("ids", view.examples["id"].astype(str).tolist()),
        **_base(view, packer),
        "votes": _votes(view, packer),
        "neighbors": neighbors_of(view, packer, neighbors),
        "maps": maps,
        "exits": exits_of(view, packer),
        "pictures": pictures,
        "base_pictures": base_pictures,
        "units": units_of(view),
        "unit_pictures": unit_pictures,
        "facts": facts_of(view),
        "missing": missing_of(view, maps),
        "can": {"place": False, "feature_maps": False},
    }
    return Payload(manifest, packer.packs, {**files, **base_files, **unit_files})


def _votes(view: RunView, packer: Packer) -> ArrayRef:
    item = smallest_item(len(view.class_names))
    return packer.later("votes", view.votes.shape, item, lambda: np.asarray(view.votes))


def _base(view: RunView, packer: Packer) -> dict[str, ArrayRef | None]:
    if view.base is None:
        return {"base_ids": None, "base_label": None}
    return {
        "base_ids": packer.add_json("base-ids", view.base["id"].astype(str).tolist()),
        "base_label": packer.add("base", view.base["label"].to_numpy(), smallest_item(len(view.class_names))),
    }
