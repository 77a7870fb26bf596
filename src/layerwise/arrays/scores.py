"""Scores of a prediction, from its logits: log-probabilities, entropy, the highest probability, and the margin.

All in float64, whatever the logits are, so that the same row gives the same score in any batch.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["LOWEST", "entropy", "gate_features", "log_probabilities", "margin", "max_probability"]

LOWEST = -1e4
"""Below this a weight is 0 in float64."""


def log_probabilities(logits: NDArray[np.floating]) -> NDArray[np.float64]:
    """The logarithm of the softmax over the last axis, (…, K); exact also where probabilities underflow.

    >>> np.exp(log_probabilities(np.array([0.0, np.log(3.0)]))).round(3)
    array([0.25, 0.75])
    """
    shifted = _shifted(logits)
    shifted -= np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
    return shifted


def entropy(logits: NDArray[np.floating]) -> NDArray[np.float64]:
    """Shannon's entropy of the softmax, natural logarithm: (…, K) → (…), from 0 to log K.

    >>> float(entropy(np.zeros(4)).round(4)), float(np.log(4).round(4))
    (1.3863, 1.3863)
    """
    shifted = _shifted(logits)
    weights = np.exp(shifted)
    total = weights.sum(axis=-1)
    # log Z - Σ w s / Z; a logit of -inf has the weight 0 and adds nothing.
    mean = (weights * np.maximum(shifted, LOWEST)).sum(axis=-1) / total
    found: NDArray[np.float64] = np.log(total) - mean
    return found


def max_probability(logits: NDArray[np.floating]) -> NDArray[np.float64]:
    """The probability of the predicted class: (…, K) → (…), from 1 / K to 1.

    >>> float(max_probability(np.array([0.0, np.log(3.0)])).round(12))
    0.75
    """
    highest: NDArray[np.float64] = 1.0 / np.exp(_shifted(logits)).sum(axis=-1)
    return highest


def margin(logits: NDArray[np.floating]) -> NDArray[np.float64]:
    """The highest probability less the second: (…, K) → (…), from 0 to 1.

    >>> float(margin(np.array([0.0, np.log(3.0)])).round(12))
    0.5
    """
    weights = np.exp(_shifted(logits))
    second = np.partition(weights, -2, axis=-1)[..., -2]
    difference: NDArray[np.float64] = (1.0 - second) / weights.sum(axis=-1)
    return difference


def gate_features(logits: NDArray[np.floating]) -> NDArray[np.float64]:
    """What a learned gate looks at: highest probability, margin, entropy / log K, and agreement with the exit before.

    Args:
        logits: shape (E', B, K), the exits so far.

    Returns:
        Shape (B, 4), each from 0 to 1. Agreement is 0 at the first exit.
    """
    last = logits[-1]
    agrees = logits[-2].argmax(axis=-1) == last.argmax(axis=-1) if len(logits) > 1 else np.zeros(last.shape[0])
    return np.stack([max_probability(last), margin(last), entropy(last) / np.log(last.shape[-1]), agrees], axis=-1)


def _shifted(logits: NDArray[np.floating]) -> NDArray[np.float64]:
    """The logits less the highest, (…, K), so that no exponential overflows."""
    shifted: NDArray[np.float64] = np.subtract(logits, logits.max(axis=-1, keepdims=True), dtype=np.float64)
    return shifted
