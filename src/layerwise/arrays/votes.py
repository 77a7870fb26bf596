"""The vote of a k-NN probe, its tie rules, and a slow exact search that says what the fast one must give.

Two ties can happen, and neither may favour a class:

* Two training examples are equally far. The one with the smaller `tie_key` counts as nearer: a fixed shuffle of the
  row numbers, so that data sorted by class does not let the first class win.
* Two classes get equally many votes. The one whose nearest voter is nearer wins.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from layerwise.errors import NotEnoughExamplesError, ShapeError


def tie_key(rows: NDArray[np.integer]) -> NDArray[np.uint64]:
    """A fixed, well-mixed number for each row, different for different rows (the splitmix64 finaliser).

    >>> tie_key(np.array([0, 1, 2])).argsort()
    array([0, 2, 1])
    """
    mixed = rows.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        mixed = (mixed ^ (mixed >> np.uint64(shift))) * np.uint64(factor)
    return mixed ^ (mixed >> np.uint64(31))


def vote(neighbor_labels: NDArray[np.int64], num_classes: int) -> NDArray[np.int64]:
    """The class with most votes among the neighbours; equal counts go to the class whose nearest voter is nearer.

    Args:
        neighbor_labels: shape (N, k), nearest first.
        num_classes: K.

    Returns:
        Shape (N,), classes 0 to K - 1.

    Raises:
        ShapeError: `neighbor_labels` is not two-dimensional, or has no neighbour.

    >>> vote(np.array([[2, 1, 1, 2], [0, 1, 1, 2]]), 3)
    array([2, 1])
    """
    if neighbor_labels.ndim != 2 or neighbor_labels.shape[1] == 0:
        raise ShapeError(f"neighbor_labels needs shape (N, k) with k at least 1; got {neighbor_labels.shape}.")
    counts = vote_counts(neighbor_labels, num_classes)  # (N, K)
    counts_of_neighbors = np.take_along_axis(counts, neighbor_labels, axis=1)  # (N, k)
    winning = counts_of_neighbors.argmax(axis=1)  # the first maximum: the nearest voter of a winning class
    winners: NDArray[np.int64] = np.take_along_axis(neighbor_labels, winning[:, None], axis=1)[:, 0]
    return winners


def vote_counts(neighbor_labels: NDArray[np.int64], num_classes: int) -> NDArray[np.int64]:
    """How many of the neighbours belong to each class.

    Args:
        neighbor_labels: shape (N, k).
        num_classes: K.

    Returns:
        Shape (N, K), each row summing to k.

    >>> vote_counts(np.array([[2, 1, 1, 2]]), 3)
    array([[0, 2, 2]])
    """
    count = len(neighbor_labels)
    cells = neighbor_labels + num_classes * np.arange(count)[:, None]
    return np.bincount(cells.ravel(), minlength=count * num_classes).reshape(count, num_classes)


def nearest_rows(
    queries: NDArray[np.floating], base: NDArray[np.floating], k: int, *, leave_one_out: bool = False
) -> NDArray[np.int64]:
    """The k nearest rows of `base` for each query by brute force in float64: the oracle of `layerwise.neighbors`.

    Args:
        queries: shape (Q, D).
        base: shape (B, D).
        k: how many neighbours.
        leave_one_out: `queries` are `base` itself, and no row is its own neighbour.

    Returns:
        Shape (Q, k), nearest first, equal distances by `tie_key`.

    Raises:
        NotEnoughExamplesError: `base` has no more than k rows.
    """
    check_k(k, len(base))
    keys = tie_key(np.arange(len(base)))
    base64 = base.astype(np.float64)
    nearest = np.empty((len(queries), k), dtype=np.int64)
    for n, query in enumerate(queries.astype(np.float64)):
        distances = np.square(base64 - query).sum(axis=1)  # (B,)
        if leave_one_out:
            distances[n] = np.inf
        nearest[n] = np.lexsort((keys, distances))[:k]
    return nearest


def check_k(k: int, base_count: int) -> None:
    """Refuse a k for which there are too few training examples.

    Raises:
        NotEnoughExamplesError: with the numbers and what to do.
    """
    if k < 1:
        raise NotEnoughExamplesError(f"k = {k}: a vote needs at least one neighbour. Give k of 1 or more.")
    if base_count <= k:
        raise NotEnoughExamplesError(
            f"k = {k} needs more than {k} training examples; got {base_count}. Lower k, or give more examples."
        )
