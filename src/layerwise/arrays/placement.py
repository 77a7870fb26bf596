"""Which of several possible exits to have: what every subset of them gives and costs, exactly."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from layerwise.errors import InputError

__all__ = ["MOST_CANDIDATES", "subset_outcomes"]

MOST_CANDIDATES = 12
"""Exits of which all subsets are tried: 4,096 subsets at each threshold."""


def subset_outcomes(
    sure: NDArray[np.bool_], right: NDArray[np.bool_], network: NDArray[np.integer], heads: NDArray[np.integer]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean accuracy and mean cost of every subset of exits, if each example leaves at the first exit that is sure.

    Examples that are sure at the same exits leave together whatever the subset is, so each subset is a sum over the
    patterns that occur and not over the examples.

    Args:
        sure: shape (E, N), whether each exit but the last would let each example leave.
        right: shape (E + 1, N).
        network: shape (E + 1,), cost up to each exit without heads.
        heads: shape (E,), cost of each head; it is paid by all that come by, in a subset that has it.

    Returns:
        Accuracy and cost, (2 ** E,) each; bit e of the place says whether exit e is in the subset.

    Raises:
        InputError: there are more than `MOST_CANDIDATES` exits.

    >>> accuracy, cost = subset_outcomes(
    ...     np.array([[True, False]]), np.array([[True, False], [True, True]]), np.array([1, 3]), np.array([1]))
    >>> accuracy, cost
    (array([1., 1.]), array([3., 3.]))
    """
    exits, count = sure.shape
    if exits > MOST_CANDIDATES:
        raise InputError(f"all subsets of at most {MOST_CANDIDATES} exits are tried; got {exits}. Leave some out.")
    bits = 1 << np.arange(exits)
    patterns, pattern_of = np.unique(bits @ sure, return_inverse=True)  # (P,), (N,)
    sizes = np.bincount(pattern_of, minlength=len(patterns))
    right_by = np.stack([np.bincount(pattern_of, weights=row, minlength=len(patterns)) for row in right])  # (E + 1, P)
    subsets = np.arange(1 << exits)
    left = _lowest_bit(subsets[:, None] & patterns, none=exits)  # (2 ** E, P)
    places = np.arange(len(patterns))
    paid = np.stack([_heads_paid(subsets, last, heads) for last in range(exits + 1)], axis=1)  # (2 ** E, E + 1)
    costs = network + paid
    accuracy = right_by[left, places].sum(axis=1) / count
    cost = (np.take_along_axis(costs, left, axis=1) * sizes).sum(axis=1) / count
    return accuracy, cost


def _lowest_bit(numbers: NDArray[np.integer], *, none: int) -> NDArray[np.int64]:
    """The place of the lowest bit that is set; `none` for 0."""
    lowest = numbers & -numbers
    places: NDArray[np.int64] = np.where(lowest > 0, np.log2(np.maximum(lowest, 1)).astype(np.int64), none)
    return places


def _heads_paid(subsets: NDArray[np.integer], last: int, heads: NDArray[np.integer]) -> NDArray[np.int64]:
    """What the heads up to and with exit `last` cost in each subset."""
    has = (subsets[:, None] >> np.arange(len(heads))) & 1
    total: NDArray[np.int64] = has[:, : last + 1] @ heads[: last + 1]
    return total
