"""Pictures of a study: every run beside its mean, claims with their intervals, and numbers of others beside ours."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, NullLocator, PercentFormatter

from layerwise.arrays.blocks import Estimate
from layerwise.plots.style import (
    INK,
    MUTED,
    NEUTRAL,
    OKABE_ITO,
    RIGHT,
    WRONG,
    axes_or_new,
    percent_axis,
    style,
)
from layerwise.plots.words import shown
from layerwise.study.comparisons import Kind
from layerwise.study.summary import Judged, StudySummary
from layerwise.study.trials import SHARES
from layerwise.study.tuning import Contender
from layerwise.views.studies import Layout, lay_out

VERDICT_COLORS = {"supported": RIGHT, "contradicted": WRONG, "open": MUTED}
MEASURE_WORDS = {
    "test_accuracy": "test accuracy",
    "train_accuracy": "training accuracy",
    "validation_accuracy": "validation accuracy",
    "test_loss": "test loss (nats)",
    "train_loss": "training loss (nats)",
    "validation_loss": "validation loss (nats)",
    "ece": "expected calibration error",
    "temperature": "temperature that mends confidence",
    "scaled_test_loss": "test loss with one temperature (nats)",
}
MARKS = "osD^vP*X"
SPREAD = 0.35
"""How far the runs of a cell lie apart, in shares of the room that the cell has."""


def plot_outcomes(
    summary: StudySummary, ax: Axes | None = None, *, measure: str | None = None, title: str | None = None
) -> Axes:
    """Every run as a dot, the mean of each cell with its interval over blocks, and numbers of others as open diamonds.

    Args:
        summary: of the study.
        ax: where; by default a new figure.
        measure: a number of `layerwise.study.trials.MEASURES`; by default the study's own.
        title: by default the study's own, with its number of seeds.
    """
    name, layout = measure or summary.study.measure, lay_out(summary.study.contenders)
    with style():
        if layout.along:
            ax = axes_or_new(ax, 6.4, 3.6)
            _lines(ax, summary, layout, name)
        else:
            ax = axes_or_new(ax, 6.4, 0.9 + 0.42 * len(layout.series))
            _rows(ax, summary, layout, name)
        ax.set_title(title or f"{summary.study.title} ({summary.used} seeds)")
    return ax


def _lines(ax: Axes, summary: StudySummary, layout: Layout, measure: str) -> None:
    """Means as lines over the axis; the cells of one level stand side by side."""
    places = {level: float(place) for place, level in enumerate(layout.levels)}
    step = 0.7 / len(layout.series)
    for row, (words, level_to_contender) in enumerate(layout.series.items()):
        color, mark = OKABE_ITO[row % len(OKABE_ITO)], MARKS[row % len(MARKS)]
        offset = (row - (len(layout.series) - 1) / 2) * step
        xs, means, ends = [], [], []
        for level, contender in sorted(level_to_contender.items()):
            outcomes = summary.outcomes(contender, measure)
            found = summary.estimate(contender, measure)
            x = places[level] + offset
            ax.plot(_beside(x, len(outcomes), step), outcomes, "o", ms=3, mew=0, alpha=0.4, color=color)
            xs.append(x)
            means.append(found.value)
            ends.append((found.value - found.low, found.high - found.value))
            _references(ax, summary, contender, measure, x=x)
        bars = np.clip(np.nan_to_num(np.array(ends).T), 0, None)
        label = "\u200b" + words
        ax.errorbar(xs, means, yerr=bars, fmt=f"{mark}-", ms=5, lw=1.2, capsize=2.5, color=color, label=label)
    ax.set_xticks(list(places.values()), [f"{level:g}" for level in layout.levels])
    ax.set_xlabel(layout.along_words)
    ax.set_ylabel(MEASURE_WORDS[measure])
    if measure in SHARES:
        ax.yaxis.set_major_formatter(percent_axis())
    ax.legend(loc="upper center", bbox_to_anchor=(0.5, -0.17), ncols=2, frameon=False)


def _rows(ax: Axes, summary: StudySummary, layout: Layout, measure: str) -> None:
    """Cells one below the other."""
    for row, (_, contender) in enumerate(layout.labelled()):
        color = OKABE_ITO[row % len(OKABE_ITO)]
        outcomes = summary.outcomes(contender, measure)
        found = summary.estimate(contender, measure)
        ax.plot(outcomes, _beside(row, len(outcomes), 0.8), "o", ms=3.5, mew=0, alpha=0.45, color=color)
        ends = np.clip(np.nan_to_num([[found.value - found.low], [found.high - found.value]]), 0, None)
        ax.errorbar(found.value, row, xerr=ends, fmt=MARKS[row % len(MARKS)], ms=6, capsize=3, color=color)
        _references(ax, summary, contender, measure, y=float(row))
    ax.set_yticks(range(len(layout.series)), [shown(words, 44) for words in layout.series])
    ax.set_ylim(len(layout.series) - 0.45, -0.55)
    ax.grid(visible=True, axis="x")
    ax.grid(visible=False, axis="y")
    ax.set_xlabel(MEASURE_WORDS[measure])
    if measure in SHARES:
        ax.xaxis.set_major_formatter(percent_axis())


def _references(
    ax: Axes, summary: StudySummary, contender: Contender, measure: str, *, x: float | None = None, y: float = 0.0
) -> None:
    """Numbers of others of this cell; those of validation images stand beside our test images, too."""
    alike = {measure, measure.replace("test_", "validation_")}
    for one in summary.beside:
        if one.reference.cell == contender.address and one.reference.measure in alike:
            value = one.reference.value
            at = (x, value) if x is not None else (value, y)
            ax.plot([at[0]], [at[1]], "D", ms=6.5, mfc="none", mew=1.2, color=INK, zorder=4)


def _beside(middle: float, count: int, room: float) -> np.ndarray:
    """Places of the runs around a cell's own, in the order of their blocks."""
    return middle + SPREAD * room * (np.linspace(-1, 1, count) if count > 1 else np.zeros(count))


