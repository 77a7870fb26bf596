"""Pictures of a data set before any network: a row of examples for each class."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from layerwise.plots.style import MUTED, RIGHT, axes_or_new, empty_axes, percent_axis, style
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


def plot_explained(explained: NDArray[np.floating], ax: Axes | None = None, *, marked: float = 0.9) -> Axes:
    """The share of the variance that the first components hold, on a logarithmic scale of their number.

    Args:
        explained: shape (P,), cumulative, from the first component on.
        ax: where to draw; by default new axes.
        marked: a share at which the number of components is written.
    """
    needed = int(np.searchsorted(explained, marked - 1e-9)) + 1
    with style():
        ax = axes_or_new(ax, 4.2, 2.6)
        ax.plot(np.arange(1, len(explained) + 1), explained, color=RIGHT, lw=1.6)
        ax.set_xscale("log")
        ax.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
        ax.axvline(needed, color=MUTED, lw=0.8, ls=(0, (4, 3)))
        ax.annotate(
            f"{needed} of {len(explained)} hold {100 * marked:.0f} %",
            (needed, 0.06),
            xytext=(-4 if needed > len(explained) ** 0.5 else 4, 0),
            textcoords="offset points",
            ha="right" if needed > len(explained) ** 0.5 else "left",
            fontsize=8,
            color=MUTED,
        )
        ax.set_ylim(0, 1.03)
        ax.yaxis.set_major_formatter(percent_axis())
        ax.set_xlabel("principal components of the pixels")
        ax.set_ylabel("variance held")
    return ax
