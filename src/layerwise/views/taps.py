"""What each tap knows: the accuracy of its probe, what it gains and loses, and which classes it confuses."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from layerwise.arrays.intervals import wilson_interval
from layerwise.errors import UnknownNameError, did_you_mean
from layerwise.views.run import RunView


def probe_accuracy(view: RunView) -> pd.DataFrame:
    """How often the k-NN probe at each tap gives the label, and how often the reference class.

    Returns:
        A row per split and tap: split, order, tap, count, right, accuracy, accuracy_low, accuracy_high, agreement,
        agreement_low, agreement_high (Wilson 95 %).
    """
    return pd.concat([_probe_accuracy(view, split) for split in view.splits], ignore_index=True)


def _probe_accuracy(view: RunView, split: str) -> pd.DataFrame:
    rows = view.rows(split)
    votes = view.votes[rows]  # (N, L)
    right = (votes == _column(view, "label", rows)[:, None]).sum(axis=0)
    agreeing = (votes == _column(view, "reference", rows)[:, None]).sum(axis=0)
    low, high = wilson_interval(right, len(rows))
    agreement_low, agreement_high = wilson_interval(agreeing, len(rows))
    return pd.DataFrame(
        {
            "split": split,
            "order": np.arange(len(view.taps)),
            "tap": view.tap_names,
            "count": len(rows),
            "right": right,
            "accuracy": right / len(rows),
            "accuracy_low": low,
            "accuracy_high": high,
            "agreement": agreeing / len(rows),
            "agreement_low": agreement_low,
            "agreement_high": agreement_high,
        }
    )


def network_accuracy(view: RunView) -> pd.DataFrame:
    """How often the network itself is right.

    Returns:
        A row per split: split, count, right, accuracy, accuracy_low, accuracy_high (Wilson 95 %).
    """
    counts = view.examples.groupby("split")["correct"].agg(["size", "sum"]).loc[list(view.splits)]
    low, high = wilson_interval(counts["sum"], counts["size"])
    return pd.DataFrame(
        {
            "split": view.splits,
            "count": counts["size"].to_numpy(),
            "right": counts["sum"].to_numpy(),
            "accuracy": (counts["sum"] / counts["size"]).to_numpy(),
            "accuracy_low": low,
            "accuracy_high": high,
        }
    )


def gains_and_losses(view: RunView, split: str | None = None) -> pd.DataFrame:
    """Which tap made examples right that were wrong at the tap before it, and which tap lost them again.

    Returns:
        A row per tap: order, tap, right, gained, lost. At the first tap all that is right is gained.
    """
    rows = view.rows(split)
    right = view.votes[rows] == _column(view, "label", rows)[:, None]  # (N, L)
    before = np.hstack([np.zeros((len(rows), 1), bool), right[:, :-1]])
    return pd.DataFrame(
        {
            "order": np.arange(len(view.taps)),
            "tap": view.tap_names,
            "right": right.sum(axis=0),
            "gained": (right & ~before).sum(axis=0),
            "lost": (before & ~right).sum(axis=0),
        }
    )


def confusion(view: RunView, tap: str | None = None, split: str | None = None) -> pd.DataFrame:
    """How many examples of each label (rows) were given each class (columns), by a tap's probe or by the network.

    Args:
        view: what was measured.
        tap: the name of a tap; None for the network's own prediction.
        split: the split to look at; the main one unless given.

    Returns:
        K rows and K columns, both labelled by class number.

    Raises:
        UnknownNameError: no tap has that name.
    """
    rows = view.rows(split)
    given = _column(view, "prediction", rows) if tap is None else view.votes[rows, _order(view, tap)]
    classes = len(view.class_names)
    cells = _column(view, "label", rows) * classes + given
    counts = np.bincount(cells, minlength=classes**2).reshape(classes, classes)
    return pd.DataFrame(
        counts, index=pd.RangeIndex(classes, name="label"), columns=pd.RangeIndex(classes, name="given")
    )


def most_confused(view: RunView, count: int = 10, split: str | None = None) -> pd.DataFrame:
    """The pairs of classes that the network confuses most.

    Returns:
        At most `count` rows, most frequent first: label, prediction, label_name, prediction_name, count, share,
        share_low, share_high (of the examples of that label; Wilson 95 %).
    """
    counts = confusion(view, split=split).to_numpy()
    wrong = counts - np.diag(np.diag(counts))
    order = np.argsort(-wrong.ravel(), kind="stable")[:count]
    label, prediction = np.unravel_index(order[wrong.ravel()[order] > 0], wrong.shape)
    of_label = counts.sum(axis=1)[label]
    low, high = wilson_interval(wrong[label, prediction], of_label)
    return pd.DataFrame(
        {
            "label": label,
            "prediction": prediction,
            "label_name": [view.class_names[number] for number in label],
            "prediction_name": [view.class_names[number] for number in prediction],
            "count": wrong[label, prediction],
            "share": wrong[label, prediction] / of_label,
            "share_low": low,
            "share_high": high,
        }
    )


def _column(view: RunView, name: str, rows: NDArray[np.int64]) -> NDArray[np.int64]:
    column: NDArray[np.int64] = view.examples[name].to_numpy(np.int64)[rows]
    return column


def _order(view: RunView, tap: str) -> int:
    if tap not in view.tap_names:
        raise UnknownNameError(
            f'no tap named "{tap}" in {view.name} ({len(view.taps)} taps).{did_you_mean(tap, view.tap_names)}\n'
            f"    Choose one of: {', '.join(view.tap_names)}."
        )
    return view.tap_names.index(tap)
