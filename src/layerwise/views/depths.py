"""What happens at each depth: how many examples, how often the network is right there, and which classes they are.

Every table has a row for each depth 0 to L, also for depths that no example has; depth L is "unresolved".
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from layerwise.arrays.intervals import mean_interval, wilson_interval
from layerwise.views.run import RunView

QUANTILES = (0.1, 0.25, 0.5, 0.75, 0.9)


def depth_histogram(view: RunView) -> pd.DataFrame:
    """How many examples have each depth.

    Returns:
        A row per split and depth: split, depth, tap, count, share, share_low, share_high (Wilson 95 %), right, wrong.
    """
    return pd.concat([_histogram(view, split) for split in view.splits], ignore_index=True)


def _histogram(view: RunView, split: str) -> pd.DataFrame:
    examples = view.examples.iloc[view.rows(split)]
    depths = len(view.depth_names)
    count = np.bincount(examples["depth"], minlength=depths)
    right = np.bincount(examples.loc[examples["correct"], "depth"], minlength=depths)
    low, high = wilson_interval(count, len(examples))
    return pd.DataFrame(
        {
            "split": split,
            "depth": np.arange(depths),
            "tap": view.depth_names,
            "count": count,
            "share": count / len(examples),
            "share_low": low,
            "share_high": high,
            "right": right,
            "wrong": count - right,
        }
    )


def accuracy_by_depth(view: RunView) -> pd.DataFrame:
    """How often the network is right on the examples of each depth; NaN at a depth that no example has.

    Returns:
        A row per split and depth: split, depth, tap, count, share, right, accuracy, accuracy_low, accuracy_high
        (Wilson 95 %).
    """
    table = depth_histogram(view)[["split", "depth", "tap", "count", "share", "right"]]
    some = table["count"] > 0
    low, high = wilson_interval(table["right"], table["count"])
    return table.assign(
        accuracy=(table["right"] / table["count"]).where(some),
        accuracy_low=pd.Series(low).where(some),
        accuracy_high=pd.Series(high).where(some),
    )


def decided_by(view: RunView, split: str | None = None) -> pd.DataFrame:
    """How many examples are decided at each tap or before it.

    Returns:
        A row per tap: depth, tap, count, share, share_low, share_high (Wilson 95 %). Unresolved examples are never
        decided, so the last share is that of the resolved ones.
    """
    depth = view.examples["depth"].to_numpy()[view.rows(split)]
    count = np.bincount(depth, minlength=len(view.depth_names)).cumsum()[:-1]
    low, high = wilson_interval(count, len(depth))
    return pd.DataFrame(
        {
            "depth": np.arange(len(count)),
            "tap": view.tap_names,
            "count": count,
            "share": count / len(depth),
            "share_low": low,
            "share_high": high,
        }
    )


def survival(view: RunView, split: str | None = None) -> pd.DataFrame:
    """How many examples are undecided still after each tap, those that the network gets right apart from the others.

    Returns:
        A row per outcome ("right", "wrong"; one that no example has is left out) and tap: outcome, depth, tap, count,
        total, share, share_low, share_high (Wilson 95 %).
    """
    examples = view.examples.iloc[view.rows(split)]
    outcome = np.where(examples["correct"], "right", "wrong")
    depth = examples["depth"].to_numpy()
    parts = [
        _survival(view, depth[outcome == name]).assign(outcome=name) for name in ("right", "wrong") if name in outcome
    ]
    table = pd.concat(parts, ignore_index=True)
    return table[["outcome", *table.columns.drop("outcome")]]


def _survival(view: RunView, depth: NDArray[np.int64]) -> pd.DataFrame:
    count = (depth[:, None] > np.arange(len(view.taps))).sum(axis=0)
    low, high = wilson_interval(count, len(depth))
    return pd.DataFrame(
        {
            "depth": np.arange(len(count)),
            "tap": view.tap_names,
            "count": count,
            "total": len(depth),
            "share": count / len(depth),
            "share_low": low,
            "share_high": high,
        }
    )


def classes_by_depth(view: RunView, split: str | None = None) -> pd.DataFrame:
    """Which labels the examples of each depth have.

    Returns:
        A row per depth and class: depth, tap, class, class_name, count, share (of the examples of that depth; NaN where
        there are none), class_share (of the examples of that class).
    """
    examples = view.examples.iloc[view.rows(split)]
    depths, classes = len(view.depth_names), len(view.class_names)
    cells = examples["depth"].to_numpy() * classes + examples["label"].to_numpy()
    count = np.bincount(cells, minlength=depths * classes).reshape(depths, classes)
    of_depth, of_class = count.sum(axis=1, keepdims=True), count.sum(axis=0, keepdims=True)
    return pd.DataFrame(
        {
            "depth": np.repeat(np.arange(depths), classes),
            "tap": np.repeat(view.depth_names, classes),
            "class": np.tile(np.arange(classes), depths),
            "class_name": np.tile(view.class_names, depths),
            "count": count.ravel(),
            "share": np.where(of_depth > 0, count / np.maximum(of_depth, 1), np.nan).ravel(),
            "class_share": np.where(of_class > 0, count / np.maximum(of_class, 1), np.nan).ravel(),
        }
    )


def depths_of_classes(view: RunView, split: str | None = None) -> pd.DataFrame:
    """How deep the examples of each class are; unresolved ones count with depth L.

    Returns:
        A row per class that has examples, in order of class: class, class_name, count, mean, mean_low, mean_high
        (Student 95 %), q10, q25, q50, q75, q90, unresolved, accuracy, accuracy_low, accuracy_high (Wilson 95 %).
    """
    examples = view.examples.iloc[view.rows(split)]
    label = examples["label"].to_numpy(np.int64)
    return pd.DataFrame([_class_row(view, int(number), examples[label == number]) for number in np.unique(label)])


def _class_row(view: RunView, label: int, examples: pd.DataFrame) -> dict[str, object]:
    depth = examples["depth"].to_numpy()
    mean, mean_low, mean_high = mean_interval(depth, least=0, most=len(view.taps))
    right = int(examples["correct"].sum())
    low, high = wilson_interval(right, len(depth))
    quantiles = np.quantile(depth, QUANTILES)
    return {
        "class": label,
        "class_name": view.class_names[label],
        "count": len(depth),
        "mean": mean,
        "mean_low": mean_low,
        "mean_high": mean_high,
        **{f"q{round(100 * q)}": float(value) for q, value in zip(QUANTILES, quantiles, strict=True)},
        "unresolved": int((depth == len(view.taps)).sum()),
        "accuracy": right / len(depth),
        "accuracy_low": float(low),
        "accuracy_high": float(high),
    }
