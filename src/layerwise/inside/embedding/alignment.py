"""find_turn, aligned_to: a map turned, mirrored and shifted onto another of the same examples, to follow points."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import orthogonal_procrustes


@dataclass(frozen=True, eq=False)
class Turn:
    """A movement of the plane that keeps every distance.

    Attributes:
        matrix: shape (2, 2), orthogonal: a turn, or a turn and a mirror.
        before, after: shape (2,), where the middle was and is.
    """

    matrix: NDArray[np.floating]
    before: NDArray[np.floating]
    after: NDArray[np.floating]

    def apply(self, coordinates: NDArray[np.floating]) -> NDArray[np.floating]:
        """Points (N, 2), moved."""
        moved: NDArray[np.floating] = (coordinates - self.before) @ self.matrix + self.after
        return moved


def find_turn(reference: NDArray[np.floating], coordinates: NDArray[np.floating]) -> Turn:
    """What brings a map as near to a reference of the same examples as a turn, a mirror and a shift can.

    Args:
        reference, coordinates: shape (N, 2).

    Source: Schönemann (1966), A generalized solution of the orthogonal Procrustes problem.
    """
    # One memory order, so that a map read from a file gives the same bits as one just drawn.
    onto, given = np.ascontiguousarray(reference), np.ascontiguousarray(coordinates)
    before, after = given.mean(axis=0), onto.mean(axis=0)
    matrix, _ = orthogonal_procrustes(given - before, onto - after)
    return Turn(matrix, before, after)


def aligned_to(reference: NDArray[np.floating], coordinates: NDArray[np.floating]) -> NDArray[np.float32]:
    """The map with every distance in it kept, as near to the reference as a turn, a mirror and a shift bring it.

    Args:
        reference: shape (N, 2), a map of the same examples.
        coordinates: shape (N, 2).

    >>> square = np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 2.0]])
    >>> turned = square @ np.array([[0.0, 1.0], [-1.0, 0.0]]) + 5
    >>> bool(np.allclose(aligned_to(square, turned), square))
    True
    """
    return np.asarray(find_turn(reference, coordinates).apply(np.ascontiguousarray(coordinates)), np.float32)
