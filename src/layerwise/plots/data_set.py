"""Pictures of a data set before any network: a row of examples for each class."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from layerwise.plots.style import axes_or_new, empty_axes, style
from layerwise.plots.words import shown

GAP = 2


def plot_class_grid(
    images: NDArray[np.uint8], labels: NDArray[np.int64], class_names: Sequence[str], ax: Axes | None = None
) -> Axes:
    """A row of images for each class, with its name; without images the axes are empty, and say so.

    Args:
        images: shape (M, C, h, w), bytes; the examples to show.
        labels: shape (M,).
        class_names: K names; those without an image are left out.
        ax: where to draw; by default new axes.
    """
    if not len(images):
        return empty_axes(ax, "no examples")
    shown_classes = [label for label in range(len(class_names)) if (labels == label).any()]
    columns = max(int((labels == label).sum()) for label in shown_classes)
    channels, height, width = images.shape[1:]
    mosaic = np.full((len(shown_classes) * (height + GAP), columns * (width + GAP), max(channels, 3)), 255, np.uint8)
    for line, label in enumerate(shown_classes):
        for column, image in enumerate(images[labels == label]):
            top, left = line * (height + GAP), column * (width + GAP)
            mosaic[top : top + height, left : left + width] = np.moveaxis(image, 0, -1)  # one channel becomes three
    with style():
        ax = axes_or_new(ax, 1.2 + 0.55 * columns, 0.55 * len(shown_classes) + 0.2)
        ax.imshow(mosaic, interpolation="nearest")
        ax.set_yticks([line * (height + GAP) + height / 2 for line in range(len(shown_classes))])
        ax.set_yticklabels([shown(class_names[label]) for label in shown_classes])
        ax.set_xticks([])
        ax.tick_params(length=0)
        ax.spines[:].set_visible(False)
        ax.grid(visible=False)
    return ax
