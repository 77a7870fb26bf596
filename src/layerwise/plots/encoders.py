"""Encoders: what their few numbers keep of an image, and where images that they have not seen fall."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from layerwise.errors import ShapeError
from layerwise.plots.maps import DOTS, dot_area, frame, legend_of_classes, plot_map
from layerwise.plots.style import INK, MUTED, NEUTRAL, axes_or_new, class_colors, style
from layerwise.plots.words import shown
from layerwise.views.encoders import ENCODER_NAMES, EncodersView

GAP = 1
SIDE = 2.9


def plot_reconstructions(name_to_images: Mapping[str, NDArray[np.floating]], ax: Axes | None = None) -> Axes:
    """Images in a row, and below each what encoders leave of it; values outside 0 to 1 are cut.

    Args:
        name_to_images: by the words beside the row, the images first: shape (M, C, h, w) in [0, 1], C 1 or 3.
        ax: where to draw; by default new axes.

    Raises:
        ShapeError: they are of different shapes.
    """
    shapes = {images.shape for images in name_to_images.values()}
    shape = next(iter(shapes), ())
    if len(shapes) != 1 or len(shape) != 4 or shape[1] not in (1, 3):
        raise ShapeError(
            "images and reconstructions need one shape (M, C, h, w) with C 1 or 3; got "
            + " and ".join(str(images.shape) for images in name_to_images.values())
            + "."
        )
    count, _, height, width = shape
    rows = len(name_to_images)
    mosaic = np.ones((rows * (height + GAP) - GAP, count * (width + GAP) - GAP, 3))
    for line, images in enumerate(name_to_images.values()):
        for column, image in enumerate(np.clip(images, 0, 1)):
            top, left = line * (height + GAP), column * (width + GAP)
            mosaic[top : top + height, left : left + width] = np.moveaxis(image, 0, -1)  # one channel becomes three
    with style():
        ax = axes_or_new(ax, 1.5 + 0.6 * count, 0.15 + 0.6 * rows)
        ax.imshow(mosaic, interpolation="nearest")
        ax.set_yticks([height / 2 + line * (height + GAP) for line in range(rows)], list(name_to_images))
        ax.set_xticks([])
        ax.tick_params(length=0)
        ax.spines[:].set_visible(False)
        ax.grid(visible=False)
    return ax


def plot_encoder_reconstructions(view: EncodersView, ax: Axes | None = None) -> Axes:
    """Some held-out images above what each encoder leaves of them, with the share of the variance that is lost.

    Of images with neither one nor three channels, the first channel is shown.
    """
    pictures = view.pictures if view.pictures.shape[2] in (1, 3) else view.pictures[:, :, :1]
    rows = {"image": pictures[0]}
    for name, images in zip(view.reconstructing, pictures[1:], strict=True):
        numbers = view.row(name)
        lost = f"{numbers['error_held_out']:.1%} of variance lost"
        words = f"{ENCODER_NAMES[numbers['encoder']]}, {numbers['dims']} numbers\n{lost}"
        rows[words] = images
    low, high = float(pictures[0].min()), float(pictures[0].max())
    if low < 0 or high > 1:  # images that are not shares of white are stretched, all alike
        rows = {words: (images - low) / (high - low) for words, images in rows.items()}
    return plot_reconstructions(rows, ax)


def plot_new_images(view: EncodersView) -> Axes:
    """Each encoder's map: learned images pale, held-out ones in the colour of their class; gives the first axes."""
    palette = class_colors(len(view.class_names))
    new = view.points["held_out"].to_numpy(bool)
    labels = view.points["label"].to_numpy()
    with style():
        figure = Figure(figsize=(SIDE * len(view.drawn), SIDE + 0.9), layout="compressed", dpi=DOTS)
        grid = figure.subplots(1, len(view.drawn), squeeze=False)
        for ax, name in zip(grid.flat, view.drawn, strict=True):
            numbers = view.row(name)
            coordinates = view.points[[f"{name}_x", f"{name}_y"]].to_numpy()
            ax.scatter(
                *coordinates[~new].T,
                s=dot_area(int((~new).sum()), SIDE),
                c=[palette[label] for label in labels[~new]] if palette else NEUTRAL,
                alpha=0.15,
                linewidths=0,
                rasterized=True,
            )
            plot_map(coordinates[new], labels[new], view.class_names, ax, inches=SIDE)
            frame(ax, coordinates)
            voted = numbers["labels_codes"] if numbers["encoder"] == "tsne" else numbers["labels_map"]
            title = "autoencoder, then t-SNE" if numbers["encoder"] == "autoencoder" else "parametric t-SNE"
            ax.set_title(f"{title}: {shown(numbers['tap'])}", fontsize=8)
            ax.set_xlabel(
                f"labels {voted:.2f} of {numbers['labels_features']:.2f}", fontsize=6.5, color=MUTED, labelpad=2
            )
        legend_of_classes(figure, view.class_names, columns=5)
        figure.suptitle(
            "Held-out images, among the learned ones (pale)",
            fontsize=9.5,
            fontweight="bold",
            x=0.01,
            ha="left",
            color=INK,
        )
    first: Axes = grid[0, 0]
    return first
