"""find_faults: whether the parts of a run folder belong together. refuse_faults: a file that was changed is named."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from layerwise.arrays.columns import Numbers, column_faults
from layerwise.arrays.depth import prediction_depth
from layerwise.errors import FileError

if TYPE_CHECKING:
    from layerwise.views.run import RunView

SPLITS = ("train", "validation", "test")
EXAMPLE_COLUMNS = ("id", "split", "label", "prediction", "confidence", "depth", "reference")
NUMBERS = ("label", "prediction", "confidence", "depth", "reference", "soft_depth")


TAP_NUMBERS = {
    "features": Numbers(0, whole=True),
    "parameters": Numbers(0, whole=True, gaps=True),
    "macs": Numbers(0, whole=True, gaps=True),
}


def refuse_faults(path: Path, faults: Sequence[str], again: str) -> None:
    """Refuse a file with faults, and say how to make it again.

    Raises:
        FileError: there are some.
    """
    if faults:
        raise FileError(f"{path} is damaged: {'; '.join(faults)}.\n    {again}")


def picture_faults(pictures: NDArray[Any]) -> list[str]:
    """Why an array of (N, C, h, w) bytes cannot be shown."""
    if pictures.dtype != np.uint8 or pictures.ndim != 4 or pictures.shape[1] not in (1, 3):
        return [f"it is {pictures.dtype} {pictures.shape}; bytes (N, C, h, w) of 1 or 3 channels are expected"]
    return []


def find_faults(view: RunView) -> list[str]:
    """What does not fit together, in words; sizes first, for nothing else can be asked of arrays of the wrong size."""
    return _column_faults(view) or _kind_faults(view) or _size_faults(view) or _value_faults(view)


def _column_faults(view: RunView) -> list[str]:
    missing = [name for name in EXAMPLE_COLUMNS if name not in view.examples.columns]
    faults = [f"examples.parquet has no column {', '.join(missing)}"] if missing else []
    if "name" not in view.taps.columns:
        faults.append("taps.parquet has no column name")
    if view.base is not None and not {"id", "label"} <= set(view.base.columns):
        faults.append("base.parquet needs the columns id and label")
    return faults


def _kind_faults(view: RunView) -> list[str]:
    name_to_values = {f"{name} of examples.parquet": view.examples[name] for name in NUMBERS if name in view.examples}
    if view.base is not None:
        name_to_values["label of base.parquet"] = view.base["label"]
    faults = [
        f"{name} holds {values.dtype}; numbers are expected"
        for name, values in name_to_values.items()
        if not isinstance(values.dtype, np.dtype) or values.dtype.kind not in "iufb"
    ]
    known = {name: numbers for name, numbers in TAP_NUMBERS.items() if name in view.taps}
    return faults + [f"taps.parquet: {fault}" for fault in column_faults(view.taps, known)]


def _size_faults(view: RunView) -> list[str]:
    count, taps = len(view.examples), len(view.taps)
    if count == 0 or taps == 0:
        return [f"{count} examples and {taps} taps; at least one of each is needed"]
    faults = []
    if view.votes.shape != (count, taps) or view.votes.dtype.kind not in "iu":
        faults.append(
            f"votes.npy is {view.votes.dtype} {view.votes.shape}; "
            f"{count} examples and {taps} taps need whole numbers {(count, taps)}"
        )
    if view.neighbors is not None and (view.neighbors.ndim != 3 or view.neighbors.shape[:2] != (count, taps)):
        faults.append(f"neighbors.npy is {view.neighbors.shape}; ({count}, {taps}, k) is expected")
    if (view.neighbors is None) != (view.base is None):
        faults.append("neighbors.npy and base.parquet go together, and one is missing")
    faults += _thumbnail_faults("thumbnails.npy", view.thumbnails, count)
    if view.base is not None:
        faults += _thumbnail_faults("base_thumbnails.npy", view.base_thumbnails, len(view.base))
    return faults


def _thumbnail_faults(name: str, thumbnails: NDArray[np.uint8] | None, count: int) -> list[str]:
    if thumbnails is None:
        return []
    if thumbnails.dtype != np.uint8 or thumbnails.ndim != 4 or len(thumbnails) != count:
        return [f"{name} is {thumbnails.dtype} {thumbnails.shape}; bytes ({count}, C, h, w) are expected"]
    if thumbnails.shape[1] not in (1, 3):
        return [f"{name} has {thumbnails.shape[1]} channels; 1 or 3 can be shown"]
    return []


def _value_faults(view: RunView) -> list[str]:
    classes = len(view.class_names)
    faults = [
        f"{what} has classes outside 0 to {classes - 1}, for which there are {classes} names"
        for what, values in _class_columns(view).items()
        if len(values) and not (values.min() >= 0 and values.max() < classes)
    ]
    unknown = sorted(set(view.examples["split"].astype(str)) - set(SPLITS))
    if unknown:
        faults.append(f"split is {', '.join(unknown)}; expected one of {', '.join(SPLITS)}")
    if view.neighbors is not None and view.base is not None and not _points_into(view.neighbors, len(view.base)):
        faults.append(f"neighbors.npy points outside the {len(view.base)} rows of base.parquet")
    reference = view.examples["reference"].to_numpy()
    agrees = reference == view.votes.T  # (L, N)
    wrong = int((prediction_depth(agrees) != view.examples["depth"].to_numpy()).sum())
    if wrong:
        faults.append(f"the depth of {wrong} of {len(view.examples)} examples does not follow from votes.npy")
    return faults


def _points_into(neighbors: NDArray[np.integer], rows: int) -> bool:
    return neighbors.size == 0 or bool(neighbors.min() >= 0 and neighbors.max() < rows)


def _class_columns(view: RunView) -> dict[str, NDArray[Any]]:
    columns: dict[str, NDArray[Any]] = {
        name: view.examples[name].to_numpy() for name in ("label", "prediction", "reference")
    }
    columns["votes.npy"] = view.votes
    if view.base is not None:
        columns["base.parquet"] = view.base["label"].to_numpy()
    if view.units is not None:
        columns["units/shown.parquet"] = view.units.shown["label"].to_numpy()
    return columns
