"""Pictures of a study's single runs: curves of all seeds, interactions, confusion, calibration, and first kernels."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from textwrap import fill
from typing import Any, Literal

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from matplotlib.transforms import ScaledTranslation
from numpy.typing import NDArray

from layerwise.plots.studies import MEASURE_WORDS
from layerwise.plots.style import INK, MUTED, OKABE_ITO, RIGHT, SPLIT_COLORS, percent_axis, readable_on, style
from layerwise.plots.words import shown
from layerwise.study.comparisons import Comparison
from layerwise.study.summary import StudySummary, differing_keys
from layerwise.study.trials import SHARES
from layerwise.study.tuning import Contender
from layerwise.views.studies import Layout, lay_out, words_of

POINTS = 100
"""Epochs at which the curve of a single seed is drawn, so that a page with hundreds of them stays small."""

BESIDE = 0.8
"""Inches of a grid that are left of its cells."""

LETTERS_AN_INCH = 12
"""Of a title above one of several cells."""

CURVE_WORDS = {"accuracy": "accuracy", "loss": "loss (nats)"}


def plot_curves(summary: StudySummary, series: pd.DataFrame, quantity: str = "accuracy") -> Figure:
    """Validation by epoch, a thin line for each seed, with the means of validation and training.

    Args:
        summary: of the study.
        series: `Store.table(series=True)`.
        quantity: "accuracy" or "loss".
    """
    layout = lay_out(summary.study.contenders)
    with style():
        figure, axes = _grid(layout, 1.75, 1.25, sharey="row" if quantity == "loss" else "all")
        for ax, contender in _cells(layout, axes):
            rows = _series_of(summary, series, contender)
            held_out, trained = (_stacked(rows[f"{split}_{quantity}_curve"]) for split in ("validation", "train"))
            count = max(held_out.shape[1], trained.shape[1])
            epochs = np.arange(1, count + 1)
            some = np.unique(np.linspace(0, count - 1, POINTS).astype(int))
            for curve in held_out:
                ax.plot(epochs[some], curve[some], lw=0.4, alpha=0.35, color=SPLIT_COLORS["validation"])
            for curves, split in ((trained, "train"), (held_out, "validation")):
                if curves.size:
                    ax.plot(epochs, np.nanmean(curves, axis=0), lw=1.5, color=SPLIT_COLORS[split])
            ax.xaxis.set_major_locator(MaxNLocator(3, integer=True))
            if quantity == "accuracy":
                ax.yaxis.set_major_formatter(percent_axis())
        if quantity == "loss":
            for ax in axes[:, 0]:
                ax.set_ylim(bottom=0)
        figure.supxlabel("epoch", fontsize=8.5)
        figure.supylabel(CURVE_WORDS[quantity], fontsize=8.5)
    return figure


def plot_interactions(summary: StudySummary) -> Figure:
    """The four means of each interaction with intervals: lines over two conditions, parallel where there is none."""
    claimed = [one.finding.comparison for one in summary.judged if one.finding.comparison.kind == "interaction"]
    one_measure = len({one.measure for one in claimed}) == 1
    with style():
        room = 1.7 if len(claimed) > 1 else 2.8
        width = 0.6 + (room if one_measure else room + 0.4) * len(claimed)
        figure = Figure(figsize=(width, 3.0 if one_measure else 3.4), layout="compressed")
        panels = figure.subplots(1, len(claimed), squeeze=False, sharey=one_measure)[0]
        for ax, comparison in zip(panels, claimed, strict=True):
            _interaction(ax, summary, comparison, letters=int(room * LETTERS_AN_INCH))
            if ax is panels[0] or not one_measure:
                ax.set_ylabel(MEASURE_WORDS[comparison.measure], fontsize=8)
        _legends(figure, panels)
    return figure


def _interaction(ax: Axes, summary: StudySummary, comparison: Comparison, *, letters: int) -> None:
    """A line for each side, from the condition that is to enlarge their difference to the other."""
    contenders = {one.address: one for one in summary.study.contenders}
    four = [contenders[one] for one in comparison.cells]
    more_higher, more_lower, less_higher, less_lower = four
    sides = differing_keys((more_higher, more_lower))
    for row, pair in enumerate(((more_higher, less_higher), (more_lower, less_lower))):
        found = [summary.estimate(one, comparison.measure) for one in pair]
        ends = [[one.value - one.low for one in found], [one.high - one.value for one in found]]
        ax.errorbar(
            [0, 1], [one.value for one in found], yerr=np.clip(np.nan_to_num(ends), 0, None), fmt="os"[row] + "-",
            ms=5, capsize=3, color=OKABE_ITO[row], label="\u200b" + words_of(pair[0], sides),
        )  # fmt: skip
    conditions = differing_keys((more_higher, less_higher))
    words = [_lines(words_of(one, conditions), 14) for one in (more_higher, less_higher)]
    ax.set_xticks([0, 1], words, fontsize=7)
    ax.set_xlim(-0.35, 1.35)
    if comparison.measure in SHARES:
        ax.yaxis.set_major_formatter(percent_axis())
    elsewhere = [key for key in differing_keys(summary.study.contenders) if key not in differing_keys(four)]
    title = words_of(more_higher, elsewhere) if elsewhere else comparison.claim
    ax.set_title(_lines(title, letters), fontsize=8)


def _lines(words: str, width: int) -> str:
    return fill(shown(words, 100), width, break_on_hyphens=False, break_long_words=False)


def _legends(figure: Figure, panels: Sequence[Axes]) -> None:
    """One legend where all panels have the same lines, else one below each."""
    lines = [ax.get_legend_handles_labels() for ax in panels]
    if len({tuple(words) for _, words in lines}) == 1:
        figure.legend(*lines[0], loc="outside lower center", ncols=2, frameon=False)
        return
    for ax, (handles, words) in zip(panels, lines, strict=True):
        below = 8 + 9 * max(1 + label.get_text().count("\n") for label in ax.get_xticklabels())  # in points
        under = ax.transAxes + ScaledTranslation(0, -below / 72, figure.dpi_scale_trans)
        ax.legend(
            handles, words, loc="upper center", bbox_to_anchor=(0.5, 0), bbox_transform=under, fontsize=7, frameon=False
        )


def plot_confusion(summary: StudySummary, series: pd.DataFrame, class_names: Sequence[str]) -> Figure:
    """The share of each class's test images (a row) that get each class (a column), over all seeds.

    Args:
        summary: of the study.
        series: `Store.table(series=True)`.
        class_names: in order; numbers where they are not known.
    """
    layout = lay_out(summary.study.contenders)
    classes = len(class_names)
    with style():
        figure, axes = _grid(layout, 0.55 + 0.24 * classes, 0.55 + 0.24 * classes, sharey="all")
        for ax, contender in _cells(layout, axes):
            counts = np.sum([np.zeros(classes**2), *_series_of(summary, series, contender)["confusion"]], axis=0)
            table = counts.reshape(classes, classes) / np.maximum(counts.reshape(classes, classes).sum(1), 1)[:, None]
            ax.imshow(table, cmap="Blues", vmin=0, vmax=1)
            for row, column in np.ndindex(classes, classes):
                color = readable_on("#ffffff" if table[row, column] < 0.55 else "#084594")
                words = f"{100 * table[row, column]:.0f}"
                ax.text(column, row, words, ha="center", va="center", fontsize=6, color=color)
            ax.grid(visible=False)
            ax.set_xticks(range(classes), [shown(name, 10) for name in class_names], rotation=90, fontsize=6)
            ax.set_yticks(range(classes), [shown(name, 10) for name in class_names], fontsize=6)
    return figure


def plot_reliability(summary: StudySummary, series: pd.DataFrame) -> Figure:
    """Accuracy against confidence over all seeds' test images; below the diagonal they are too sure."""
    layout = lay_out(summary.study.contenders)
    with style():
        figure, axes = _grid(layout, 1.35, 1.35, sharey="all")
        for ax, contender in _cells(layout, axes):
            rows = _series_of(summary, series, contender)
            counts = _stacked(rows["reliability_counts"])
            pairs = [_stacked(rows[f"reliability_{name}"]) for name in ("confidence", "accuracy")]
            total = counts.sum(axis=0)
            some = total > 0
            confidence, accuracy = (np.nansum(counts * one, axis=0)[some] / total[some] for one in pairs)
            ax.plot([0, 1], [0, 1], lw=0.8, color=MUTED, ls=(0, (4, 3)))
            ax.plot(confidence, accuracy, "-", lw=1.2, color=RIGHT)
            ax.scatter(confidence, accuracy, s=2 + 60 * total[some] / total.sum(), color=RIGHT, linewidths=0)
            told = f"ECE {100 * rows['ece'].mean():.1f} %" if len(rows) else "no run"
            ax.text(0.04, 0.96, told, transform=ax.transAxes, va="top", fontsize=6.5, color=INK)
            ax.set(xlim=(0, 1.02), ylim=(0, 1.02), xticks=[0, 0.5, 1], yticks=[0, 0.5, 1])
        figure.supxlabel("confidence", fontsize=8.5)
        figure.supylabel("accuracy", fontsize=8.5)
    return figure


