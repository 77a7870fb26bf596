"""Reconstructions: what an encoder's few numbers keep of an image."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from layerwise.errors import ShapeError
from layerwise.plots.style import axes_or_new, style

GAP = 1


def plot_reconstructions(
    images: NDArray[np.floating], reconstructions: NDArray[np.floating], ax: Axes | None = None
) -> Axes:
    """Images in a row, and below each what is left of it; values outside 0 to 1 are cut.

    Args:
        images: shape (M, C, h, w) in [0, 1], C 1 or 3.
        reconstructions: of the same shape.
        ax: where to draw; by default new axes.

    Raises:
        ShapeError: they are of different shapes.
    """
    if images.shape != reconstructions.shape or images.ndim != 4 or images.shape[1] not in (1, 3):
        raise ShapeError(
            f"images and reconstructions need one shape (M, C, h, w) with C 1 or 3; got {images.shape} and "
            f"{reconstructions.shape}."
        )
    count, _, height, width = images.shape
    mosaic = np.ones((2 * height + GAP, count * (width + GAP) - GAP, 3))
    for line, row in enumerate((images, reconstructions)):
        for column, image in enumerate(np.clip(row, 0, 1)):
            top, left = line * (height + GAP), column * (width + GAP)
            mosaic[top : top + height, left : left + width] = np.moveaxis(image, 0, -1)  # one channel becomes three
    with style():
        ax = axes_or_new(ax, 1.1 + 0.6 * count, 1.35)
        ax.imshow(mosaic, interpolation="nearest")
        ax.set_yticks([height / 2, 1.5 * height + GAP], ["image", "reconstruction"])
        ax.set_xticks([])
        ax.tick_params(length=0)
        ax.spines[:].set_visible(False)
        ax.grid(visible=False)
    return ax
