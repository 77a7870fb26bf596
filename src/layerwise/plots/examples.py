"""Pictures of single examples: grids of images, the votes at every tap, the nearest neighbours at every tap."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from layerwise.errors import RunError
from layerwise.plots.style import (
    CROWDED,
    INK,
    LETTER_INCHES,
    OTHER,
    SAME,
    axes_or_new,
    axes_over_columns,
    class_colors,
    empty_axes,
    legend,
    name_columns,
    readable_on,
    style,
    vote_colors,
    vote_legend,
)
from layerwise.plots.words import shown
from layerwise.views.examples import Story, story
from layerwise.views.run import RunView

COLUMNS = 6
LARGEST_SIDE = 40  # pixels of a neighbour: more would not be seen at its size, and hundreds are drawn


def plot_examples(view: RunView, rows: Sequence[int], ax: Axes | None = None, *, columns: int = COLUMNS) -> Axes:
    """A grid of images, each with its label, the prediction where it differs, its confidence and its depth.

    Without rows the axes are empty, and say so.

    Raises:
        RunError: the run has no thumbnails.
    """
    images = _thumbnails_of(view)[np.asarray(rows, np.int64)]  # (len(rows), C, h, w)
    if not len(rows):
        return empty_axes(ax, "no examples")
    columns = max(1, min(columns, len(rows)))
    lines = math.ceil(len(rows) / columns)
    height, width = images.shape[2:]
    cell_height, cell_width = round(height + 0.46 * width), round(1.08 * width)
    with style():
        ax = axes_or_new(ax, 1.35 * columns, 1.35 * lines * cell_height / cell_width)
        _draw_mosaic(ax, _mosaic(images, columns, cell_height, cell_width))
        for place, row in enumerate(rows):
            line, column = divmod(place, columns)
            x, y = column * cell_width, line * cell_height + 1.04 * height
            ax.text(x, y, _caption(view, int(row)), va="top", fontsize=6.5, linespacing=1.25)
    return ax


def plot_vote_strip(view: RunView, row: int, ax: Axes | None = None) -> Axes:
    """The class that each tap's probe gives one example; outlined where it is the reference class."""
    one = story(view, row)
    with style():
        words = _legend_of_votes(view, one)
        cell = 0.6 if len(view.taps) <= CROWDED else 0.42
        width = max(4.2, cell * len(view.taps)) + 0.5 + LETTER_INCHES * max(len(name) for _, name in words)
        ax = axes_over_columns(ax, view.tap_names, width, 1.5)
        colors = vote_colors(
            one.votes.tolist(), label=one.label, reference=one.reference, classes=len(view.class_names)
        )
        for tap, (vote, color) in enumerate(zip(one.votes, colors, strict=True)):
            agrees = bool(vote == one.reference)
            edge = INK if agrees else "none"
            ax.add_patch(Rectangle((tap - 0.44, 0.06), 0.88, 0.88, facecolor=color, edgecolor=edge, linewidth=1.8))
            if one.support is not None:
                ink = readable_on(color)
                ax.text(tap, 0.5, f"{100 * one.support[tap]:.0f} %", ha="center", va="center", fontsize=6.5, color=ink)
        name_columns(ax, view.tap_names)
        ax.set_ylim(0, 1)
        ax.set_yticks([])
        ax.grid(visible=False)
        ax.spines[:].set_visible(False)
        ax.tick_params(length=0)
        ax.set_title(_sentence(view, one), fontsize=8.5)
        legend(ax, words, loc="center left", bbox_to_anchor=(1.0, 0.5))
    return ax


