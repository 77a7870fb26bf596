"""gaussian_shares: how much each point attends to each of its neighbours, as t-SNE has it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

HALVINGS = 100
TOLERANCE = 1e-6


def gaussian_shares(squared_distances: NDArray[np.floating], perplexity: float) -> NDArray[np.float64]:
    """Shares exp(-β d²) / Σ exp(-β d²), with the β of each row at which their perplexity is the one given.

    Args:
        squared_distances: shape (M, k), from each point to its neighbours.
        perplexity: e to the entropy of the shares; below k, or all shares become alike.

    Returns:
        Shape (M, k); rows sum to 1.

    Source: Van der Maaten and Hinton (2008), Visualizing data using t-SNE.

    >>> shares = gaussian_shares(np.arange(1.0, 16.0)[None], 5.0)
    >>> round(float(np.exp(-(shares * np.log(shares)).sum())), 3)
    5.0
    """
    distances = np.asarray(squared_distances, np.float64)
    further = distances - distances.min(axis=1, keepdims=True)
    mean = further.mean(axis=1, keepdims=True)
    beta = 1 / np.where(mean > 0, mean, 1.0)  # (M, 1)
    low, high = np.zeros_like(beta), np.full_like(beta, np.inf)
    shares: NDArray[np.float64] = np.full_like(further, 1 / further.shape[1])
    for _ in range(HALVINGS):
        shares = np.exp(-beta * further)
        total = shares.sum(axis=1, keepdims=True)
        shares /= total
        entropy = np.log(total) + beta * (further * shares).sum(axis=1, keepdims=True)
        above = entropy - np.log(perplexity)
        if np.abs(above).max() < TOLERANCE:
            break
        low, high = np.where(above > 0, beta, low), np.where(above > 0, high, beta)
        beta = np.where(np.isinf(high), 2 * beta, (low + np.where(np.isinf(high), 0, high)) / 2)
    return shares
