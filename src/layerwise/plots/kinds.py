"""The picture of the four kinds of difficulty: how deep images are held out, against how deep they are in training."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes

from layerwise.plots.style import MUTED, axes_or_new, readable_on, style
from layerwise.plots.words import shown
from layerwise.views.kinds import KindsView

MOST_WORDS = 14  # depths up to which every cell has its number


def plot_kinds(view: KindsView, ax: Axes | None = None) -> Axes:
    """How many images have each pair of depths; lines are the medians, which part the four kinds."""
    counts = view.grid()
    depths, names = len(counts), [shown(tap, 14) for tap in (*view.taps, "unresolved")]
    shades = np.log1p(counts) / max(np.log1p(counts.max()), 1e-12)
    with style():
        ax = axes_or_new(ax, 2.2 + 0.34 * depths, 1.9 + 0.3 * depths)
        ax.imshow(shades, cmap="Blues", vmin=0, vmax=1.15, origin="lower", aspect="auto")
        if depths <= MOST_WORDS:
            for row, column in np.argwhere(counts):
                color = readable_on("#ffffff" if shades[row, column] < 0.6 else "#2a66a5")
                ax.text(column, row, f"{counts[row, column]:,}", ha="center", va="center", fontsize=6, color=color)
        trained, held_out = (view.examples[name].median() for name in ("training_depth", "held_out_depth"))
        ax.axvline(np.floor(trained) + 0.5, color=MUTED, linewidth=0.9, linestyle="--")
        ax.axhline(np.floor(held_out) + 0.5, color=MUTED, linewidth=0.9, linestyle="--")
        ax.set_xticks(range(depths), names, rotation=45, ha="right", rotation_mode="anchor")
        ax.set_yticks(range(depths), names)
        ax.set_xlabel("mean depth where it was trained on")
        ax.set_ylabel("depth where it was held out")
        ax.grid(visible=False)
        ax.tick_params(length=0)
    return ax