KIND_WORDS: Mapping[Kind, str] = {
    "difference": "difference", "same": "difference, claimed to be none", "at-least": "level reached",
    "interaction": "difference of differences", "needed": "times as much is needed",
}  # fmt: skip


def plot_claims(summary: StudySummary, kind: Kind, ax: Axes | None = None) -> Axes:
    """The claims of one kind: effects with 95 % intervals, coloured by verdict, beside what was claimed (a line).

    Raises:
        ValueError: the study claims nothing of this kind.
    """
    some = [one for one in summary.judged if one.finding.comparison.kind == kind]
    if not some:
        raise ValueError(f'there is no claim of kind "{kind}"')
    with style():
        ax = axes_or_new(ax, 6.8, 0.75 + 0.27 * len(some))
        for row, one in enumerate(some):
            _claim(ax, row, one)
        bounds = {one.finding.comparison.bound for one in some}
        for bound in _bounds(kind, bounds):
            ax.axvline(bound, color=INK, lw=0.8, ls=(0, (4, 3)), zorder=0)
        ax.set_yticks(range(len(some)), [shown(one.finding.comparison.claim, 58) for one in some])
        ax.tick_params(axis="y", labelsize=7.5)
        ax.set_ylim(len(some) - 0.4, -0.6)
        ax.grid(visible=True, axis="x")
        ax.grid(visible=False, axis="y")
        if kind == "needed":
            _ratios(ax, [one.finding.effect for one in some])
        elif all(one.finding.comparison.measure in SHARES for one in some):
            ax.xaxis.set_major_formatter(PercentFormatter(1.0, decimals=0, symbol="" if kind != "at-least" else " %"))
            ax.set_xlabel(f"{KIND_WORDS[kind]} ({'percent' if kind == 'at-least' else 'points'})")
        else:
            ax.set_xlabel(KIND_WORDS[kind])
    return ax


def _claim(ax: Axes, row: int, one: Judged) -> None:
    effect = one.finding.effect
    if not np.isfinite(effect.value):
        return
    ends = np.clip(np.nan_to_num([[effect.value - effect.low], [effect.high - effect.value]], posinf=1e6), 0, None)
    primary = one.finding.comparison.primary
    ax.errorbar(
        effect.value, row, xerr=ends, fmt="o", ms=5.5, capsize=3, color=VERDICT_COLORS[one.verdict],
        mfc=VERDICT_COLORS[one.verdict] if primary else "none",
    )  # fmt: skip


def _bounds(kind: Kind, bounds: set[float]) -> Iterator[float]:
    if kind == "needed":
        yield 1.0
    else:
        yield from bounds
        yield from (-bound for bound in bounds if kind == "same")


def _ratios(ax: Axes, effects: Sequence[Estimate]) -> None:
    finite = [end for one in effects for end in (one.low, one.high, one.value) if np.isfinite(end) and end > 0]
    low, high = min([*finite, 1.0]) / 1.2, max([*finite, 1.0]) * 1.2
    ax.set_xscale("log")
    ax.set_xlim(low, high)
    ticks = [tick for tick in (0.1, 0.2, 0.5, 1, 2, 3, 4, 5, 7, 10, 20, 50, 100) if low <= tick <= high]
    ax.xaxis.set_major_locator(FixedLocator(ticks))
    ax.xaxis.set_minor_locator(NullLocator())
    ax.set_xticklabels([f"{tick:g}×" for tick in ticks])
    ax.set_xlabel(KIND_WORDS["needed"])


def plot_references(summary: StudySummary, ax: Axes | None = None) -> Axes:
    """Numbers of others (diamonds) beside our means with their 95 % intervals over blocks, and our single runs."""
    with style():
        ax = axes_or_new(ax, 6.4, 0.8 + 0.24 * len(summary.beside))
        contenders = {one.address: one for one in summary.study.contenders}
        words = {one.address: words for words, one in lay_out(summary.study.contenders).labelled()}
        for row, one in enumerate(summary.beside):
            runs = summary.outcomes(contenders[one.reference.cell], one.reference.measure)
            ax.plot(runs, _beside(row, len(runs), 0.8), "o", ms=3, mew=0, alpha=0.6, color=NEUTRAL)
            ends = [[one.ours.value - one.ours.low], [one.ours.high - one.ours.value]]
            color = RIGHT if one.inside else WRONG
            ax.errorbar(one.ours.value, row, xerr=np.clip(np.nan_to_num(ends), 0, None), fmt="o", ms=4, color=INK)
            ax.plot(one.reference.value, row, "D", ms=6, mfc="none", mew=1.3, color=color)
        ax.set_yticks(range(len(summary.beside)), [shown(words[one.reference.cell], 44) for one in summary.beside])
        ax.tick_params(axis="y", labelsize=7.5)
        ax.set_ylim(len(summary.beside) - 0.4, -0.6)
        ax.grid(visible=True, axis="x")
        ax.grid(visible=False, axis="y")
        if all(one.reference.measure in SHARES for one in summary.beside):
            ax.xaxis.set_major_formatter(percent_axis())
        measures = {MEASURE_WORDS[one.reference.measure] for one in summary.beside}
        ax.set_xlabel(", ".join(sorted(measures)))
        ax.set_title("Numbers of others (diamonds) beside ours")
    return ax
