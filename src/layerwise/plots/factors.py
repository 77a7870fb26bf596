"""Pictures of what makes an example hard: depth against each factor that is known of the images."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, MaxNLocator, ScalarFormatter

from layerwise.errors import RunError
from layerwise.plots.style import RIGHT, axes_or_new, style
from layerwise.plots.words import shown, signed
from layerwise.views.factors import factor_bins, factor_effects
from layerwise.views.run import RunView

COLUMNS = 4
FEW = 4  # values up to which each has its own tick
PANEL_WIDTH, PANEL_HEIGHT = 2.6, 2.1


def plot_factor_effects(view: RunView, ax: Axes | None = None, *, split: str | None = None) -> Axes:
    """Mean depth over ten equally full bins of each factor, one small picture each, strongest rank correlation first.

    Raises:
        RunError: no factor is known that could be ranked.
    """
    effects, bins = factor_effects(view, split), factor_bins(view, split=split)
    if effects.empty:
        raise RunError(f"{view.name} has no numeric factor_* column that varies: nothing to set depth against.")
    columns = min(COLUMNS, len(effects))
    lines = math.ceil(len(effects) / columns)
    with style():
        ax = axes_or_new(ax, PANEL_WIDTH * columns + 0.5, PANEL_HEIGHT * lines + 0.2)
        ax.axis("off")
        panels = [ax.inset_axes(_box(number, columns, lines)) for number in range(len(effects))]
        low, high = float(bins["mean_low"].min()), float(bins["mean_high"].max())
        for number, (panel, effect) in enumerate(zip(panels, effects.to_dict("records"), strict=True)):
            _panel(panel, effect, bins[bins["factor"] == effect["factor"]])
            panel.set_ylim(_with_room(low, high))
            panel.tick_params(labelleft=number % columns == 0)
            if number % columns == 0:
                panel.set_ylabel("mean depth")
    return ax


def _box(number: int, columns: int, lines: int) -> tuple[float, float, float, float]:
    """Left, bottom, width, height of a panel within the whole, with room for its names."""
    line, column = divmod(number, columns)
    width, height = 1 / columns, 1 / lines
    return (column * width + 0.05 * width, 1 - (line + 1) * height + 0.16 * height, 0.88 * width, 0.6 * height)


def _with_room(low: float, high: float) -> tuple[float, float]:
    if not math.isfinite(low + high):
        return 0.0, 1.0
    room = max(0.06 * (high - low), 0.1)
    return low - room, high + room


def _panel(panel: Axes, effect: Mapping[Hashable, Any], bins: pd.DataFrame) -> None:
    reach = np.abs([bins["mean"] - bins["mean_low"], bins["mean_high"] - bins["mean"]])
    panel.plot(bins["center"], bins["mean"], color=RIGHT, lw=1, alpha=0.6)
    panel.errorbar(
        bins["center"], bins["mean"], yerr=np.nan_to_num(reach), fmt="o", ms=3.2, color=RIGHT, elinewidth=1.1
    )
    panel.xaxis.set_major_locator(FixedLocator(bins["center"].tolist()) if len(bins) <= FEW else MaxNLocator(4))
    panel.xaxis.set_major_formatter(ScalarFormatter())
    panel.yaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))
    interval = f"[{signed(effect['rho_low'])}, {signed(effect['rho_high'])}]"
    title = f"{shown(str(effect['factor']))}\nρ = {signed(effect['rho'])}  {interval}"
    panel.set_title(title, fontsize=8.5, linespacing=1.3)
