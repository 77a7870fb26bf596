"""Scores of a prediction, from its logits: log-probabilities, entropy, the highest probability, and the margin.

All in float64, whatever the logits are, so that the same row gives the same score in any batch.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["entropy", "log_probabilities", "margin", "max_probability"]


def log_probabilities(logits: NDArray[np.floating]) -> NDArray[np.float64]:
    """The logarithm of the softmax over the last axis, (…, K); exact also where probabilities underflow.

    >>> np.exp(log_probabilities(np.array([0.0, np.log(3.0)]))).round(3)
    array([0.25, 0.75])
    """
    shifted = logits.astype(np.float64)
    shifted -= shifted.max(axis=-1, keepdims=True)
    shifted -= np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
    return shifted


def entropy(logits: NDArray[np.floating]) -> NDArray[np.float64]:
    """Shannon's entropy of the softmax, natural logarithm: (…, K) → (…), from 0 to log K.

    >>> float(entropy(np.zeros(4)).round(4)), float(np.log(4).round(4))
    (1.3863, 1.3863)
    """
    logarithms = log_probabilities(logits)
    probabilities = np.exp(logarithms)
    # 0 · log 0 is 0, also for a logit of -inf.
    terms = np.multiply(probabilities, logarithms, out=np.zeros_like(logarithms), where=probabilities > 0)
    total: NDArray[np.float64] = np.maximum(-terms.sum(axis=-1), 0.0)
    return total


def max_probability(logits: NDArray[np.floating]) -> NDArray[np.float64]:
    """The probability of the predicted class: (…, K) → (…), from 1 / K to 1.

    >>> float(max_probability(np.array([0.0, np.log(3.0)])).round(12))
    0.75
    """
    highest: NDArray[np.float64] = np.exp(log_probabilities(logits).max(axis=-1))
    return highest


def margin(logits: NDArray[np.floating]) -> NDArray[np.float64]:
    """The highest probability less the second: (…, K) → (…), from 0 to 1.

    >>> float(margin(np.array([0.0, np.log(3.0)])).round(12))
    0.5
    """
    highest = np.exp(np.partition(log_probabilities(logits), -2, axis=-1)[..., -2:])
    difference: NDArray[np.float64] = highest[..., 1] - highest[..., 0]
    return difference
