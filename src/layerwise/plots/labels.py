"""Pictures of training dynamics and suspect labels: the data map, how scores agree, the evidence on single labels."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.gridspec import GridSpec
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from layerwise.arrays.score_catalog import score
from layerwise.plots.style import INK, MUTED, NEUTRAL, OTHER, RIGHT, WRONG, axes_or_new, legend, readable_on, style
from layerwise.plots.words import shown
from layerwise.views.labels import LabelsView, NotedView

LINE = 9  # letters of two class names on one line above a small picture
MOST_POINTS = 20_000
"""Points that are drawn: more make a file large and no picture clearer; the suspect ones are always drawn."""

SHARES = ((WRONG, "neighbours of the suggested class"), (RIGHT, "neighbours of the label"))
CORRECTNESS_COLORS = ((WRONG, "never right"), (OTHER, "right in some epochs"), (RIGHT, "right in most"))


def plot_data_map(noted: NotedView, labels: LabelsView | None = None, ax: Axes | None = None) -> Axes:
    """Every training image by the mean and the deviation of its label's probability; rings mark labels that look wrong.

    Source: Swayamdipta and others (2020), "Dataset cartography".
    """
    scores = noted.dynamics.scores
    correct = scores["correctness"]
    kinds = np.where(correct == 0, 0, np.where(correct <= 0.5, 1, 2))
    drawn = np.linspace(0, len(correct) - 1, min(len(correct), MOST_POINTS)).astype(int)
    with style():
        ax = axes_or_new(ax, 4.6, 3.4)
        colors = np.array([color for color, _ in CORRECTNESS_COLORS])[kinds]
        ax.scatter(scores["variability"][drawn], scores["confidence"][drawn], s=5, c=colors[drawn], alpha=0.5, lw=0,
                   rasterized=True)  # fmt: skip
        if labels is not None:
            wrong = np.isin(noted.ids, labels.labels.loc[labels.labels["kind"] == "mislabelled", "id"].to_numpy(str))
            ax.scatter(scores["variability"][wrong], scores["confidence"][wrong], s=16, facecolors="none",
                       edgecolors=INK, linewidths=0.5)  # fmt: skip
        ax.set_xlabel("variability: deviation of the label's probability over epochs")
        ax.set_ylabel("confidence: its mean")
        ax.set_ylim(-0.02, 1.02)
        ax.grid(visible=True, axis="both")
        legend(ax, CORRECTNESS_COLORS, loc="lower left", bbox_to_anchor=(-0.02, 1.0), ncols=3, columnspacing=1.2)
    return ax


def plot_correlations(noted: NotedView, ax: Axes | None = None) -> Axes:
    """Spearman's correlation of every two scores, all turned so that high is hard."""
    table = noted.correlations()
    names = [score(name).words for name in table.columns]
    values = table.to_numpy()
    with style():
        ax = axes_or_new(ax, 1.9 + 0.36 * len(names), 1.6 + 0.3 * len(names))
        _heat(ax, values)
        ax.set_xticks(range(len(names)), names, rotation=45, ha="right", rotation_mode="anchor")
        ax.set_yticks(range(len(names)), names)
    return ax


