"""What the votes must be: a float64 product picks candidates, exact float64 differences order them.

It shares nothing with layerwise's search but the rules for ties, and its memory stays small for any number of rows.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from layerwise.arrays.votes import tie_key, vote

K = 30
SPARE = 40
BASE_ROWS = 2000
QUERIES_AT_ONCE = 1000

Values = NDArray[np.float32]
Classes = NDArray[np.int64]
Ask = Callable[[Values], Classes]


def float64(base: Values, labels: Classes, num_classes: int) -> Ask:
    """The truth: values (B, D) and labels (B,) of the base give a function from queries (Q, D) to classes (Q,)."""
    mean = base.mean(axis=0, dtype=np.float64)  # (D,)

    def ask(queries: Values) -> Classes:
        nearest = np.empty((len(queries), K), dtype=np.int64)
        for start in range(0, len(queries), QUERIES_AT_ONCE):
            part = slice(start, start + QUERIES_AT_ONCE)
            candidates = _candidates(base, queries[part], mean)
            nearest[part] = [_nearest(base, query, rows) for query, rows in zip(queries[part], candidates, strict=True)]
        return vote(labels[nearest], num_classes)

    return ask


def _candidates(base: Values, queries: Values, mean: NDArray[np.float64]) -> NDArray[np.int64]:
    """Rows with the smallest |y|² − 2 x·y, of values less their mean: shape (Q, K + SPARE), in no order."""
    scores = np.empty((len(queries), len(base)))
    centred = queries - mean  # (Q, D), float64
    for start in range(0, len(base), BASE_ROWS):
        rows = base[start : start + BASE_ROWS] - mean
        np.matmul(centred, rows.T, out=(product := np.empty((len(queries), len(rows)))))
        scores[:, start : start + BASE_ROWS] = np.einsum("bd,bd->b", rows, rows) - 2 * product
    kept = min(K + SPARE, len(base))
    return np.argpartition(scores, kept - 1, axis=1)[:, :kept]


def _nearest(base: Values, query: Values, rows: NDArray[np.int64]) -> NDArray[np.int64]:
    differences = base[rows].astype(np.float64) - query
    distances = np.einsum("cd,cd->c", differences, differences)
    return rows[np.lexsort((tie_key(rows), distances))[:K]]
