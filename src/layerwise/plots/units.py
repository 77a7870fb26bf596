"""Pictures of units: how often they fire at each tap, the gradient at each layer, and the images that excite them."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, NullFormatter

from layerwise.plots.style import (
    MUTED,
    RIGHT,
    WRONG,
    axes_or_new,
    axes_over_columns,
    empty_axes,
    name_columns,
    note_above,
    style,
)
from layerwise.plots.words import shown
from layerwise.views.units import UnitsView

GAP = 1
UNITS_IN_PICTURE = 4
WIDEST = 12.0  # inches: with more layers they stand closer


def plot_firing(view: UnitsView, ax: Axes | None = None) -> Axes:
    """How often the units of each tap fire: median, quartiles and the middle nine tenths; above, how many are dead."""
    layers = view.layers()
    places = np.arange(len(layers))
    with style():
        ax = axes_over_columns(ax, list(layers["tap"]), max(4.2, min(0.5 * len(layers), WIDEST)), 2.6)
        ax.vlines(places, layers["low"], layers["high"], color=MUTED, linewidth=0.9)
        ax.vlines(places, layers["lower"], layers["upper"], color=RIGHT, linewidth=5, alpha=0.55)
        ax.plot(places, layers["median"], "o", color=RIGHT, markersize=3.5)
        for place, row in enumerate(layers.to_dict("records")):
            if row["dead"]:
                note_above(ax, place, 1.0, f"{row['dead']} of {row['units']} dead", columns=len(layers))
        ax.set_ylim(0, 1.0)
        ax.set_ylabel("share of values above 0")
        ax.set_xlabel("units of each tap: median, quartiles, middle nine tenths", fontsize=6.5, color=MUTED)
        name_columns(ax, list(layers["tap"]))
    return ax


def plot_gradients(view: UnitsView, ax: Axes | None = None) -> Axes:
    """The root mean square of the loss's gradient at each layer, on a logarithmic scale; red where it is exactly 0."""
    names, rms = list(view.gradients["layer"]), view.gradients["rms"].to_numpy()
    positive = rms[rms > 0]
    floor = float(positive.min()) / 3 if len(positive) else 1e-12
    with style():
        ax = axes_over_columns(ax, names, max(4.2, min(0.22 * len(names) + 1, WIDEST)), 2.6)
        ax.vlines(np.arange(len(rms)), floor, np.maximum(rms, floor), color=MUTED, linewidth=0.8)
        colors = [RIGHT if value > 0 else WRONG for value in rms]
        ax.scatter(np.arange(len(rms)), np.maximum(rms, floor), c=colors, s=14, zorder=3, linewidths=0)
        ax.set_yscale("log")
        ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        ax.yaxis.set_minor_formatter(NullFormatter())
        ax.set_ylabel("gradient, root mean square")
        name_columns(ax, names)
    return ax


def plot_top_images(view: UnitsView, tap: str, ax: Axes | None = None, *, units: int = UNITS_IN_PICTURE) -> Axes:
    """A row of images for each of the tap's most selective units: those that excite it most, the strongest first."""
    rows = np.flatnonzero((view.shown["tap"] == tap).to_numpy())
    if not len(rows):
        return empty_axes(ax, "no unit tells classes apart")
    table = view.shown.iloc[rows]
    chosen = list(dict.fromkeys(table["unit"]))[:units]
    channels, height, width = view.pictures.shape[1:]
    columns = int(table.groupby("unit").size().max())
    mosaic = np.full((len(chosen) * (height + GAP), columns * (width + GAP), max(channels, 3)), 255, np.uint8)
    for line, unit in enumerate(chosen):
        for column, row in enumerate(rows[(table["unit"] == unit).to_numpy()]):
            top, left = line * (height + GAP), column * (width + GAP)
            mosaic[top : top + height, left : left + width] = np.moveaxis(view.pictures[row], 0, -1)
    known = view.units[view.units["tap"] == tap].set_index("unit")
    with style():
        ax = axes_or_new(ax, 1.7 + 0.5 * columns, 0.5 * len(chosen) + 0.3)
        ax.imshow(mosaic, interpolation="nearest")
        ax.set_yticks([line * (height + GAP) + height / 2 for line in range(len(chosen))])
        ax.set_yticklabels([f"unit {unit}, by {shown(str(known.loc[unit, 'excited_by']), 12)}" for unit in chosen])
        ax.set_xticks([])
        ax.tick_params(length=0)
        ax.spines[:].set_visible(False)
        ax.grid(visible=False)
        ax.set_title(shown(tap), fontsize=8)
    return ax