def plot_scores_by_tap(table: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Spearman's correlation of every score with the neighbours at every tap; see `scores_by_tap`."""
    names = [score(str(name)).words for name in table["score"].unique()]
    taps = [shown(str(tap), 14) for tap in table["tap"].unique()]
    with style():
        ax = axes_or_new(ax, 2.1 + 0.36 * len(taps), 1.3 + 0.24 * len(names))
        _heat(ax, table["rho"].to_numpy(np.float64).reshape(len(names), len(taps)))
        ax.set_xticks(range(len(taps)), taps, rotation=45, ha="right", rotation_mode="anchor")
        ax.set_yticks(range(len(names)), names)
    return ax


def _heat(ax: Axes, values: NDArray[np.float64]) -> None:
    """Correlations as colours, with one digit each."""
    ax.imshow(values, cmap="RdBu_r", vmin=-1, vmax=1, aspect="auto")
    for row, column in np.ndindex(*values.shape):
        shade = "#d0d0d0" if abs(values[row, column]) < 0.6 else "#202060"
        known = not np.isnan(values[row, column])
        words = f"{values[row, column]:.1f}".replace("0.", ".").replace("-.0", ".0") if known else "–"
        ax.text(column, row, words, ha="center", va="center", fontsize=6, color=readable_on(shade))
    ax.tick_params(length=0)
    ax.grid(visible=False)
    ax.spines[:].set_visible(False)


def plot_suspects(labels: LabelsView, noted: NotedView | None, *, first: int = 0, count: int = 6) -> Figure:
    """A row for each suspect image: itself, its label's probability over epochs, what its neighbours say at every tap,
    and its nearest neighbours where it was lost.
    """
    rows = range(first, min(first + count, len(labels.suspects)))
    with style():
        figure = Figure(figsize=(8.6, 1.15 * len(rows) + 0.7), layout="constrained")
        grid = figure.add_gridspec(max(len(rows), 1), 4, width_ratios=(1.0, 1.7, 2.4, 4.2))
        handles = [Line2D([], [], color=color, marker="o", markersize=3, label=words) for color, words in SHARES]
        figure.legend(handles=handles, loc="outside upper center", ncols=2, fontsize=7)
        for line, row in enumerate(rows):
            _suspect(figure, grid, line, labels, noted, row, last=line == len(rows) - 1)
    return figure


def _suspect(
    figure: Figure, grid: GridSpec, line: int, labels: LabelsView, noted: NotedView | None, row: int, *, last: bool
) -> None:
    one = labels.labels.iloc[row]
    picture = figure.add_subplot(grid[line, 0])
    _image(picture, labels.pictures[row])
    picture.set_ylabel(f"{one['rank']}", rotation=0, labelpad=9, va="center", color=MUTED)
    picture.set_title(_both(shown(one["label_name"], 12), shown(one["suggested_name"], 12)), fontsize=7)
    curve = figure.add_subplot(grid[line, 1])
    _curve(curve, noted, str(one["id"]), last=last)
    taps = figure.add_subplot(grid[line, 2])
    _shares(taps, labels, row, last=last)
    _neighbors(figure.add_subplot(grid[line, 3]), labels, row)


def _both(label: str, suggested: str) -> str:
    """Label and suggested class, on one line where they are short."""
    return f"{label} → {suggested}" if len(label) + len(suggested) <= LINE else f"{label} →\n{suggested}"


def _curve(ax: Axes, noted: NotedView | None, name: str, *, last: bool) -> None:
    curves = None if noted is None else noted.dynamics.curves
    if noted is not None and curves is not None:
        values = curves[:, np.flatnonzero(noted.ids == name)[0]].astype(np.float64)
        ax.plot(np.arange(1, len(values) + 1), values, color=RIGHT, linewidth=1.2)
    ax.set_ylim(-0.05, 1.05)
    ax.set_yticks([0, 1])
    ax.tick_params(labelsize=6, labelbottom=last)
    ax.xaxis.set_major_locator(MaxNLocator(nbins=6, integer=True))
    if last:
        ax.set_xlabel("epoch", fontsize=6.5)
    ax.set_title("probability of the label", fontsize=6.5, fontweight="normal", color=MUTED)


def _shares(ax: Axes, labels: LabelsView, row: int, *, last: bool) -> None:
    places = np.arange(len(labels.taps))
    ax.plot(places, labels.for_suggested[row], color=WRONG, marker="o", markersize=2, linewidth=1)
    ax.plot(places, labels.for_label[row], color=RIGHT, marker="o", markersize=2, linewidth=1)
    ax.axvline(labels.suspects["lost_at"].iloc[row], color=NEUTRAL, linewidth=0.8, zorder=0)
    ax.set_ylim(-0.05, 1.05)
    ax.set_yticks([0, 1])
    ax.set_xticks(places, [shown(tap, 12) for tap in labels.taps] if last else [], rotation=90)
    ax.tick_params(labelsize=6)
    ax.set_title("neighbours at each tap", fontsize=6.5, fontweight="normal", color=MUTED)


def _neighbors(ax: Axes, labels: LabelsView, row: int) -> None:
    pictures = labels.neighbors[row]
    gap = np.full((*pictures.shape[1:3], max(1, pictures.shape[3] // 16)), 255, np.uint8)
    parts = [part for picture in pictures for part in (picture, gap)]
    _image(ax, np.concatenate(parts, axis=2))
    width = pictures.shape[3] + gap.shape[2]
    for place, label in enumerate(labels.neighbor_labels[row]):
        color = WRONG if label == labels.labels["suggested"].iloc[row] else INK
        words = shown(labels.class_names[label], 9)
        ax.text(
            (place + 0.46) * width, 1.04 * pictures.shape[2], words, ha="center", va="top", fontsize=5.5, color=color
        )
    tap = labels.suspects["lost_at_tap"].iloc[row]
    ax.set_title(f"nearest at {shown(str(tap), 20)}", fontsize=6.5, fontweight="normal", color=MUTED)


def _image(ax: Axes, picture: NDArray[np.uint8]) -> None:
    pixels = np.moveaxis(picture, 0, -1)
    ax.imshow(
        pixels[..., 0] if pixels.shape[2] == 1 else pixels, cmap="gray", vmin=0, vmax=255, interpolation="nearest"
    )
    ax.set_xticks([])
    ax.set_yticks([])
    ax.grid(visible=False)
    ax.spines[:].set_visible(False)
