"""Pictures of depth: how many examples have each, how often the network is right there, and which classes they are."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, NullFormatter

from layerwise.plots.style import (
    INK,
    MUTED,
    NEUTRAL,
    PAPER,
    RIGHT,
    SPLIT_COLORS,
    WRONG,
    axes_over_columns,
    class_colors,
    legend,
    name_columns,
    note_above,
    percent_axis,
    style,
)
from layerwise.plots.words import percent, shown
from layerwise.views.depths import accuracy_by_depth, classes_by_depth, depth_histogram, depths_of_classes, survival
from layerwise.views.run import RunView
from layerwise.views.taps import network_accuracy

MOST_ROWS = 40  # classes that can be listed one under the other and still be read
FEWEST_TO_JOIN = 5  # a depth with fewer examples has an interval too wide to be joined by a line


def plot_depth_histogram(view: RunView, ax: Axes | None = None, *, split: str | None = None) -> Axes:
    """How many examples are decided at each tap, right and wrong on top of each other, the share above each column."""
    split = split or view.main_split
    table = depth_histogram(view)
    table = table[table["split"] == split]
    with style():
        ax = axes_over_columns(ax, view.depth_names, 5.6, 2.8)
        ax.bar(table["depth"], table["right"], color=RIGHT, width=0.8, label="network right")
        ax.bar(table["depth"], table["wrong"], bottom=table["right"], color=WRONG, width=0.8, label="network wrong")
        for depth, count, share in zip(table["depth"], table["count"], table["share"], strict=True):
            if count:
                note_above(ax, depth, count, percent(share), columns=len(table))
        _depth_columns(ax, view)
        ax.set_ylabel(f"{split} images")
        ax.set_ylim(0, table["count"].max() * 1.16)
        ax.legend(loc="best")
        ax.set_title(f"Where {split} images are decided")
    return ax


def plot_accuracy_by_depth(view: RunView, ax: Axes | None = None) -> Axes:
    """How often the network is right at each depth, with Wilson 95 % intervals; a dashed line at the whole accuracy."""
    table, whole = accuracy_by_depth(view), _whole_accuracy(view)
    with style():
        ax = axes_over_columns(ax, view.depth_names, 5.6, 3.0)
        for split, shift in zip(view.splits, _shifts(len(view.splits)), strict=True):
            some = table[(table["split"] == split) & (table["count"] > 0)]
            accuracy = whole[split]
            color = SPLIT_COLORS[split]
            ax.axhline(accuracy, color=color, lw=0.9, ls=(0, (4, 3)), zorder=1)
            _points(ax, some, shift, color, f"{split}: {percent(accuracy)} overall")
        _depth_columns(ax, view)
        ax.set_ylim(-0.03, 1.07)
        ax.yaxis.set_major_formatter(percent_axis())
        ax.set_ylabel("network accuracy")
        # Intervals may reach anywhere in these axes: the legend stands above them, under the title.
        ax.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=3, columnspacing=1, handletextpad=0.2, borderpad=0.1)
        ax.set_title("Accuracy by depth", pad=20)
    return ax


def _whole_accuracy(view: RunView) -> dict[str, float]:
    table = network_accuracy(view)
    return dict(zip(table["split"].astype(str), table["accuracy"].astype(float), strict=True))


def _points(ax: Axes, table: pd.DataFrame, shift: float, color: str, label: str) -> None:
    """Points with their intervals; joined where there are enough examples, hollow where there are not."""
    x, y = table["depth"] + shift, table["accuracy"]
    enough = table["count"] >= FEWEST_TO_JOIN
    reach = np.abs([y - table["accuracy_low"], table["accuracy_high"] - y])
    resolved = enough & (table["tap"] != "unresolved")
    ax.plot(x[resolved], y[resolved], color=color, lw=1.1, alpha=0.6)
    ax.errorbar(x, y, yerr=reach, fmt="none", ecolor=color, elinewidth=1.2, capsize=2)
    ax.scatter(x[enough], y[enough], s=20, color=color, zorder=3, label=label)
    ax.scatter(x[~enough], y[~enough], s=18, facecolor=PAPER, edgecolor=color, zorder=3)


def plot_survival(view: RunView, ax: Axes | None = None, *, split: str | None = None) -> Axes:
    """The share of images that are undecided still after each tap, network right and wrong apart, with Wilson bands."""
    table = survival(view, split)
    with style():
        ax = axes_over_columns(ax, view.tap_names, 5.6, 3.0)
        for outcome, color in (("right", RIGHT), ("wrong", WRONG)):
            rows = table[table["outcome"] == outcome]
            if rows.empty:
                continue
            label = f"network {outcome}, {rows['total'].iloc[0]:,} images"
            ax.fill_between(rows["depth"], rows["share_low"], rows["share_high"], color=color, alpha=0.18, lw=0)
            ax.plot(rows["depth"], rows["share"], color=color, marker="o", ms=3.2, lw=1.3, label=label)
        name_columns(ax, view.tap_names)
        ax.set_xlabel("tap")
        ax.set_ylim(-0.03, 1.07)
        ax.yaxis.set_major_formatter(percent_axis())
        ax.set_ylabel("undecided still")
        ax.legend(loc="best")
        ax.set_title(f"Undecided {split or view.main_split} images after each tap")
    return ax


def plot_classes_by_depth(view: RunView, ax: Axes | None = None, *, split: str | None = None) -> Axes:
    """Which classes the images of each depth are: shares as columns, or as a heat map for more than ten classes."""
    table = classes_by_depth(view, split)
    with style():
        if class_colors(len(view.class_names)):
            ax = axes_over_columns(ax, view.depth_names, 5.6, 2.9)
            _stacked_shares(ax, view, table)
        else:
            ax = axes_over_columns(ax, view.depth_names, 5.6, 0.9 + 0.15 * min(len(view.class_names), MOST_ROWS))
            _share_map(ax, view, table, split)
        ax.set_title("Classes at each depth")
    return ax


def _stacked_shares(ax: Axes, view: RunView, table: pd.DataFrame) -> None:
    shares = table.pivot_table(index="depth", columns="class", values="share", dropna=False)
    counts = table.groupby("depth")["count"].sum()
    colors = class_colors(len(view.class_names))
    bottom = np.zeros(len(shares))
    for number, color in enumerate(colors):
        heights = shares[number].fillna(0.0).to_numpy()
        ax.bar(shares.index, heights, bottom=bottom, color=color, width=0.86, edgecolor=PAPER, linewidth=0.5)
        bottom += heights
    for depth, count in enumerate(counts):
        note_above(ax, depth, 1.0, f"{count:,}", columns=len(counts))
    _depth_columns(ax, view)
    ax.grid(visible=False)
    ax.set_ylim(0, 1.1)
    ax.set_yticks(np.linspace(0, 1, 6))
    ax.yaxis.set_major_formatter(percent_axis())
    ax.set_ylabel("share of the images there")
    words = [(color, shown(name)) for color, name in zip(colors, view.class_names, strict=True)]
    legend(ax, words[::-1], loc="center left", bbox_to_anchor=(1.01, 0.5))


def _share_map(ax: Axes, view: RunView, table: pd.DataFrame, split: str | None) -> None:
    """A row per class, shallowest on top: how its images spread over the depths."""
    order, left_out = _listed_classes(view, split)
    shares = table.pivot_table(index="class", columns="depth", values="class_share", dropna=False).loc[order]
    image = ax.imshow(shares.to_numpy(), aspect="auto", cmap="cividis", vmin=0, interpolation="none")
    bar = ax.figure.colorbar(image, ax=ax, format=percent_axis(), shrink=0.5, pad=0.02)
    bar.set_label("share of the class")
    bar.outline.set_visible(False)
    _depth_columns(ax, view)
    ax.set_xlim(-0.5, len(view.depth_names) - 0.5)
    ax.grid(visible=False)
    _class_rows(ax, view, order, left_out)


def plot_depths_of_classes(view: RunView, ax: Axes | None = None, *, split: str | None = None) -> Axes:
    """How deep each class is: mean with its interval, the middle half and the middle 80 % of its images."""
    order, left_out = _listed_classes(view, split)
    table = depths_of_classes(view, split).set_index("class").loc[order].reset_index()
    with style():
        ax = axes_over_columns(ax, view.depth_names, 5.6, 0.9 + (0.3 if len(order) <= 12 else 0.15) * len(order))
        y = np.arange(len(table))
        ax.hlines(y, table["q10"], table["q90"], color=NEUTRAL, lw=1.5)
        ax.hlines(y, table["q25"], table["q75"], color=NEUTRAL, lw=6)
        ax.scatter(table["q50"], y, marker="|", s=45, color=PAPER, lw=1.8, zorder=3)
        ax.hlines(y, table["mean_low"], table["mean_high"], color=RIGHT, lw=1.6, zorder=4)
        ax.scatter(table["mean"], y, s=18, color=RIGHT, zorder=5)
        _depth_columns(ax, view)
        ax.grid(visible=True, axis="x")
        ax.grid(visible=False, axis="y")
        ax.set_ylim(len(table) - 0.4, -0.6)
        _class_rows(ax, view, order, left_out)
        ax.set_title("Depths of each class")
    return ax


def _listed_classes(view: RunView, split: str | None) -> tuple[list[int], int]:
    """Classes by mean depth, and how many are left out of the middle where there are too many to read."""
    order = depths_of_classes(view, split).sort_values(["mean", "class"])["class"].tolist()
    if len(order) <= MOST_ROWS:
        return order, 0
    half = MOST_ROWS // 2
    return order[:half] + order[-half:], len(order) - MOST_ROWS


def _class_rows(ax: Axes, view: RunView, order: list[int], left_out: int) -> None:
    small = len(order) > 12
    ax.set_yticks(np.arange(len(order)), [shown(view.class_names[number]) for number in order])
    ax.tick_params(axis="y", length=0, labelsize=6.5 if small else 8)
    if left_out:
        ax.axhline(len(order) / 2 - 0.5, color=INK, lw=1, ls=(0, (1, 2)))
        ax.set_ylabel(f"{len(order) // 2} shallowest and {len(order) // 2} deepest classes ({left_out} between)")


def _depth_columns(ax: Axes, view: RunView) -> None:
    """Tap names along the depths; the unresolved stand apart behind a thin line."""
    name_columns(ax, view.depth_names)
    ax.axvline(len(view.taps) - 0.5, color=MUTED, lw=0.7, ls=(0, (1, 2)))
    ax.xaxis.set_minor_locator(FixedLocator([]))
    ax.xaxis.set_minor_formatter(NullFormatter())
    ax.set_xlabel("prediction depth: first tap from which all probes agree")


def _shifts(count: int) -> np.ndarray:
    return (np.arange(count) - (count - 1) / 2) * 0.16
