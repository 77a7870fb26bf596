"""draw_umap: UMAP by umap-learn, on exact neighbours, from a given start."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from layerwise.arrays.votes import check_k
from layerwise.errors import MissingExtraError
from layerwise.neighbors.search import find_neighbors
from layerwise.seeds import stream_seed

START_SPREAD = 10.0  # umap-learn brings its own starts to this width


def draw_umap(
    values: NDArray[np.float32], *, start: NDArray[np.floating], neighbors: int = 15, seed: int = 0
) -> NDArray[np.float32]:
    """A UMAP map, shape (N, 2).

    Args:
        values: shape (N, d).
        start: shape (N, 2), where the points begin.
        neighbors: how many neighbours of each point.
        seed: the same seed, the same map; it makes umap-learn use one thread.

    Raises:
        NotEnoughExamplesError: no more examples than neighbours.
        MissingExtraError: umap-learn is not installed.
    """
    check_k(neighbors, len(values))
    library = _library()
    points = torch.from_numpy(np.ascontiguousarray(values))
    found = find_neighbors(points, points, neighbors - 1, own_rows=np.arange(len(values)))
    itself = np.arange(len(values))[:, None]  # umap-learn counts a point as its own first neighbour
    near = np.concatenate([itself, found.rows], axis=1)
    distances = np.concatenate([np.zeros(itself.shape), np.sqrt(found.squared_distances)], axis=1)
    spread = start - start.min(axis=0)
    reducer = library.UMAP(
        n_neighbors=neighbors,
        init=(START_SPREAD * spread / (spread.max() or 1.0)).astype(np.float32),
        random_state=stream_seed(seed, "umap", bits=32),
        precomputed_knn=(near, distances.astype(np.float32)),
        n_jobs=1,
    )
    with warnings.catch_warnings():
        # That new points cannot be transformed with precomputed neighbours, and other advice to its own users.
        warnings.simplefilter("ignore")
        return np.asarray(reducer.fit_transform(values), np.float32)


def _library() -> Any:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import umap
    except ModuleNotFoundError as error:
        raise MissingExtraError("umap-learn", "umap", "a UMAP map") from error
    return umap
