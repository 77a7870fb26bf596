"""Prediction depth: where along the network an example is decided."""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from layerwise.errors import InputError, ShapeError, did_you_mean

Reference = Literal["prediction", "last-probe", "label"]


def prediction_depth(agrees: NDArray[np.bool_]) -> NDArray[np.int64]:
    """The first tap from which every later probe agrees with the reference class.

    Args:
        agrees: shape (L, N); whether the probe at tap l gives example n its reference class; taps in order of
            execution.

    Returns:
        Shape (N,), whole numbers 0 to L. 0: every probe agrees. L: not even the last one does (unresolved).

    Raises:
        ShapeError: `agrees` is not two-dimensional, or has no tap.

    Source: Baldock, Maennel and Neyshabur (2021), section 2.1.

    >>> prediction_depth(np.array([[True, False], [True, True]]))
    array([0, 1])
    """
    if agrees.ndim != 2 or agrees.shape[0] == 0:
        raise ShapeError(f"agrees needs shape (L, N) with L at least 1; got {agrees.shape}.")
    agrees_from_here_on = np.logical_and.accumulate(agrees[::-1], axis=0)  # (L, N), last tap first
    depth: NDArray[np.int64] = len(agrees) - agrees_from_here_on.sum(axis=0)
    return depth


def reference_classes(
    agree_with: Reference, *, votes: NDArray[np.int64], predictions: NDArray[np.int64], labels: NDArray[np.int64]
) -> NDArray[np.int64]:
    """The class with which every probe is compared: the network's prediction, the last probe's class, or the label.

    Args:
        agree_with: "prediction" (Baldock et al. 2021), "last-probe" (never unresolved), or "label".
        votes: shape (N, L), the class that each probe gives.
        predictions: shape (N,), the network's own.
        labels: shape (N,), as given.

    Returns:
        Shape (N,).

    Raises:
        InputError: `agree_with` is none of the three.
    """
    check_reference(agree_with)
    return {"prediction": predictions, "last-probe": votes[:, -1], "label": labels}[agree_with]


def check_reference(agree_with: str) -> None:
    """Refuse what is no reference class.

    Raises:
        InputError: says which there are.
    """
    known = get_args(Reference)
    if agree_with not in known:
        raise InputError(
            f'agree_with = "{agree_with}" is no reference class.{did_you_mean(agree_with, known)}\n'
            f"    Choose one of: {', '.join(known)}."
        )
