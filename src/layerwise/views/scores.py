"""How scores of single images go with their neighbours at each tap: `label_disagreement`, `scores_by_tap`."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from layerwise.arrays.intervals import rank_correlation
from layerwise.arrays.label_quality import knn_disagreement
from layerwise.arrays.score_catalog import hardness
from layerwise.views.run import RunView

__all__ = ["label_disagreement", "scores_by_tap"]

COLUMNS = ["score", "tap", "rho", "count"]
MEASURED = ("depth", "soft_depth")
LEAST = 3
"""Images for a rank correlation."""


def label_disagreement(view: RunView, rows: NDArray[np.int64] | None = None) -> NDArray[np.float64]:
    """The share of each image's neighbours at each tap that have another label, (N, L); of the rows given, or all.

    Empty, (0, L), where the run kept no neighbours.
    """
    chosen = np.arange(len(view.examples)) if rows is None else rows
    if view.neighbors is None or view.base is None:
        return np.zeros((0, len(view.tap_names)))
    labels = view.base["label"].to_numpy()[view.neighbors[chosen]]  # (N, L, k)
    given = view.examples["label"].to_numpy()[chosen]
    return np.stack([knn_disagreement(labels[:, tap], given) for tap in range(labels.shape[1])], axis=1)


def scores_by_tap(view: RunView) -> pd.DataFrame:
    """How each score of the training images goes with their neighbours: score, tap, rho (Spearman), count.

    The scores are those noted in training, depth and soft depth, all turned so that high is hard. Empty unless training
    was noted, and training images were measured.
    """
    if view.noted is None or "train" not in view.splits:
        return pd.DataFrame(columns=COLUMNS)
    id_to_row = {name: row for row, name in enumerate(view.noted.ids.tolist())}
    rows = view.rows("train")
    rows = rows[[str(name) in id_to_row for name in view.examples["id"].iloc[rows]]]
    away = label_disagreement(view, rows)
    if len(away) < LEAST:
        return pd.DataFrame(columns=COLUMNS)
    examples = view.examples.iloc[rows]
    noted = [id_to_row[str(name)] for name in examples["id"]]
    scores = {name: view.noted.dynamics.scores[name][noted] for name in view.noted.scores}
    scores |= {name: examples[name].to_numpy(np.float64) for name in MEASURED if name in examples}
    lines = [
        (name, tap, rank_correlation(hardness(name, values), away[:, place])[0], len(rows))
        for name, values in scores.items()
        for place, tap in enumerate(view.tap_names)
    ]
    return pd.DataFrame(lines, columns=COLUMNS)
