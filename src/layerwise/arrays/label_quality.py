"""Scores of labels from probabilities after training, such as out-of-fold ones; and from neighbours.

    self_confidence              the label's probability
    normalized_margin            it, less the highest other
    confidence_weighted_entropy  entropy over the label's probability
    label_loss                   the cross-entropy
    knn_disagreement             the share of neighbours of other classes
    last_layer_grand             the gradient norm of the last linear layer
    within_classes               any score, standardised in each class

All are of shape (N,) and float64, and raise ShapeError, NonFiniteError or DataError for what are no probabilities of
these labels. Which direction is hard stands in `layerwise.arrays.score_catalog`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import entr

from layerwise.errors import DataError, NonFiniteError, ShapeError

__all__ = [
    "confidence_weighted_entropy",
    "knn_disagreement",
    "label_loss",
    "last_layer_grand",
    "normalized_margin",
    "self_confidence",
    "within_classes",
]

Probabilities = NDArray[np.floating]
Labels = NDArray[np.int64]
Values = NDArray[np.float64]

SUM_TOLERANCE = 1e-3
"""How far from one a row of probabilities may sum: what float16 loses over a thousand classes."""


def self_confidence(probabilities: Probabilities, labels: Labels) -> Values:
    """The probability of the label p_y, 0 to 1. High is easy.

    Args:
        probabilities: shape (N, K), rows sum to one.
        labels: shape (N,).

    Raises:
        ShapeError, NonFiniteError, DataError: what is given are no probabilities of these labels.

    Cost: one forward pass. Source: Northcutt, Jiang and Chuang (2021), "Confident learning".

    >>> self_confidence(np.array([[0.9, 0.1]]), np.array([1])).tolist()
    [0.1]
    """
    checked = _checked(probabilities, labels)
    return checked[np.arange(len(labels)), labels]


def normalized_margin(probabilities: Probabilities, labels: Labels) -> Values:
    """(p_y - max p_other + 1) / 2, 0 to 1. High is easy.

    Cost: one forward pass. Source: Kuan and Mueller (2022), "Model-agnostic label quality scoring".

    >>> normalized_margin(np.array([[0.9, 0.1]]), np.array([1])).round(3).tolist()
    [0.1]
    """
    checked = _checked(probabilities, labels)
    rows, others = np.arange(len(labels)), checked.copy()
    others[rows, labels] = -np.inf
    margins: Values = (checked[rows, labels] - others.max(axis=1) + 1.0) / 2.0
    return margins


def confidence_weighted_entropy(probabilities: Probabilities, labels: Labels) -> Values:
    """The entropy of the prediction over log K, divided by p_y; 0 or more. High is hard.

    Cost: one forward pass. Source: Kuan and Mueller (2022), "Model-agnostic label quality scoring". cleanlab gives
    log(1 + x) / x of it, so that high is easy.

    >>> confidence_weighted_entropy(np.array([[0.5, 0.5], [1.0, 0.0]]), np.array([1, 0])).tolist()
    [2.0, 0.0]
    """
    checked = _checked(probabilities, labels)
    own = np.maximum(checked[np.arange(len(labels)), labels], np.finfo(np.float64).tiny)
    weighted: Values = entr(checked).sum(axis=1) / np.log(checked.shape[1]) / own
    return weighted


def label_loss(probabilities: Probabilities, labels: Labels) -> Values:
    """-log p_y, in nats; finite where p_y is 0. High is hard.

    Cost: one forward pass. Source: the cross-entropy.

    >>> label_loss(np.array([[0.5, 0.5]]), np.array([1])).round(4).tolist()
    [0.6931]
    """
    own = np.maximum(self_confidence(probabilities, labels), np.finfo(np.float64).tiny)
    losses: Values = -np.log(own)
    return losses


def knn_disagreement(neighbor_labels: Labels, labels: Labels) -> Values:
    """The share of the k neighbours at a tap that have another label, 0 to 1. High is hard.

    Args:
        neighbor_labels: shape (N, k).
        labels: shape (N,).

    Cost: a forward pass and votes. Source: Zhu, Dong and Liu (2022), "Detecting corrupted labels without
    training a model to predict".

    >>> knn_disagreement(np.array([[0, 1, 1, 1]]), np.array([1])).tolist()
    [0.25]
    """
    if neighbor_labels.ndim != 2 or len(neighbor_labels) != len(labels):
        raise ShapeError(f"neighbor_labels need shape ({len(labels)}, k); got {neighbor_labels.shape}.")
    shares: Values = (neighbor_labels != np.asarray(labels)[:, None]).mean(axis=1)
    return shares


def last_layer_grand(probabilities: Probabilities, labels: Labels, features: NDArray[np.floating]) -> Values:
    """The norm of the loss's gradient for the last linear layer, weights and bias: |p - e_y| √(|h|² + 1). High is hard.

    Args:
        probabilities: shape (N, K).
        labels: shape (N,).
        features: shape (N, D), what the last linear layer is given.

    Cost: one forward pass. Source: Paul, Ganguli and Dziugaite (2021), definition 2.1, for the last layer of one
    network; there it is of all weights, early in training, the mean over networks.
    """
    errors = _checked(probabilities, labels).copy()
    errors[np.arange(len(labels)), labels] -= 1.0
    given = np.asarray(features, np.float64).reshape(len(labels), -1)
    norms: Values = np.sqrt((errors**2).sum(axis=1) * ((given**2).sum(axis=1) + 1.0))
    return norms


def within_classes(values: NDArray[np.floating], labels: Labels) -> Values:
    """A score less its mean, over its standard deviation, in each class: so that no class is hard as a whole.

    Where all examples of a class have the same value, they get 0.

    Args:
        values: shape (N,).
        labels: shape (N,).

    Source: Agarwal, D'souza and Hooker (2022), section 2, for their variance of gradients.

    >>> within_classes(np.array([1.0, 3.0, 10.0, 30.0]), np.array([0, 0, 1, 1])).tolist()
    [-1.0, 1.0, -1.0, 1.0]
    """
    given, classes = np.asarray(values, np.float64), np.asarray(labels)
    if given.ndim != 1 or given.shape != classes.shape:
        raise ShapeError(f"values and labels need shape (N,); got {given.shape} and {classes.shape}.")
    standardised: Values = np.zeros_like(given)
    for label in np.unique(classes):
        here = classes == label
        spread = given[here].std()
        standardised[here] = (given[here] - given[here].mean()) / spread if spread > 0 else 0.0
    return standardised


def _checked(probabilities: Probabilities, labels: Labels) -> Values:
    values, given = np.asarray(probabilities, np.float64), np.asarray(labels)
    if values.ndim != 2 or given.shape != values.shape[:1]:
        raise ShapeError(f"probabilities need shape (N, K) and labels (N,); got {values.shape} and {given.shape}.")
    if not np.isfinite(values).all():
        row = int(np.flatnonzero(~np.isfinite(values).all(axis=1))[0])
        raise NonFiniteError(f"probabilities are NaN or infinite, first in row {row}.")
    sums = values.sum(axis=1)
    off = np.flatnonzero((np.abs(sums - 1.0) > SUM_TOLERANCE) | (values < 0).any(axis=1))
    if len(off):
        raise DataError(
            f"{len(off)} rows are no probabilities: row {off[0]} sums to {sums[off[0]]:.4g}.\n"
            "    Give the softmax of the logits, each row from 0 to 1 with a sum of one."
        )
    if len(given) and not (given.min() >= 0 and given.max() < values.shape[1]):
        raise DataError(f"labels lie between 0 and {values.shape[1] - 1}; got {given.min()} to {given.max()}.")
    return values
