"""place_points: where new examples fall on t-SNE maps that are drawn, on the maps of many taps at once.

Each new point minimises its own Kullback-Leibler divergence to the points that are there, which stay where they are, as
in openTSNE's `transform`. The sums go over all points, exactly: for a few new points that is several times faster than
a grid or a tree, which would be made anew at each step.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from layerwise.arrays.affinities import gaussian_shares
from layerwise.errors import InputError, NotEnoughExamplesError

PERPLEXITY = 5.0
EXAGGERATION = 1.5
NEIGHBORS = int(3 * PERPLEXITY)
STEPS = 250
RATE = 1.0  # openTSNE has 0.1, and adapts it
MOMENTUM = 0.8
LONGEST_GRADIENT = 0.25
STILL = 1e-3
"""A step so short, in units of the map, moves nothing that anyone sees."""


@dataclass(frozen=True, eq=False)
class Ground:
    """A map onto which points are placed.

    Attributes:
        values: shape (N, d), what the map was drawn from.
        coordinates: shape (N, 2).
    """

    values: NDArray[np.floating]
    coordinates: NDArray[np.floating]


def place_points(new_values: Sequence[NDArray[np.floating]], grounds: Sequence[Ground]) -> NDArray[np.float64]:
    """Place new examples on each of the maps.

    Args:
        new_values: for each of the L maps, shape (M, d): the new examples, reduced as the map's values were.
        grounds: L maps of the same N examples.

    Returns:
        Shape (L, M, 2).

    Raises:
        InputError: there are not as many arrays as maps, or the maps are of different numbers of examples.
        NotEnoughExamplesError: the maps have fewer than 16 points.

    Source: Poličar, Stražar and Zupan (2021), Embedding to reference t-SNE space addresses batch effects.
    """
    counts = {len(ground.coordinates) for ground in grounds}
    if len(new_values) != len(grounds) or len(counts) != 1:
        raise InputError("give new values for each map, and maps of the same examples.")
    if min(counts) <= NEIGHBORS:
        raise NotEnoughExamplesError(f"placing needs maps of more than {NEIGHBORS} points; these have {min(counts)}.")
    attracted = [_affinities(values, ground) for values, ground in zip(new_values, grounds, strict=True)]
    near = np.stack([rows for rows, _ in attracted])  # (L, M, k)
    shares = np.stack([shares for _, shares in attracted])  # (L, M, k)
    there = np.stack([ground.coordinates for ground in grounds]).astype(np.float32)  # (L, N, 2)
    close = there[np.arange(len(grounds))[:, None, None], near]  # (L, M, k, 2)
    points = np.median(close, axis=2).astype(np.float64)  # (L, M, 2)
    return np.stack([_descend(points[:, m], close[:, m], shares[:, m], there) for m in range(points.shape[1])], axis=1)


def _descend(
    points: NDArray[np.float64], near: NDArray[np.float32], shares: NDArray[np.float64], there: NDArray[np.float32]
) -> NDArray[np.float64]:
    """One example on L maps: points (L, 2), its neighbours (L, k, 2) with shares (L, k), and all points (L, N, 2)."""
    points, step = points.copy(), np.zeros_like(points)
    x, y = np.ascontiguousarray(there[..., 0]), np.ascontiguousarray(there[..., 1])  # (L, N), read at each step
    for _ in range(STEPS):
        towards = points[:, None] - near  # (L, k, 2)
        pull = shares / (1 + np.square(towards).sum(axis=2))
        gradient = EXAGGERATION * (pull[..., None] * towards).sum(axis=1)
        at = points.astype(np.float32)
        dx, dy = at[:, :1] - x, at[:, 1:] - y
        closeness = 1 / (1 + dx * dx + dy * dy)  # (L, N)
        push = closeness * closeness
        push /= closeness.sum(axis=1, keepdims=True)
        gradient[:, 0] -= np.einsum("ln,ln->l", push, dx)
        gradient[:, 1] -= np.einsum("ln,ln->l", push, dy)
        length = np.linalg.norm(gradient, axis=1, keepdims=True)
        gradient *= np.minimum(1, LONGEST_GRADIENT / np.maximum(length, 1e-12))
        step = MOMENTUM * step - RATE * gradient
        points += step
        if np.abs(step).max() < STILL:
            break
    return points


def _affinities(values: NDArray[np.floating], ground: Ground) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """The nearest examples of each new one (M, k), and how much it attends to each (M, k), by the perplexity."""
    distances = np.square(values).sum(axis=1)[:, None] - 2 * values @ ground.values.T
    distances = distances + np.square(ground.values).sum(axis=1)
    near = np.argpartition(distances, NEIGHBORS, axis=1)[:, :NEIGHBORS]
    exact = np.square(values[:, None].astype(np.float64) - ground.values[near]).sum(axis=2)  # (M, k)
    return near, gaussian_shares(exact, PERPLEXITY)
