"""Pictures of early exit: accuracy against cost, who leaves where, and prediction depth against the exit taken."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes

from layerwise.plots.style import (
    INK,
    MUTED,
    NEUTRAL,
    OTHER,
    RIGHT,
    SAME,
    WRONG,
    axes_or_new,
    axes_over_columns,
    name_columns,
    percent_axis,
    style,
)
from layerwise.plots.words import shown
from layerwise.views.exits import ExitsView, depth_by_exit
from layerwise.views.run import RunView

ORACLE_MARKS = {"first right": "^", "first agreeing": "v"}


def plot_exit_curve(exits: ExitsView, ax: Axes | None = None, *, in_time: bool = False) -> Axes:
    """Accuracy against the share of the plain network's MACs, or of its milliseconds, over one threshold.

    With it the plain network, each exit alone, smaller plain networks, the oracles (they have no milliseconds), and the
    budget that was chosen.
    """
    summary, cost = exits.summary, _in_time(exits) if in_time else _in_macs(exits)
    with style():
        ax = axes_or_new(ax, 5.6, 3.2)
        curve = exits.curve.iloc[1:]  # its first row is the network without exits
        label = f"{summary['policy']}, one threshold"
        ax.plot(curve[cost.column] / cost.plain, curve["accuracy"], color=RIGHT, lw=1.6, label=label)
        accuracies = [one["accuracy"] for one in summary["exits"][:-1]]
        ax.plot(cost.alone, accuracies, "o", ms=4, color=NEUTRAL, label="all leave at one exit")
        ax.plot(1.0, summary["plain_accuracy"], "s", ms=5.5, color=INK, label="without exits")
        if summary["smaller"]:
            small = [one["accuracy"] for one in summary["smaller"]]
            ax.plot(cost.smaller, small, "s", ms=5.5, mfc="none", color=INK, label="smaller networks")
        for name, oracle in {} if in_time else summary["oracles"].items():
            mark = ORACLE_MARKS.get(name, "d")
            ax.plot(1 - oracle["mac_cut"], oracle["accuracy"], mark, ms=6, color=OTHER, label=f"oracle: {name}")
        if exits.budget is not None:
            low, high = exits.budget["accuracy_95"]
            accuracy = exits.budget["accuracy"]
            ax.errorbar(
                cost.budget,
                accuracy,
                yerr=[[max(accuracy - low, 0)], [max(high - accuracy, 0)]],
                fmt="D",
                ms=5,
                capsize=2.5,
                color=WRONG,
                label=f"the chosen budget, {exits.budget['policy']} (95 %)",
            )
        ax.set_xlim(left=0)
        ax.yaxis.set_major_formatter(percent_axis())
        ax.xaxis.set_major_formatter(percent_axis())
        ax.set_xlabel(cost.words)
        ax.set_ylabel("accuracy")
        ax.legend(loc="lower right")
        ax.set_title(f"What leaving early gives and costs, {summary['split']} images")
    return ax


@dataclass(frozen=True)
class _Cost:
    """A way to count cost, with costs as shares of the plain network's."""

    column: str
    plain: float
    alone: list[float]
    smaller: list[float]
    budget: float
    words: str


def _in_macs(exits: ExitsView) -> _Cost:
    summary = exits.summary
    plain = summary["plain_macs"]
    return _Cost(
        column="macs",
        plain=plain,
        alone=[(one["network_macs"] + one["head_macs"]) / plain for one in summary["exits"][:-1]],
        smaller=[one["macs"] / plain for one in summary["smaller"]],
        budget=exits.budget["macs"] / plain if exits.budget else 1.0,
        words="mean MACs of an image, heads included, in shares of the network without exits",
    )


def _in_time(exits: ExitsView) -> _Cost:
    summary, size = exits.summary, exits.batch_size
    times = summary["times"]
    plain = times["plain"][-1]
    ms = exits.budget["ms"][str(size)] if exits.budget else {"exits": 1.0, "plain": 1.0}
    return _Cost(
        column=f"ms_batch_{size}",
        plain=1e3 * plain / size,
        alone=((np.cumsum(times["segments"][-1])[:-1] + times["heads"][-1]) / plain).tolist(),
        smaller=[one["seconds"][str(size)] * size / plain for one in summary["smaller"]],
        budget=ms["exits"] / ms["plain"],
        words=f"mean time of an image in batches of {size}, in shares of the network without exits",
    )


def plot_exit_shares(exits: ExitsView, ax: Axes | None = None) -> Axes:
    """How many of the reported examples leave at each exit under the budget, right ones and wrong ones."""
    if exits.left is None:
        raise ValueError("no budget was chosen")
    counts = np.bincount(exits.left["exit"], minlength=len(exits.names))
    right = np.bincount(exits.left["exit"], weights=exits.left["right"], minlength=len(exits.names))
    total = max(1, counts.sum())
    with style():
        ax = axes_over_columns(ax, exits.names, 5.6, 2.6)
        places = np.arange(len(exits.names))
        ax.bar(places, right / total, color=RIGHT, width=0.8, label="right")
        ax.bar(places, (counts - right) / total, bottom=right / total, color=WRONG, width=0.8, label="wrong")
        for place, count in enumerate(counts):
            ax.annotate(
                f"{count:,}",
                (place, count / total),
                xytext=(0, 2),
                textcoords="offset points",
                ha="center",
                fontsize=7,
                color=MUTED,
            )
        name_columns(ax, exits.names)
        ax.margins(y=0.12)
        ax.yaxis.set_major_formatter(percent_axis())
        ax.set_ylabel("share of the images")
        ax.set_xlabel("exit")
        ax.legend(loc="best")
        ax.set_title("Where images leave")
    return ax


def plot_depth_by_exit(view: RunView, exits: ExitsView, ax: Axes | None = None) -> Axes:
    """Mean prediction depth of the images that leave at each exit, with Student 95 % intervals."""
    if exits.left is None:
        raise ValueError("no budget was chosen")
    table = depth_by_exit(exits.left, view.examples, exits.names)
    with style():
        ax = axes_over_columns(ax, exits.names, 5.6, 2.6)
        some = table[table["count"] > 0]
        ends = [some["mean"] - some["low"], some["high"] - some["mean"]]
        ax.errorbar(some.index, some["mean"], yerr=np.nan_to_num(ends), fmt="o", ms=5, capsize=3, color=SAME)
        name_columns(ax, exits.names)
        depths = view.depth_names
        ax.set_yticks(np.arange(len(depths)), [shown(name) for name in depths])
        ax.tick_params(axis="y", labelsize=7)
        ax.set_ylim(-0.5, len(depths) - 0.5)
        ax.set_ylabel("mean prediction depth")
        ax.set_xlabel("exit")
        ax.set_title("Prediction depth against the exit taken")
    return ax
