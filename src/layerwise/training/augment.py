"""flip_and_crop: the usual augmentation of small images, for a whole batch at once."""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

__all__ = ["flip_and_crop"]


def flip_and_crop(images: NDArray[np.float32], rng: np.random.Generator, *, padding: int = 4) -> NDArray[np.float32]:
    """Each image mirrored left to right half of the time, then moved by up to `padding` pixels each way.

    Args:
        images: shape (B, C, H, W).
        rng: draws one mirror and one place per image.
        padding: pixels of zeros around an image, from which H × W are cut out.

    Returns:
        A new array of shape (B, C, H, W).

    Source: He, Zhang, Ren and Sun (2016), section 4.2.
    """
    count, _, height, width = images.shape
    mirrored = np.less(rng.random(count), 0.5)
    top, left = rng.integers(0, 2 * padding + 1, size=(2, count))
    flipped = np.where(mirrored[:, None, None, None], images[..., ::-1], images)
    padded = np.pad(flipped, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    windows = sliding_window_view(padded, (height, width), axis=(2, 3))  # (B, C, 2P+1, 2P+1, H, W), a view
    return np.ascontiguousarray(windows[np.arange(count), :, top, left])