def plot_neighbors_by_tap(view: RunView, row: int, ax: Axes | None = None, *, count: int = 10) -> Axes:
    """The nearest training images of one example at every tap, nearest first; green if of the reference class.

    Raises:
        RunError: the run has no neighbours, or no thumbnails of the training images.
    """
    one = story(view, row)
    if one.neighbors is None or one.neighbor_labels is None or view.base_thumbnails is None:
        raise RunError(
            f"{view.name} has no neighbors.npy, base.parquet or base_thumbnails.npy.\n"
            f"    Measure it again: layerwise difficulty {view.name}"
        )
    count, taps = max(1, min(count, one.neighbors.shape[1])), len(view.taps)
    images = _small(view.base_thumbnails[one.neighbors[:, :count].ravel()])  # (L · count, C, h, w)
    same = one.neighbor_labels[:, :count].ravel() == one.reference
    height, width = images.shape[2:]
    cell_height, cell_width = height + max(2, height // 6), width + max(2, width // 6)
    with style():
        names = [shown(name) for name in view.tap_names]
        margin = 0.4 + LETTER_INCHES * max(map(len, names))
        ax = axes_or_new(ax, margin + 0.56 * count, 0.6 + 0.56 * taps * cell_height / cell_width)
        _draw_mosaic(ax, _mosaic(images, count, cell_height, cell_width))
        for place in range(taps * count):
            line, column = divmod(place, count)
            _frame(ax, column * cell_width, line * cell_height, width, height, same=bool(same[place]))
        ax.set_yticks(np.arange(taps) * cell_height + height / 2, names)
        ax.tick_params(axis="y", length=0)
        ax.set_title(f"Nearest training images of {shown(one.id)}, tap by tap", fontsize=8.5)
        own_class = shown(view.class_names[one.reference])
        words = [(SAME, f"{own_class}, {view.reference_words}"), (OTHER, "another class (dashed)")]
        legend(ax, words, loc="upper left", bbox_to_anchor=(0.0, 0.0), ncols=2, borderaxespad=0.2)
    return ax


def _legend_of_votes(view: RunView, one: Story) -> list[tuple[str, str]]:
    """What the colours of one strip mean: only the classes that it shows, or the roles where classes are too many."""
    words = vote_legend([shown(name) for name in view.class_names], view.reference_words)
    if not class_colors(len(view.class_names)):
        return words
    return [words[number] for number in sorted({one.reference, one.label, *one.votes.tolist()})]


def _thumbnails_of(view: RunView) -> NDArray[np.uint8]:
    if view.thumbnails is None:
        raise RunError(
            f"{view.name} has no thumbnails.npy: there are no images to show.\n"
            f"    Measure it again: layerwise difficulty {view.name}"
        )
    return view.thumbnails


def _mosaic(images: NDArray[np.uint8], columns: int, cell_height: int, cell_width: int) -> NDArray[np.uint8]:
    """Images (M, C, h, w) at the upper left of the cells of a grid, transparent between: (rows, columns, 4) bytes."""
    count, _, height, width = images.shape
    lines = math.ceil(count / columns)
    mosaic = np.zeros((lines * cell_height, columns * cell_width, 4), np.uint8)
    for place, image in enumerate(images):
        line, column = divmod(place, columns)
        top, left = line * cell_height, column * cell_width
        mosaic[top : top + height, left : left + width, :3] = np.moveaxis(image, 0, -1)  # one channel becomes three
        mosaic[top : top + height, left : left + width, 3] = 255
    return mosaic


def _small(images: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Images (M, C, h, w) whose sides are at most `LARGEST_SIDE`, by the mean over square blocks of pixels."""
    block = math.ceil(max(images.shape[2:]) / LARGEST_SIDE)
    if block == 1:
        return images
    height, width = (side // block * block for side in images.shape[2:])
    blocks = images[:, :, :height, :width].reshape(*images.shape[:2], height // block, block, width // block, block)
    small: NDArray[np.uint8] = blocks.mean(axis=(3, 5)).round().astype(np.uint8)
    return small


def _draw_mosaic(ax: Axes, mosaic: NDArray[np.uint8]) -> None:
    """A mosaic in axes whose unit is its pixel."""
    height, width = mosaic.shape[:2]
    ax.imshow(mosaic, extent=(0, width, height, 0), interpolation="none", aspect="equal")
    ax.set_xlim(-0.01 * width, width)
    ax.set_xticks([])
    ax.set_yticks([])
    ax.grid(visible=False)
    ax.spines[:].set_visible(False)


def _frame(ax: Axes, left: float, top: float, width: float, height: float, *, same: bool) -> None:
    color, line = (SAME, "solid") if same else (OTHER, (0, (2.5, 1.2)))
    frame = Rectangle((left, top), width, height, fill=False, edgecolor=color, linewidth=2, linestyle=line)
    frame.set_clip_on(False)
    ax.add_patch(frame)


def _caption(view: RunView, row: int) -> str:
    one = story(view, row)
    label, prediction = shown(view.class_names[one.label], 15), shown(view.class_names[one.prediction], 13)
    second = "✓" if one.label == one.prediction else f"→ {prediction}"
    # The number has a line without the names, which may be written from right to left.
    return f"{label}\n{second}\n{100 * one.confidence:.0f} %, {shown(view.depth_names[one.depth], 12)}"


def _sentence(view: RunView, one: Story) -> str:
    """Who it is, what the network says, and when it was decided."""
    label, prediction = shown(view.class_names[one.label]), shown(view.class_names[one.prediction])
    decided = "unresolved" if one.depth == len(view.taps) else f"decided by {shown(view.tap_names[one.depth])}"
    return f"{shown(one.id)}: label {label}, prediction {prediction} ({100 * one.confidence:.0f} %),\n{decided}"
