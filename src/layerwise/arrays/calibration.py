"""How far confidence is from accuracy: reliability bins, and the expected calibration error."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from layerwise.errors import ShapeError

BINS = 15


@dataclass(frozen=True, eq=False)
class Reliability:
    """Predictions by their confidence, in B bins of equal width.

    Attributes:
        counts: shape (B,), predictions in each bin.
        confidence: shape (B,), their mean confidence; NaN for an empty bin.
        accuracy: shape (B,), the share of them that is right; NaN for an empty bin.
    """

    counts: NDArray[np.int64]
    confidence: NDArray[np.float64]
    accuracy: NDArray[np.float64]

    @property
    def error(self) -> float:
        """The expected calibration error: the mean distance of confidence and accuracy, bins weighted by their counts.

        Source: Naeini, Cooper and Hauskrecht (2015); Guo and others (2017), equation 3.
        """
        apart = np.abs(np.nan_to_num(self.confidence) - np.nan_to_num(self.accuracy))
        return float((self.counts * apart).sum() / max(self.counts.sum(), 1))


def reliability(probabilities: ArrayLike, labels: ArrayLike, *, bins: int = BINS) -> Reliability:
    """Bin predictions by their confidence.

    Args:
        probabilities: shape (N, K); rows add up to 1.
        labels: shape (N,), 0 to K - 1.
        bins: B; a confidence on a border belongs to the bin below.

    Raises:
        ShapeError: other shapes.

    >>> found = reliability([[0.9, 0.1], [0.9, 0.1], [0.4, 0.6]], [0, 1, 1], bins=2)
    >>> found.counts.tolist(), round(found.error, 3)
    ([0, 3], 0.133)
    """
    shares, given = np.asarray(probabilities, np.float64), np.asarray(labels)
    if shares.ndim != 2 or given.shape != (len(shares),):
        raise ShapeError(f"probabilities (N, K) and labels (N,) are expected; got {shares.shape} and {given.shape}.")
    confidence, right = shares.max(axis=1), shares.argmax(axis=1) == given
    place = np.clip(np.ceil(confidence * bins).astype(np.int64) - 1, 0, bins - 1)
    counts = np.bincount(place, minlength=bins)
    with np.errstate(invalid="ignore"):
        return Reliability(
            counts,
            np.bincount(place, confidence, minlength=bins) / counts,
            np.bincount(place, right, minlength=bins) / counts,
        )
