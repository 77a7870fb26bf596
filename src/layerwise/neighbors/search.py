"""find_neighbors: the k nearest rows of each query, exact, nearest first.

First passes find candidates with bounds of their distances, dearer and dearer until no query is open (`passes`). Those
that may be neighbours are measured again in float64, and that decides (`measuring`). The bounds are derived in
docs/methods/votes.md.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from layerwise.arrays.votes import check_k
from layerwise.errors import ShapeError
from layerwise.neighbors.found import Neighbors
from layerwise.neighbors.measuring import measure
from layerwise.neighbors.passes import candidates_in_parts
from layerwise.neighbors.scores import full_precision


def find_neighbors(
    queries: Tensor, base: Tensor, k: int, *, own_rows: NDArray[np.int64] | None = None, first_row: int = 0
) -> Neighbors:
    """The k nearest rows of `base` for each query: Euclidean, exact, equal distances by `tie_key` of the row.

    Args:
        queries: shape (Q, D), any floating type.
        base: shape (B, D), on the same device.
        k: how many neighbours.
        own_rows: shape (Q,); the row that is the query itself and is left out of its vote, or -1 where there is none.
        first_row: the number of `base`'s first row in the whole training set, when `base` is a shard of it.

    Returns:
        Shapes (Q, k).

    Raises:
        NotEnoughExamplesError: `base` has no more than k rows.
        ShapeError: the widths differ.
        NonFiniteError: NaN or infinity among the values.
    """
    check_arrays(queries, base, k)
    own = own_columns(queries, base, own_rows, first_row)
    rows = np.empty((len(queries), k), dtype=np.int64)
    distances = np.empty((len(queries), k), dtype=np.float64)
    with full_precision(base.device):
        for part in candidates_in_parts(queries, base, k, own):
            complete = part.candidates.complete
            done = part.queries[complete]
            found = measure(queries[done], base, part.candidates[complete], k, first_row)
            rows[done.cpu().numpy()], distances[done.cpu().numpy()] = found.rows, found.squared_distances
    return Neighbors(rows, distances)


def check_arrays(queries: Tensor, base: Tensor, k: int) -> None:
    """Refuse what cannot be searched.

    Raises:
        NotEnoughExamplesError: `base` has no more than k rows.
        ShapeError: the widths differ.
    """
    check_k(k, len(base))
    if queries.ndim != 2 or base.ndim != 2 or queries.shape[1] != base.shape[1]:
        raise ShapeError(
            f"queries (Q, D) and base (B, D) need the same D; got {tuple(queries.shape)} and {tuple(base.shape)}."
        )


def own_columns(queries: Tensor, base: Tensor, own_rows: NDArray[np.int64] | None, first_row: int) -> Tensor:
    """Each query's own place in `base`, or a negative number: shape (Q,), where the base is."""
    own = np.full(len(queries), -1) if own_rows is None else own_rows - first_row
    return torch.from_numpy(own).to(base.device)
