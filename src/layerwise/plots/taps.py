"""Pictures of the taps: the accuracy of each probe, what each tap gains and loses, and confused classes."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from layerwise.plots.style import (
    INK,
    LETTER_INCHES,
    RIGHT,
    SPLIT_COLORS,
    WRONG,
    axes_or_new,
    axes_over_columns,
    name_columns,
    percent_axis,
    style,
)
from layerwise.plots.words import percent, shown
from layerwise.views.run import RunView
from layerwise.views.taps import confusion, gains_and_losses, network_accuracy, probe_accuracy

MOST_NUMBERED = 20  # classes up to which each cell of a confusion matrix bears its number
MOST_NAMED = 40


def plot_probe_accuracy(view: RunView, ax: Axes | None = None) -> Axes:
    """How often the k-NN probe at each tap gives the label, with Wilson 95 % bands; dashed: the network itself."""
    table, whole = probe_accuracy(view), network_accuracy(view)
    with style():
        ax = axes_over_columns(ax, view.tap_names, 5.6, 2.8)
        for split, accuracy in zip(whole["split"], whole["accuracy"], strict=True):
            rows, color = table[table["split"] == split], SPLIT_COLORS[split]
            ax.fill_between(rows["order"], rows["accuracy_low"], rows["accuracy_high"], color=color, alpha=0.2, lw=0)
            ax.plot(rows["order"], rows["accuracy"], "o-", ms=3.5, lw=1.4, color=color, label=f"{split}: probe")
            ax.axhline(
                accuracy, color=color, lw=0.9, ls=(0, (4, 3)), label=f"{split}: the network, {percent(accuracy)}"
            )
        ax.axhline(1 / len(view.class_names), color=INK, lw=0.7, ls=(0, (1, 2)), label="chance")
        name_columns(ax, view.tap_names)
        ax.set_ylim(0, 1.03)
        ax.yaxis.set_major_formatter(percent_axis())
        ax.set_ylabel("accuracy")
        ax.set_xlabel("tap, in order of execution")
        ax.legend(loc="best")
        ax.set_title("What a k-NN probe can tell at each tap")
    return ax


def plot_gains_and_losses(view: RunView, ax: Axes | None = None, *, split: str | None = None) -> Axes:
    """How many images each tap's probe gets right that the tap before got wrong (up), and the reverse (down)."""
    table = gains_and_losses(view, split)
    with style():
        ax = axes_over_columns(ax, view.tap_names, 5.6, 2.8)
        ax.bar(table["order"], table["gained"], color=RIGHT, width=0.8, label="gained")
        ax.bar(table["order"], -table["lost"], color=WRONG, width=0.8, label="lost")
        ax.axhline(0, color=INK, lw=0.7)
        name_columns(ax, view.tap_names)
        ax.yaxis.set_major_formatter(lambda value, _: f"{abs(value):,.0f}")
        ax.yaxis.set_major_locator(MaxNLocator(6, integer=True, steps=[1, 2, 5, 10]))
        ax.set_ylabel(f"{split or view.main_split} images")
        ax.set_xlabel("tap, compared with the tap before it")
        ax.legend(loc="best")
        ax.set_title("What each tap gains and loses")
    return ax


def plot_confusion(view: RunView, ax: Axes | None = None, *, tap: str | None = None, split: str | None = None) -> Axes:
    """Labels (rows) against the classes given (columns), as shares of each label; by the network or a tap's probe."""
    counts = confusion(view, tap, split).to_numpy()
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    classes = len(counts)
    with style():
        side = min(max(0.42 * classes, 2.4), 5.2)
        longest = max(len(shown(name)) for name in view.class_names) * LETTER_INCHES
        ax = axes_or_new(ax, side + longest + 0.7, side + 0.7 * longest + 0.7)
        ax.imshow(shares, cmap="Blues", vmin=0, vmax=1, interpolation="none")
        if classes <= MOST_NUMBERED:
            _write_numbers(ax, counts, shares)
        if classes <= MOST_NAMED:
            _name_sides(ax, view)
        ax.grid(visible=False)
        ax.spines[:].set_visible(False)
        given = "network's prediction" if tap is None else f"vote at {shown(tap)}"
        kind = "" if classes <= MOST_NAMED else " (class number)"
        ax.set_ylabel(f"label{kind}")
        ax.set_xlabel(f"{given}{kind}")
        ax.set_title("Confusion")
    return ax


def _write_numbers(ax: Axes, counts: np.ndarray, shares: np.ndarray) -> None:
    size = 7.5 if len(counts) <= 10 else 5.5
    for (row, column), count in np.ndenumerate(counts):
        if count:
            color = "#fefefe" if shares[row, column] > 0.5 else "#111111"
            ax.text(column, row, f"{count}", ha="center", va="center", fontsize=size, color=color)


def _name_sides(ax: Axes, view: RunView) -> None:
    name_columns(ax, view.class_names)
    ax.set_xlim(-0.5, len(view.class_names) - 0.5)
    ax.set_yticks(np.arange(len(view.class_names)), [shown(name) for name in view.class_names])
    ax.tick_params(length=0)
    if len(view.class_names) > MOST_NUMBERED:
        ax.tick_params(labelsize=5.5)
