"""The figure of how cost grows: time above, memory below, against the base, the queries and the features."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter
from numpy.typing import NDArray

from benchmarks.growth_model import CostModel, Sizes
from layerwise.plots.style import INK, MUTED, RIGHT, WRONG, style

AXES = ("N, rows of the base", "Q, queries", "D, features")
LETTERS = "NQD"
CURVE_POINTS = 60
SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def plot_growth(sweeps: list[Sizes], measured: list[dict[str, NDArray[np.float64]]], model: CostModel) -> Figure:
    """Measured points with the fitted model; `sweeps[axis]` are the sizes (M, 3) that vary in N, Q or D."""
    with style():
        figure = Figure(figsize=(7.2, 4.6), layout="constrained")
        FigureCanvasAgg(figure)
        panels = figure.subplots(2, 3, sharex="col", sharey="row")
        for axis, (sizes, values) in enumerate(zip(sweeps, measured, strict=True)):
            _draw_time(panels[0, axis], axis, sizes, values["seconds"], model)
            _draw_memory(panels[1, axis], axis, sizes, values)
        panels[0, 0].set_ylabel("seconds")
        panels[1, 0].set_ylabel("memory in MB")
        figure.legend(*panels[0, 0].get_legend_handles_labels(), loc="outside upper left", ncols=2, frameon=False)
        figure.legend(*panels[1, 0].get_legend_handles_labels(), loc="outside lower left", ncols=2, frameon=False)
    return figure


def save(figure: Figure, path: Path) -> None:
    """As PNG, sharp enough for print."""
    figure.savefig(path, dpi=200)


def _draw_time(panel: Axes, axis: int, sizes: Sizes, seconds: NDArray[np.float64], model: CostModel) -> None:
    lowest, highest = sizes[:, axis].min(), sizes[:, axis].max()
    curve = np.repeat(sizes[:1], CURVE_POINTS, axis=0)
    curve[:, axis] = np.geomspace(lowest, highest, CURVE_POINTS)
    panel.loglog(curve[:, axis], model.seconds(curve), color=MUTED, linewidth=1.2, label=_formula(model))
    panel.loglog(sizes[:, axis], seconds, "o", color=RIGHT, markersize=4.5, label="measured")
    fixed = ", ".join(f"{LETTERS[other]} = {sizes[0, other]:,.0f}" for other in range(3) if other != axis)
    panel.set_title(fixed, color=INK, fontweight="normal")
    _decades(panel)


def _draw_memory(panel: Axes, axis: int, sizes: Sizes, values: dict[str, NDArray[np.float64]]) -> None:
    inputs = 4 * (sizes[:, 0] + sizes[:, 1]) * sizes[:, 2] / 1e6
    panel.loglog(sizes[:, axis], inputs, color=MUTED, linewidth=1.2, label="the activations, float32: 4·(N + Q)·D")
    panel.loglog(sizes[:, axis], values["added_mb"], "o", color=WRONG, markersize=4.5, label="what the search adds")
    panel.set_xlabel(AXES[axis])
    _decades(panel)


def _decades(panel: Axes) -> None:
    """Ticks with plain numbers at powers of ten; what is between stays without a label."""
    for axis in (panel.xaxis, panel.yaxis):
        axis.set_major_locator(LogLocator(base=10))
        axis.set_major_formatter(StrMethodFormatter("{x:,.6g}"))
        axis.set_minor_formatter(NullFormatter())
    panel.grid(axis="both")


def _formula(model: CostModel) -> str:
    terms = zip((model.a, model.b, model.c), ("N·Q·D", "N·Q", "(N + Q)·D"), strict=True)
    shown = " + ".join(f"{powers_of_ten(value)}·{term}" for value, term in terms if value > 0)
    return f"model: {shown} seconds (median error {model.relative_error:.0%})"


def powers_of_ten(value: float) -> str:
    """Two digits and a power of ten.

    >>> powers_of_ten(6.71e-11)
    '6.7·10⁻¹¹'
    """
    digits, _, exponent = f"{value:.1e}".partition("e")
    return f"{digits}·10{str(int(exponent)).translate(SUPERSCRIPTS)}"
