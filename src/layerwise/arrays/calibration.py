"""How far confidence is from accuracy: reliability bins, the expected calibration error, and one temperature."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from layerwise.errors import ShapeError

BINS = 15
NEWTON_STEPS = 60
COLDEST, HOTTEST = 0.01, 100.0
"""Temperatures beyond these are not looked at: where all is right the best is 0, where nothing is it is infinite."""


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
    shares, given = _matching("probabilities", probabilities, labels)
    confidence, right = shares.max(axis=1), shares.argmax(axis=1) == given
    place = np.clip(np.ceil(confidence * bins).astype(np.int64) - 1, 0, bins - 1)
    counts = np.bincount(place, minlength=bins)
    with np.errstate(invalid="ignore"):
        return Reliability(
            counts,
            np.bincount(place, confidence, minlength=bins) / counts,
            np.bincount(place, right, minlength=bins) / counts,
        )


def cross_entropy(logits: ArrayLike, labels: ArrayLike, *, temperature: float = 1.0) -> float:
    """The mean cross-entropy, in nats.

    Args:
        logits: shape (N, K), at least one row.
        labels: shape (N,), 0 to K - 1.
        temperature: by what the logits are divided.

    Raises:
        ShapeError: other shapes.

    >>> round(cross_entropy([[0.0, 0.0], [0.0, 0.0]], [0, 1]), 3)  # ln 2
    0.693
    """
    shares, given = _matching("logits", logits, labels)
    scaled = shares / temperature
    of_labels = np.take_along_axis(scaled, given[:, None], axis=1)[:, 0]
    return float((special.logsumexp(scaled, axis=1) - of_labels).mean())


def fit_temperature(logits: ArrayLike, labels: ArrayLike) -> float:
    """The temperature by which logits are divided for the least cross-entropy; above 1 where they are overconfident.

    The order of the classes stays, and so does accuracy. The loss is convex in 1 / temperature.

    Args:
        logits: shape (N, K), of images that were not trained on.
        labels: shape (N,), 0 to K - 1.

    Returns:
        0.01 to 100.

    Raises:
        ShapeError: other shapes.

    Source: Guo and others (2017), section 4.2.

    >>> logits = np.log([[0.99, 0.01], [0.99, 0.01], [0.99, 0.01], [0.99, 0.01]])
    >>> found = fit_temperature(logits, [0, 0, 0, 1])  # sure of 99 %, right in 75 %
    >>> round(found, 2), round(cross_entropy(logits, [0, 0, 0, 1], temperature=found), 3)
    (4.18, 0.562)
    """
    shares, given = _matching("logits", logits, labels)
    below = shares - shares.max(axis=1, keepdims=True)  # softmax is the same, and its exponentials stay finite
    target = np.take_along_axis(below, given[:, None], axis=1).mean() if len(given) else 0.0

    def slopes(inverse: float) -> tuple[float, float]:
        """The first and second derivative of the loss."""
        weights = np.exp(inverse * below)
        weights /= weights.sum(axis=1, keepdims=True)
        mean = (weights * below).sum(axis=1)
        return float(mean.mean() - target), float(((weights * below**2).sum(axis=1) - mean**2).mean())

    low, high, inverse = 1 / HOTTEST, 1 / COLDEST, 1.0
    if slopes(high)[0] <= 0:
        return COLDEST
    if slopes(low)[0] >= 0:
        return HOTTEST
    for _ in range(NEWTON_STEPS):
        slope, curvature = slopes(inverse)
        low, high = (inverse, high) if slope < 0 else (low, inverse)
        step = inverse - slope / curvature if curvature > 0 else np.inf
        # Where Newton's step leaves what is known to hold the best, half of that is taken, on a logarithmic scale.
        following = step if low < step < high else float(np.sqrt(low * high))
        if abs(following - inverse) <= 1e-9 * inverse:
            break
        inverse = following
    return 1 / inverse


def scaled_loss(logits: ArrayLike, labels: ArrayLike) -> tuple[float, float]:
    """What is left of the cross-entropy once one temperature has mended confidence.

    Each half of the images (every other one of each class) is scaled by the temperature that is best for the other.

    Args:
        logits: shape (N, K), of images that were not trained on.
        labels: shape (N,), 0 to K - 1.

    Returns:
        The geometric mean of the two temperatures, and the loss over all images in nats; NaN for fewer than two.

    Raises:
        ShapeError: other shapes.

    >>> logits = np.log([[0.99, 0.01]] * 8)
    >>> temperature, loss = scaled_loss(logits, [0, 0, 0, 0, 0, 0, 1, 1])  # sure of 99 %, right in 75 %
    >>> round(temperature, 2), round(loss, 3)
    (4.18, 0.562)
    """
    shares, given = _matching("logits", logits, labels)
    if len(given) < 2:
        return float("nan"), float("nan")
    order = np.argsort(given, kind="stable")  # labels may take turns, and then every other row lacks classes
    halves = [order[0::2], order[1::2]]
    temperatures = [fit_temperature(shares[half], given[half]) for half in halves]
    losses = [
        cross_entropy(shares[half], given[half], temperature=other)
        for half, other in zip(halves, reversed(temperatures), strict=True)
    ]
    return float(np.sqrt(np.prod(temperatures))), float(np.average(losses, weights=[len(half) for half in halves]))


def _matching(name: str, values: ArrayLike, labels: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Rows (N, K) and labels (N,) as arrays."""
    rows, given = np.asarray(values, np.float64), np.asarray(labels)
    if rows.ndim != 2 or given.shape != (len(rows),):
        raise ShapeError(f"{name} (N, K) and labels (N,) are expected; got {rows.shape} and {given.shape}.")
    return rows, given
