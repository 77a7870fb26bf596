"""Small pictures of images, for tables and reports that are read without the data set."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from layerwise.data.images import ImageData

THUMBNAIL_SIDE = 64
ROWS_AT_ONCE = 1024


def thumbnails(data: ImageData) -> NDArray[np.uint8]:
    """Small pictures, shape (N, C, h, w), C 1 or 3: the images as bytes, every second, third … pixel of large ones.

    Images that are not bytes are stretched from their own lowest to their highest value. Of images with neither one nor
    three channels, the first channel is shown.
    """
    _, channels, height, width = data.images.shape
    step = -(-max(height, width) // THUMBNAIL_SIDE)
    shown = channels if channels in (1, 3) else 1
    if not len(data):
        return np.zeros((0, shown, -(-height // step), -(-width // step)), np.uint8)
    parts = [
        _as_bytes(data.images[start : start + ROWS_AT_ONCE][:, :shown, ::step, ::step])
        for start in range(0, len(data), ROWS_AT_ONCE)
    ]
    return np.concatenate(parts)


def _as_bytes(images: NDArray[Any]) -> NDArray[np.uint8]:
    if images.dtype == np.uint8:
        return images
    low = images.astype(np.float64).min(axis=(1, 2, 3), keepdims=True)
    span = images.max(axis=(1, 2, 3), keepdims=True) - low
    shares = (images - low) / np.where(span > 0, span, 1)
    stretched: NDArray[np.uint8] = np.rint(255 * shares).astype(np.uint8)
    return stretched
