"""The picture of several runs: each image's mean depth with its interval, and how many runs make it reliable."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from layerwise.arrays.score_catalog import score
from layerwise.plots.style import INK, MUTED, NEUTRAL, OKABE_ITO, RIGHT, style
from layerwise.plots.words import shown
from layerwise.views.over_runs import OverRunsView

MOST_IMAGES = 400
"""Images that are drawn one by one; more are thinned out evenly."""

MOST_RUNS = 20
SHOWN = ("depth", "soft_depth", "aum", "el2n", "forgetting", "learning_error")
"""Whose reliability is drawn; the table has all."""


def plot_over_runs(view: OverRunsView) -> Figure:
    """Left: images from shallow to deep, with 95 % intervals, but for those that every run decides at the first tap.
    Right: reliability against the number of runs.
    """
    with style():
        figure = Figure(figsize=(7.4, 3.3), layout="constrained")
        left, right = figure.subplots(1, 2, width_ratios=(1.35, 1.0))
        _draw_images(left, view)
        _draw_reliability(right, view)
    return figure


def _draw_images(ax: Axes, view: OverRunsView) -> None:
    rows = view.in_order()
    rows = rows[rows["depth_high"] > 0]
    drawn = np.linspace(0, len(rows) - 1, min(len(rows), MOST_IMAGES)).astype(int)
    values = rows.iloc[drawn]
    places = drawn / max(len(rows) - 1, 1)
    ax.vlines(places, values["depth_low"], values["depth_high"], color=NEUTRAL, linewidth=0.7)
    ax.plot(places, values["depth"], color=RIGHT, linewidth=0, marker="o", markersize=1.6)
    names = [shown(name, 14) for name in (*view.taps, "unresolved")]
    ax.set_yticks(range(len(names)), names, fontsize=7 if len(names) <= 14 else 5.5)
    ax.set_ylim(-0.4, len(names) - 0.6)
    ax.set_xlim(-0.01, 1.01)
    ax.set_xticks([0, 0.25, 0.5, 0.75, 1.0], ["0", "25 %", "50 %", "75 %", "100 %"])
    ax.set_xlabel(f"{len(rows):,} images of {len(view.examples):,} that are not of depth 0 in all runs")
    ax.set_title(f"Mean depth over {view.runs} runs, 95 % interval")


def _draw_reliability(ax: Axes, view: OverRunsView) -> None:
    table = view.reliabilities().set_index("name")
    names = [name for name in SHOWN if name in table.index[table["one_run"].notna()]]
    runs = np.arange(1, MOST_RUNS + 1)
    for color, name in zip((INK, *OKABE_ITO), names, strict=False):
        reliability = view.reliability_by_runs(name, MOST_RUNS)
        ax.plot(runs, reliability, color=color, linewidth=1.8 if name == "depth" else 1.1, label=score(name).words)
        ax.plot(view.runs, reliability[view.runs - 1 : view.runs], color=color, marker="o", markersize=3.5)
    enough = float(view.facts["enough"])
    ax.axhline(enough, color=MUTED, linewidth=0.8, linestyle="--")
    ax.set_ylim(0, 1.02)
    ax.set_xlim(0.5, MOST_RUNS + 0.5)
    ax.set_xticks([1, 5, 10, 15, 20])
    ax.set_xlabel("runs in the mean")
    ax.set_title("Reliability of the mean")
    if names:
        ax.legend(loc="lower right", fontsize=7)
