"""Maps: the examples as points, coloured by class, at one tap or at all of them side by side."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from layerwise.plots.style import INK, MUTED, NEUTRAL, class_colors, style
from layerwise.plots.words import shown
from layerwise.views.maps import METHOD_NAMES, MapsView

COLUMNS = 4
SIDE = 1.9  # inches of one map among many
DOTS = 200  # of an inch: points are painted, for ten thousand of them would make a page of tens of megabytes


def plot_map(
    coordinates: NDArray[np.floating],
    labels: NDArray[np.integer],
    class_names: Sequence[str],
    ax: Axes | None = None,
    *,
    title: str = "",
    words: str = "",
    inches: float = 4.0,
) -> Axes:
    """One map: a point for each example, coloured by class, or with more classes than colours, their names.

    A figure of its own gets a legend.

    Args:
        coordinates: shape (N, 2).
        labels: shape (N,).
        class_names: K names.
        ax: where to draw; by default new axes.
        title, words: above it and below.
        inches: the side of the map, for the size of the points.
    """
    palette = class_colors(len(class_names))
    with style():
        own = None
        if ax is None:
            own = Figure(figsize=(4.2, 4.9), layout="compressed")
            ax = own.add_subplot()
        ax.scatter(
            coordinates[:, 0],
            coordinates[:, 1],
            s=dot_area(len(coordinates), inches),
            c=[palette[label] for label in labels] if palette else NEUTRAL,
            alpha=0.75,
            linewidths=0,
            rasterized=True,
        )
        if not palette:
            for label in np.unique(labels):
                x, y = np.median(coordinates[labels == label], axis=0)
                ax.text(x, y, shown(class_names[label], 12), ha="center", va="center", fontsize=5.5, color=INK)
        frame(ax, coordinates)
        ax.set_title(title, fontsize=8)
        ax.set_xlabel(words, fontsize=6.5, color=MUTED)
        if own is not None:
            legend_of_classes(own, class_names, columns=5)
    return ax


def dot_area(count: int, inches: float) -> float:
    """The area of a point, in square points of print: together they cover a seventh of the map."""
    return float(np.clip(0.15 * (72 * inches) ** 2 / count, 0.6, 14.0))


def plot_tap_maps(view: MapsView, method: str) -> Axes:
    """The maps of all taps by one method, side by side, each with its numbers; gives the axes of the first."""
    taps = view.taps_of(method)
    columns = min(COLUMNS, len(taps))
    lines = math.ceil(len(taps) / columns)
    palette = class_colors(len(view.class_names))
    legend_height = 0.3 if palette else 0.0
    with style():
        figure = Figure(figsize=(SIDE * columns, (SIDE + 0.5) * lines + legend_height), layout="compressed", dpi=DOTS)
        grid = figure.subplots(lines, columns, squeeze=False)
        for ax in grid.flat[len(taps) :]:
            ax.set_visible(False)
        for ax, tap in zip(grid.flat, taps, strict=False):
            points, row = view.points[tap], view.row(tap, method)
            plot_map(
                points[[f"{method}_x", f"{method}_y"]].to_numpy(),
                points["label"].to_numpy(),
                view.class_names,
                ax,
                inches=SIDE,
            )
            ax.set_title(shown(tap), fontsize=8)
            ax.set_xlabel(
                f"labels {row['label_accuracy']:.2f} of {row['feature_label_accuracy']:.2f}\n"
                f"trust {row['trustworthiness']:.3f}, recall {row['recall']:.2f}",
                fontsize=6.5,
                color=MUTED,
                labelpad=2,
            )
        legend_of_classes(figure, view.class_names, columns=5 if columns > 2 else 3)
        words = f"{METHOD_NAMES.get(method, method)} of {len(view.points[taps[0]]):,} images"
        figure.suptitle(words, fontsize=9.5, fontweight="bold", x=0.01, ha="left")
    first: Axes = grid[0, 0]
    return first


def legend_of_classes(figure: Figure, class_names: Sequence[str], *, columns: int) -> None:
    """The colours of the classes below all maps; none where there are more classes than colours."""
    handles = [
        Line2D([], [], marker="o", markersize=4, linestyle="", color=color, label="\u200b" + shown(name))
        for color, name in zip(class_colors(len(class_names)), class_names, strict=False)
    ]
    if handles:
        figure.legend(
            handles=handles,
            loc="outside lower center",
            ncols=min(columns, len(handles)),
            fontsize=7,
            handletextpad=0.1,
            columnspacing=1.2,
        )


def frame(ax: Axes, coordinates: NDArray[np.floating]) -> None:
    """Equal scales, no ticks: distances on a map have no unit; some points far off do not shrink the others."""
    low, high = np.quantile(coordinates, [0.001, 0.999], axis=0)
    middle, half = (low + high) / 2, max(float((high - low).max()) / 2, 1e-9) * 1.06
    ax.set_xlim(middle[0] - half, middle[0] + half)
    ax.set_ylim(middle[1] - half, middle[1] + half)
    ax.set_aspect("equal")
    ax.set_xticks([])
    ax.set_yticks([])
    ax.grid(visible=False)
    for spine in ax.spines.values():
        spine.set_visible(True)
        spine.set_color(MUTED)
        spine.set_linewidth(0.4)
