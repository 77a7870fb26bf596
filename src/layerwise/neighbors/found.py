"""What a search found: the k nearest rows of each query; parts merge into the whole."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from layerwise.arrays.votes import tie_key, vote


@dataclass(frozen=True)
class Neighbors:
    """The k nearest rows of each query.

    Attributes:
        rows: shape (Q, k), nearest first.
        squared_distances: shape (Q, k), float64, ascending.
    """

    rows: NDArray[np.int64]
    squared_distances: NDArray[np.float64]

    def votes(self, labels: NDArray[np.int64], num_classes: int) -> NDArray[np.int64]:
        """The class that each query's neighbours vote for, shape (Q,); `labels` has one entry for each row."""
        return vote(labels[self.rows], num_classes)


def merge_neighbors(first: Neighbors, second: Neighbors, k: int) -> Neighbors:
    """The k nearest of two disjoint parts of the training set: associative, exact, in any order.

    >>> near = Neighbors(np.array([[3, 1]]), np.array([[0.5, 2.0]]))
    >>> far = Neighbors(np.array([[7, 9]]), np.array([[1.0, 4.0]]))
    >>> merge_neighbors(near, far, 3).rows
    array([[3, 7, 1]])
    """
    rows = np.concatenate([first.rows, second.rows], axis=1)
    distances = np.concatenate([first.squared_distances, second.squared_distances], axis=1)
    return nearest_first(rows, distances, k)


def nearest_first(rows: NDArray[np.int64], distances: NDArray[np.float64], k: int) -> Neighbors:
    """The k smallest of distances (Q, m), in order, equal ones by `tie_key` of the row."""
    order = np.lexsort((tie_key(rows), distances), axis=1)[:, :k]
    return Neighbors(np.take_along_axis(rows, order, axis=1), np.take_along_axis(distances, order, axis=1))
