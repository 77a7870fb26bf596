"""small_pixels: images as vectors of a bearable length."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from layerwise.data.images import ImageData

MOST_SIDE = 32
ROWS_AT_ONCE = 1024


def small_pixels(data: ImageData, *, most_side: int = MOST_SIDE) -> NDArray[np.float32]:
    """The images (N, C, h, w), large ones averaged over squares until no side has more pixels than `most_side`.

    They are read and averaged 1,024 at a time.
    """
    _, height, width = data.image_shape
    step = -(-max(height, width) // most_side)
    small = np.empty((len(data), data.image_shape[0], -(-height // step), -(-width // step)), np.float32)
    for start in range(0, len(data), ROWS_AT_ONCE):
        images = torch.from_numpy(data.batch(slice(start, start + ROWS_AT_ONCE)))
        if step > 1:
            images = functional.avg_pool2d(images, step, ceil_mode=True, count_include_pad=False)
        small[start : start + ROWS_AT_ONCE] = images.numpy()
    return small


def is_shrunk(data: ImageData, *, most_side: int = MOST_SIDE) -> bool:
    """Whether `small_pixels` averages."""
    return max(data.image_shape[1:]) > most_side
