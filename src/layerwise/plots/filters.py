"""Filters and feature maps as grids, with their scale; the values of vectors as strips."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from layerwise.plots.style import MUTED, axes_or_new, style
from layerwise.plots.words import shown
from layerwise.views.features import ExampleView

MOST_MAPS = 64
MOST_FILTERS = 256
MOST_NAMED = 12  # numbers up to which each of a vector bears its class
COLUMNS = 16
SMALLEST_SIDE = 12  # pixels, below which a picture among others is enlarged
WIDTH_INCHES, IMAGE_INCHES, HEAD_INCHES = 5.6, 1.2, 0.34
DIVERGING = "RdBu_r"
SEQUENTIAL = "magma"


def plot_filters(
    weights: NDArray[np.floating], ax: Axes | None = None, *, channel: int | None = None, title: str = ""
) -> Axes:
    """The filters of a convolution as a grid, 0 in the middle of the colours; the first 256 of more, and 64 channels.

    Args:
        weights: shape (F, C, h, w).
        ax: where to draw; by default new axes.
        channel: which channel; by default all: in colours where there are three, else side by side, a filter a row.
        title: above it.
    """
    whole = weights.shape[:2]
    weights = weights[:MOST_FILTERS]
    in_rows = channel is None and whole[1] not in (1, 3)
    if in_rows:
        weights = weights[:MOST_MAPS, :MOST_MAPS]
    count, channels = weights.shape[:2]
    if (count, channels) != whole:
        words = f"the first {count} of {whole[0]:,} filters"
        words += f", {channels} of {whole[1]:,} channels" if in_rows else ""
        title = f"{title}: {words}" if title else words
    bound = float(np.abs(weights).max()) or 1.0
    in_colors = channel is None and channels == 3
    with style():
        if in_colors:
            pictures = 0.5 + np.moveaxis(weights, 1, -1) / (2 * bound)  # 0 is grey
            columns = math.ceil(math.sqrt(count))
        elif in_rows:
            pictures, columns = weights.reshape(count * channels, *weights.shape[2:]), channels
        else:
            pictures = weights[:, channel or 0]
            columns = math.ceil(math.sqrt(count))
        grid = mosaic(pictures, columns)
        height, width = grid.shape[:2]
        ax = axes_or_new(ax, 4.2, 4.2 * height / width + 0.3)
        drawn = ax.imshow(grid, cmap=DIVERGING, vmin=-bound, vmax=bound, interpolation="nearest")
        _bare(ax, title)
        if not in_colors:
            _scale(ax, drawn)
        else:
            ax.set_xlabel(f"grey is 0; the largest weight is {bound:.3g}", fontsize=6.5, color=MUTED)
    return ax


def plot_features(
    tap_to_values: Mapping[str, NDArray[np.floating]],
    image: NDArray[np.uint8],
    *,
    title: str = "",
    class_names: Sequence[str] = (),
    tap_to_maps: Mapping[str, int] | None = None,
) -> Axes:
    """What a network computes for one example: the maps of each tap as a grid, its vectors as strips, with their scale.

    Args:
        tap_to_values: a tap to its value: (C, H, W), (D,), or another shape, which is drawn as a vector.
        image: shape (C, h, w), bytes; drawn first.
        title: above it.
        class_names: written under vectors of as many numbers.
        tap_to_maps: how many maps a tap has in all, where not all are given.

    Returns:
        The axes of the image; each tap has its own below.
    """
    values = {tap: np.asarray(value, np.float64) for tap, value in tap_to_values.items()}
    image_width = min(IMAGE_INCHES * image.shape[2] / image.shape[1], WIDTH_INCHES)
    heights = [image_width * image.shape[1] / image.shape[2], *map(_height, values.values())]
    last = next(reversed(values.values()), None)
    below = 0.3 if last is not None and _is_named(last, class_names) else 0.1
    total = sum(heights) + HEAD_INCHES * len(heights) + below
    with style():
        figure = Figure(figsize=(WIDTH_INCHES + 0.9, total), dpi=150)
        top = total
        axes: list[Axes] = []
        for height in heights:
            top -= HEAD_INCHES + height
            width = WIDTH_INCHES if axes else image_width
            axes.append(figure.add_axes((0.1 / 6, top / total, width / (WIDTH_INCHES + 0.9), height / total)))
        picture = np.moveaxis(image, 0, -1)
        axes[0].imshow(picture[..., 0] if picture.shape[-1] == 1 else picture, cmap="gray", interpolation="nearest")
        _bare(axes[0], title)
        for ax, (tap, value) in zip(axes[1:], values.items(), strict=True):
            _draw_value(ax, tap, value, class_names, (tap_to_maps or {}).get(tap, len(value)))
    return axes[0]


def plot_example(example: ExampleView) -> Axes:
    """What a network computed for one example, as `plot_features` draws it."""
    return plot_features(
        example.tap_to_values,
        example.image,
        title=example.words,
        class_names=example.class_names,
        tap_to_maps=example.tap_to_maps,
    )


def mosaic(pictures: NDArray[np.floating], columns: int) -> NDArray[np.float64]:
    """Pictures (M, h, w) or (M, h, w, 3) side by side, with gaps of NaN (of white, in colours); small ones enlarged."""
    times = max(1, SMALLEST_SIDE // min(pictures.shape[1:3]))
    large = pictures.repeat(times, axis=1).repeat(times, axis=2)
    count, height, width = large.shape[:3]
    lines, gap = math.ceil(count / columns), max(1, min(height, width) // 10)
    empty = 1.0 if pictures.ndim == 4 else np.nan
    grid = np.full((lines * (height + gap) - gap, columns * (width + gap) - gap, *pictures.shape[3:]), empty)
    for place, picture in enumerate(large):
        top, left = place // columns * (height + gap), place % columns * (width + gap)
        grid[top : top + height, left : left + width] = picture
    return grid


def _draw_value(ax: Axes, tap: str, value: NDArray[np.float64], class_names: Sequence[str], maps: int) -> None:
    signed = bool(value.min() < 0)
    bound = float(np.abs(value).max()) or 1.0
    colors: dict[str, Any] = {
        "cmap": DIVERGING if signed else SEQUENTIAL, "vmin": -bound if signed else 0.0, "vmax": bound,
        "interpolation": "nearest", "aspect": "auto",
    }  # fmt: skip
    if value.ndim == 3:
        count = min(len(value), MOST_MAPS)
        drawn = ax.imshow(mosaic(value[:count], min(COLUMNS, count)), **colors)
        words = f"{count} of {maps:,} maps" if count < maps else f"{count} maps"
    else:
        drawn = ax.imshow(value.ravel()[None], **colors)
        words = f"{value.size} numbers"
    _bare(ax, f"{shown(tap)}: {words}")
    if _is_named(value, class_names):
        ax.set_xticks(range(value.size), [shown(name, 10) for name in class_names], fontsize=6)
    _scale(ax, drawn)


def _is_named(value: NDArray[np.float64], class_names: Sequence[str]) -> bool:
    """Whether it is a number for each class, and the names have room."""
    return value.ndim != 3 and len(class_names) == value.size <= MOST_NAMED


def _height(value: NDArray[np.float64]) -> float:
    """Inches of a tap's picture: maps keep their proportions."""
    if value.ndim != 3:
        return 0.28
    count = min(len(value), MOST_MAPS)
    columns = min(COLUMNS, count)
    return float(WIDTH_INCHES / columns * math.ceil(count / columns) * value.shape[1] / value.shape[2])


def _bare(ax: Axes, title: str) -> None:
    ax.set_xticks([])
    ax.set_yticks([])
    ax.grid(visible=False)
    ax.spines[:].set_visible(False)
    ax.set_title(title, fontsize=7.5)


def _scale(ax: Axes, drawn: Any) -> None:
    figure = ax.get_figure()
    if figure is not None:
        bar = figure.colorbar(drawn, ax=ax, fraction=0.03, pad=0.015, aspect=12)
        bar.ax.tick_params(labelsize=5.5, length=2)
        bar.outline.set_visible(False)
        bar.ax.grid(visible=False)
