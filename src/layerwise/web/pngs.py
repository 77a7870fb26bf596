"""as_png: pixels as a data address that an <img> shows; feature_maps: the maps of one example at one tap as such."""

from __future__ import annotations

import base64
import io
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

MOST_MAPS = 64
MOST_SIDE = 64
MOST_VALUES = 4096


def as_png(pixels: NDArray[np.uint8]) -> str:
    """Grey (1, H, W) or coloured (3, H, W) pixels as `data:image/png;base64,…`."""
    image = Image.fromarray(pixels[0] if len(pixels) == 1 else np.ascontiguousarray(pixels.transpose(1, 2, 0)))
    file = io.BytesIO()
    image.save(file, "PNG")
    return f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode('ascii')}"


def feature_maps(tap: str, values: NDArray[np.floating]) -> dict[str, Any]:
    """What `GET api/features` answers.

    Args:
        tap: the tap's name.
        values: what one example gives there: maps (C, H, W), rows of tokens (T, D), a vector (D,) or other.

    Returns:
        `tap`, `shape`, and `maps` with their unit and picture, or None; `values` of a tap without maps, the first 4096,
        else None; `of`: how many maps there are in all, or values.

    Of more than 64 maps those are shown whose values differ most within the map, in the order of their numbers. Each is
    grey from its own smallest value to its own largest, and of a larger one every second, third … pixel is shown.
    """
    shape = "×".join(map(str, values.shape))
    found: dict[str, Any] = {"tap": tap, "shape": shape, "of": values.size, "maps": None, "values": None}
    if values.ndim not in (2, 3):
        return found | {"values": values.astype(np.float64).ravel()[:MOST_VALUES].tolist()}
    maps = values if values.ndim == 3 else values[None]
    spread = np.ptp(maps.reshape(len(maps), -1).astype(np.float64), axis=1)
    shown = np.sort(np.argsort(-spread, kind="stable")[:MOST_MAPS])
    return found | {
        "of": len(maps),
        "maps": [{"unit": int(unit), "png": as_png(_as_grey(maps[unit]))} for unit in shown],
    }


def _as_grey(values: NDArray[np.floating]) -> NDArray[np.uint8]:
    """A map (H, W) as bytes (1, h, w); one of equal values is black."""
    step = -(-max(values.shape) // MOST_SIDE)
    small = values[::step, ::step].astype(np.float64)
    low, span = values.min().astype(np.float64), np.ptp(values.astype(np.float64))
    grey: NDArray[np.uint8] = np.rint(255 * (small - low) / (span or 1)).astype(np.uint8)
    return grey[None]
