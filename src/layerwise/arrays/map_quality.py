"""How well a map shows what it was drawn from, for each point and on the whole: trust, recall, label accuracy."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import KDTree

from layerwise.arrays.votes import vote
from layerwise.errors import NonFiniteError, NotEnoughExamplesError, ShapeError

TILE_BYTES = 64e6


@dataclass(frozen=True, eq=False)
class MapQuality:
    """The quality of a map, point by point; each number on the whole is the mean over points.

    Attributes:
        trust: shape (N,). Trustworthiness: 1 if the k points around a point on the map are its k nearest by features;
            less, the further down they stand in the order of its distances. About 0.5 for a map drawn by chance.
        recall: shape (N,), the share of a point's k nearest by features that are among its k nearest on the map.
        votes: shape (N,), the class that the k nearest on the map vote for, the point itself left out.
        feature_votes: shape (N,), the class that the k nearest by features vote for.
        labels: shape (N,), as given.
        k: how many neighbours are asked.

    Source: Venna and Kaski (2001), Neighborhood preservation in nonlinear projection methods, for trustworthiness.
    """

    trust: NDArray[np.float64]
    recall: NDArray[np.float64]
    votes: NDArray[np.int64]
    feature_votes: NDArray[np.int64]
    labels: NDArray[np.int64]
    k: int

    def summary(self) -> dict[str, float]:
        """The means: trustworthiness, recall, and how often the vote is the label, on the map and by features."""
        return {
            "trustworthiness": float(self.trust.mean()),
            "recall": float(self.recall.mean()),
            "label_accuracy": float((self.votes == self.labels).mean()),
            "feature_label_accuracy": float((self.feature_votes == self.labels).mean()),
        }


def map_quality(
    features: NDArray[np.floating], coordinates: NDArray[np.floating], labels: NDArray[np.integer], *, k: int = 10
) -> MapQuality:
    """Compare the neighbours on a map with those by features.

    Args:
        features: shape (N, D), what the map was drawn from.
        coordinates: shape (N, 2), or of any other width.
        labels: shape (N,), whole numbers from 0.
        k: how many neighbours of each point.

    Returns:
        A MapQuality. Costs N² distances, in tiles.

    Raises:
        ShapeError: the arrays are of different lengths.
        NotEnoughExamplesError: there are no more than 2 k points: then trustworthiness is not defined.
        NonFiniteError: NaN or infinity among features or coordinates.

    >>> points = np.arange(12.0)[:, None]
    >>> map_quality(points, points, np.arange(12) // 6, k=2).summary()["trustworthiness"]
    1.0
    """
    classes = np.asarray(labels, np.int64)
    _check(features, coordinates, classes, k)
    near = nearest_on_map(coordinates, k)  # (N, k)
    ranks = np.empty(near.shape, np.int64)
    feature_near = np.empty(near.shape, np.int64)
    for rows, distances in _distance_tiles(features):
        shown = np.take_along_axis(distances, near[rows], axis=1)  # (T, k)
        for place in range(k):
            # From 1; points that are equally far share the best rank.
            ranks[rows, place] = 1 + (distances < shown[:, place, None]).sum(axis=1)
        feature_near[rows] = _smallest(distances, k)
    count, num_classes = len(near), int(classes.max()) + 1
    lost = np.maximum(ranks - k, 0).sum(axis=1)  # (N,)
    return MapQuality(
        trust=1 - 2 * lost / (k * (2 * count - 3 * k - 1)),
        recall=(near[:, :, None] == feature_near[:, None, :]).any(axis=2).mean(axis=1),
        votes=vote(classes[near], num_classes),
        feature_votes=vote(classes[feature_near], num_classes),
        labels=classes,
        k=k,
    )


def nearest_on_map(coordinates: NDArray[np.floating], k: int) -> NDArray[np.int64]:
    """The k nearest other points of each point, nearest first, shape (N, k)."""
    # (N, k + 1), with the point itself, not always first
    found = np.asarray(KDTree(coordinates).query(coordinates, k + 1)[1], np.int64)
    itself = found == np.arange(len(found))[:, None]
    itself[~itself.any(axis=1), -1] = True  # among many at one place it may be missing
    return np.asarray(found[~itself].reshape(len(found), k), np.int64)


def _distance_tiles(features: NDArray[np.floating]) -> Iterator[tuple[slice, NDArray[np.float64]]]:
    """Squared distances (T, N) of some rows to all; infinite to itself."""
    centred = features - features.mean(axis=0, dtype=np.float64)
    norms = np.square(centred).sum(axis=1)  # (N,)
    at_once = max(1, int(TILE_BYTES / (8 * len(centred))))
    for start in range(0, len(centred), at_once):
        rows = slice(start, min(start + at_once, len(centred)))
        distances = norms[rows, None] + norms - 2 * centred[rows] @ centred.T
        distances[np.arange(rows.stop - rows.start), np.arange(rows.start, rows.stop)] = np.inf
        yield rows, distances


def _smallest(distances: NDArray[np.float64], k: int) -> NDArray[np.int64]:
    """Places of the k smallest in each row, in order."""
    some = np.argpartition(distances, k, axis=1)[:, :k]
    order = np.argsort(np.take_along_axis(distances, some, axis=1), axis=1, kind="stable")
    return np.take_along_axis(some, order, axis=1)


def _check(
    features: NDArray[np.floating], coordinates: NDArray[np.floating], labels: NDArray[np.int64], k: int
) -> None:
    count = len(features)
    if features.ndim != 2 or coordinates.ndim != 2 or not count == len(coordinates) == len(labels):
        raise ShapeError(
            f"features (N, D), coordinates (N, 2) and labels (N,) need the same N; "
            f"got {features.shape}, {coordinates.shape} and {labels.shape}."
        )
    if k < 1 or count <= 2 * k:
        raise NotEnoughExamplesError(
            f"k = {k}: the quality of a map needs k of at least 1 and more than {2 * max(k, 1)} points; got {count}.\n"
            "    Lower k, or give more examples."
        )
    for name, values in (("features", features), ("coordinates", coordinates)):
        if not np.isfinite(values).all():
            raise NonFiniteError(f"{name} hold NaN or infinity. Look for them in what the map was drawn from.")
