"""aligned_to: a map turned, mirrored and shifted onto another of the same examples, so that points can be followed."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import orthogonal_procrustes


def aligned_to(reference: NDArray[np.floating], coordinates: NDArray[np.floating]) -> NDArray[np.float32]:
    """The map with every distance in it kept, as near to the reference as a turn, a mirror and a shift bring it.

    Args:
        reference: shape (N, 2), a map of the same examples.
        coordinates: shape (N, 2).

    Source: Schönemann (1966), A generalized solution of the orthogonal Procrustes problem.

    >>> square = np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 2.0]])
    >>> turned = square @ np.array([[0.0, 1.0], [-1.0, 0.0]]) + 5
    >>> bool(np.allclose(aligned_to(square, turned), square))
    True
    """
    centre = reference.mean(axis=0)
    moved = coordinates - coordinates.mean(axis=0)
    turn, _ = orthogonal_procrustes(moved, reference - centre)
    return np.asarray(moved @ turn + centre, np.float32)