def plot_kernels(rows: Mapping[str, Mapping[str, object]], shape: Sequence[int]) -> Figure:
    """First kernels before and after training: a row for each run, a column for each filter.

    Args:
        rows: words to a run's `kernels_before` and `kernels_after`.
        shape: of the weights (filters, channels, height, width); the first channel is drawn.
    """
    filters = shape[0]
    with style():
        figure = Figure(figsize=(1.1 + 1.15 * 2 * filters, 0.35 + 1.1 * len(rows)), layout="compressed")
        axes = figure.subplots(len(rows), 2 * filters, squeeze=False)
        for line, (words, run) in zip(axes, rows.items(), strict=True):
            for part, moment in enumerate(("before", "after")):
                weights = np.asarray(run[f"kernels_{moment}"], np.float64).reshape(tuple(shape))
                largest = np.abs(weights).max() or 1.0
                for place in range(filters):
                    ax = line[part * filters + place]
                    ax.imshow(weights[place, 0], cmap="RdBu_r", vmin=-largest, vmax=largest)
                    ax.set_xticks([])
                    ax.set_yticks([])
                    ax.grid(visible=False)
                    if ax in axes[0]:
                        ax.set_title(f"{moment} training" if place == 0 else "", fontsize=8)
            line[0].set_ylabel(words, fontsize=7.5)
    return figure


