"""Reading back what the explorer's page is given, as the page does."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from typing import Any

import numpy as np
from PIL import Image

from layerwise.views.explorer.payload import Payload

ITEMS = {"u1": "<u1", "u2": "<u2", "u4": "<u4", "i4": "<i4", "f4": "<f4"}


def read(payload: Payload, reference: Mapping[str, Any]) -> Any:
    """The array, or the list of words, that a reference of the manifest means."""
    pack, start = payload.packs[reference["pack"]](), reference["offset"]
    part = pack[start : start + reference["bytes"]]
    if reference["dtype"] == "json":
        return json.loads(part)
    return np.frombuffer(part, ITEMS[reference["dtype"]]).reshape(reference["shape"])


def column(payload: Payload, name: str) -> np.ndarray:
    """The values of a column."""
    (found,) = (one for one in payload.manifest["columns"] if one["name"] == name)
    return read(payload, found["array"])


def picture(payload: Payload, sheets: Mapping[str, Any], place: int) -> np.ndarray:
    """One picture of some sheets, (h, w) or (h, w, 3)."""
    per_sheet = sheets["columns"] * sheets["rows"]
    sheet = np.asarray(Image.open(io.BytesIO(payload.sheets[sheets["files"][place // per_sheet]]())))
    row, across = divmod(place % per_sheet, sheets["columns"])
    height, width = sheets["height"], sheets["width"]
    return sheet[row * height : (row + 1) * height, across * width : (across + 1) * width]
