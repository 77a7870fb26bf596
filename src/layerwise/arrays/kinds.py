"""four_kinds: how deep an example is where a network was trained on it, and where it was held out."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from layerwise.errors import ShapeError

__all__ = ["EXAMPLE_KINDS", "four_kinds"]

EXAMPLE_KINDS = ("easy", "looks like another class", "ambiguous unless its label is given", "ambiguous")
"""Shallow in both; deep only when trained on; deep only when held out; deep in both."""


def four_kinds(training_depth: ArrayLike, held_out_depth: ArrayLike) -> NDArray[np.str_]:
    """Which of `EXAMPLE_KINDS` each example is; deep is deeper than the median example, and the median is shallow.

    Args:
        training_depth: shape (N,), where the example was trained on.
        held_out_depth: shape (N,), where it was not.

    Returns:
        Shape (N,), names.

    Raises:
        ShapeError: not two depths of each example.

    Source: Baldock, Maennel and Neyshabur (2021), section 4, who compare the two depths; where to cut is ours.

    >>> four_kinds([0, 0, 0, 2], [0, 0, 0, 0]).tolist()[-1]
    'looks like another class'
    """
    trained, held_out = np.asarray(training_depth), np.asarray(held_out_depth)
    if trained.ndim != 1 or trained.shape != held_out.shape:
        raise ShapeError(f"both depths need shape (N,); got {trained.shape} and {held_out.shape}.")
    deep_trained, deep_held_out = (depth > np.median(depth) for depth in (trained, held_out))
    kinds: NDArray[np.str_] = np.array(EXAMPLE_KINDS)[deep_trained + 2 * deep_held_out]
    return kinds