def _grid(
    layout: Layout, width: float, height: float, *, sharey: Literal["row", "all"]
) -> tuple[Figure, NDArray[np.object_]]:
    """A row of axes for each series and a column for each level; without an axis, rows of at most four."""
    rows, columns = _shape(layout)
    size = (BESIDE + width * columns, 0.5 + (height + 0.2) * rows)
    figure = Figure(figsize=size, layout="compressed")
    axes = figure.subplots(rows, columns, squeeze=False, sharey=sharey)
    if layout.along:
        figure.suptitle(layout.along_words, fontsize=8.5)
    return figure, axes


def _shape(layout: Layout) -> tuple[int, int]:
    if layout.along:
        return len(layout.series), len(layout.levels)
    columns = min(4, len(layout.series))
    return -(-len(layout.series) // columns), columns


def _cells(layout: Layout, axes: NDArray[np.object_]) -> Iterator[tuple[Axes, Contender]]:
    """Each cell with its axes, which get their words; axes without a cell are taken away."""
    columns = axes.shape[1]
    room = (axes[0, 0].figure.get_figwidth() - BESIDE) / columns
    unused: dict[tuple[int, ...], Any] = dict(np.ndenumerate(axes))
    for row, (words, level_to_contender) in enumerate(layout.series.items()):
        for level, contender in level_to_contender.items():
            place = (row, layout.levels.index(level)) if layout.along else divmod(row, columns)
            ax = unused.pop(place)
            if not layout.along:
                ax.set_title(_lines(words, int(room * LETTERS_AN_INCH)), fontsize=7.5)
            else:
                if row == 0:
                    ax.set_title(f"{level:g}", fontsize=8)
                if place[1] == 0:
                    ax.set_ylabel("\n".join(shown(part) for part in words.split(", ")), fontsize=7)
            yield ax, contender
    for ax in unused.values():
        ax.set_axis_off()


def _series_of(summary: StudySummary, series: pd.DataFrame, contender: Contender) -> pd.DataFrame:
    """A contender's finished runs in the blocks that are used, with their series."""
    runs = summary.runs(contender)
    rows = series.merge(runs.loc[runs["status"] == "done", ["cell", "block"]], on=["cell", "block"])
    return rows.sort_values("block", ignore_index=True)


def _stacked(column: pd.Series) -> NDArray[np.float64]:
    """Series as rows, with NaN behind those of runs that were stopped early; none where there are none."""
    some = [np.asarray(one, np.float64) for one in column if len(one)]
    longest = max(map(len, some), default=0)
    padded = [np.pad(one, (0, longest - len(one)), constant_values=np.nan) for one in some]
    return np.array(padded).reshape(len(some), longest)
