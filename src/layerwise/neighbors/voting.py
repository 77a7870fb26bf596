"""find_votes: what the k nearest neighbours vote for, without finding out which is nearer where that cannot matter.

Most votes are certain from the bounds of a first pass (`candidates`). The rest are decided by distances in float64, as
in `search`.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from layerwise.neighbors.candidates import certain_votes
from layerwise.neighbors.effort import Effort
from layerwise.neighbors.measuring import measure
from layerwise.neighbors.passes import candidates_in_parts
from layerwise.neighbors.scores import full_precision
from layerwise.neighbors.search import check_arrays, own_columns


def find_votes(
    queries: Tensor,
    base: Tensor,
    labels: NDArray[np.int64],
    k: int,
    *,
    num_classes: int,
    own_rows: NDArray[np.int64] | None = None,
    effort: Effort | None = None,
) -> NDArray[np.int64]:
    """The class that the k nearest rows of `base` vote for, for each query: that of `find_neighbors`, found faster.

    Args:
        queries: shape (Q, D), any floating type.
        base: shape (B, D), on the same device.
        labels: shape (B,), classes 0 to K - 1 of the rows.
        k: how many neighbours vote.
        num_classes: K.
        own_rows: shape (Q,); the row that is the query itself and is left out of its vote, or -1 where there is none.
        effort: is added to.

    Returns:
        Shape (Q,).

    Raises:
        NotEnoughExamplesError: `base` has no more than k rows.
        ShapeError: the widths differ.
        NonFiniteError: NaN or infinity among the values.

    >>> base = torch.tensor([[0.0], [1.0], [2.0], [10.0]])
    >>> find_votes(torch.tensor([[1.2]]), base, np.array([0, 1, 1, 0]), 3, num_classes=2)
    array([1])
    """
    check_arrays(queries, base, k)
    own = own_columns(queries, base, own_rows, 0)
    effort = Effort() if effort is None else effort
    effort.queries += len(queries)
    classes = torch.from_numpy(labels).to(base.device)
    votes = np.empty(len(queries), dtype=np.int64)
    with full_precision(base.device):
        for part in candidates_in_parts(queries, base, k, own):
            asked, candidates = part.queries, part.candidates
            winners, certain = certain_votes(candidates, classes, num_classes, k)
            votes[asked[certain].cpu().numpy()] = winners[certain].cpu().numpy()
            unsure = candidates.complete & ~certain
            measured = measure(queries[asked[unsure]], base, candidates[unsure], k, 0)
            votes[asked[unsure].cpu().numpy()] = measured.votes(labels, num_classes)
            if part.first:
                effort.reranked += int((~certain).sum())
            if part.sketched:
                effort.sketched += int(candidates.complete.sum())
    return votes
