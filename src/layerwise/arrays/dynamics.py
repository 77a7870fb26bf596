"""Scores of training dynamics, by definition: from the logits of every example in every epoch.

    area_under_margin     how far the label's logit is above the others
    confidence            the probability of the label, over epochs
    variability           how much that probability moves
    correctness           how often the label was predicted
    aleatoric             p (1 - p) of the label
    mean_loss             cross-entropy
    mean_margin           the label's probability less the highest other
    mean_entropy          of the prediction
    el2n                  distance of the probabilities from the label, in the first epochs
    forgetting_events     how often a right example became wrong
    iteration_learned     the epoch from which it stays right
    learning_error        distance of the probabilities from the label, while the network learns
    learning_aum          how far the label's logit is above the others, while the network learns

Every function takes `logits` of shape (E, N, K), epochs in order, and `labels` of shape (N,), and gives shape (N,). It
raises ShapeError for other shapes, and NotEnoughExamplesError without an epoch. Which direction is hard, the cost and
the source stand in `layerwise.arrays.score_catalog`, as data. `DynamicsLog` gives the same numbers without keeping the
logits.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from layerwise.arrays.scores import entropy, log_probabilities
from layerwise.errors import NotEnoughExamplesError, ShapeError

__all__ = [
    "DYNAMICS",
    "EARLY_EPOCHS",
    "aleatoric",
    "area_under_margin",
    "confidence",
    "correctness",
    "el2n",
    "forgetting_events",
    "iteration_learned",
    "learning_aum",
    "learning_error",
    "learning_weight",
    "mean_entropy",
    "mean_loss",
    "mean_margin",
    "variability",
]

Logits = NDArray[np.floating]
Labels = NDArray[np.int64]
Values = NDArray[np.float64]

EARLY_EPOCHS = 10
"""Epochs that count as early: the first 10 of 200 already rank well (Paul and others, 2021, section 3)."""


def area_under_margin(logits: Logits, labels: Labels) -> Values:
    """AUM: the mean over epochs of z_label - max z_other, in logits. High is easy.

    Cost: free with training. Source: Pleiss and others (2020), "Identifying mislabeled data using the area under the
    margin ranking", equations 1 and 2.

    >>> area_under_margin(np.array([[[3.0, 1.0]], [[1.0, 2.0]]]), np.array([0]))
    array([0.5])
    """
    own, other = _own_and_highest_other(np.asarray(logits, np.float64), labels)
    return _over_epochs(own - other)


def confidence(logits: Logits, labels: Labels) -> Values:
    """The mean over epochs of the label's probability p, 0 to 1. High is easy.

    Cost: free with training. Source: Swayamdipta and others (2020), "Dataset cartography", section 2.
    """
    return _over_epochs(_label_probabilities(logits, labels))


def variability(logits: Logits, labels: Labels) -> Values:
    """The standard deviation over epochs of the label's probability (divided by E), 0 to 1/2. High is hard: ambiguous.

    Cost: free with training. Source: Swayamdipta and others (2020), "Dataset cartography", section 2.
    """
    spread: Values = _label_probabilities(logits, labels).std(axis=0)
    return spread


def correctness(logits: Logits, labels: Labels) -> Values:
    """The share of epochs in which the label was predicted, 0 to 1. High is easy.

    Cost: free with training. Source: Swayamdipta and others (2020), "Dataset cartography", section 2.
    """
    return _over_epochs(_right(logits, labels).astype(np.float64))


def aleatoric(logits: Logits, labels: Labels) -> Values:
    """The mean over epochs of p (1 - p), with p the label's probability; 0 to 1/4. High is hard: ambiguous.

    Cost: free with training. Source: Seedat and others (2022), "Data-IQ", section 3.
    """
    label = _label_probabilities(logits, labels)
    return _over_epochs(label * (1.0 - label))


def mean_loss(logits: Logits, labels: Labels) -> Values:
    """The mean over epochs of the cross-entropy -log p of the label, in nats. High is hard.

    Cost: free with training. Source: Huang and others (2019), "O2U-Net", section 3, without its cyclic learning rate.
    """
    return _over_epochs(-_label_log_probabilities(logits, labels))


def mean_margin(logits: Logits, labels: Labels) -> Values:
    """The mean over epochs of p_label - max p_other; -1 to 1. High is easy.

    Cost: free with training. Source: Kuan and Mueller (2022), their normalized margin m as 2 m - 1, here over epochs.
    Of logits in place of probabilities it is `area_under_margin`.
    """
    own, other = _own_and_highest_other(np.exp(log_probabilities(_checked(logits))), labels)
    return _over_epochs(own - other)


def mean_entropy(logits: Logits, labels: Labels) -> Values:
    """The mean over epochs of the entropy of the prediction, in nats, 0 to log K. High is hard.

    The label plays no part. Cost: free with training. Source: Shannon (1948), of the softmax.
    """
    _check_labels(logits, labels)
    return _over_epochs(entropy(logits))


def el2n(logits: Logits, labels: Labels, *, early_epochs: int = EARLY_EPOCHS) -> Values:
    """EL2N: the mean over the first epochs of the distance |p - e_label| of the probabilities from the label; 0 to √2.

    High is hard. Cost: free with training. Source: Paul, Ganguli and Dziugaite (2021), "Deep learning on a data diet",
    definition 2.3. There it is of one early epoch, the mean over ten networks; here one network's first epochs stand
    for them.
    """
    return _over_epochs(_error_norms(_checked(logits)[:early_epochs], labels))


def forgetting_events(logits: Logits, labels: Labels) -> Values:
    """How often an example that was right in one epoch was wrong in the next; E if it never was right. High is hard.

    0 to E. Never learned is more than any other could have, as it is infinite in the paper.

    Cost: free with training. Source: Toneva and others (2019), "An empirical study of example forgetting", section 3.

    >>> forgetting_events(np.array([[[1.0, 0]], [[0, 1.0]], [[1.0, 0]]]), np.array([0]))
    array([1.])
    """
    right = _right(logits, labels)
    forgotten = (right[:-1] & ~right[1:]).sum(axis=0)
    return np.where(right.any(axis=0), forgotten, len(right)).astype(np.float64)


def iteration_learned(logits: Logits, labels: Labels) -> Values:
    """The first epoch, from 1, from which an example stays right; E + 1 if it is wrong in the last. High is hard.

    Cost: free with training. Source: the "learning view" of Baldock, Maennel and Neyshabur (2021), section 1, with
    epochs for iterations. Where they measure it, they ask for what the trained network predicts, not for the label.

    >>> iteration_learned(np.array([[[1.0, 0]], [[0, 1.0]], [[1.0, 0]]]), np.array([0]))
    array([3.])
    """
    right = _right(logits, labels)
    right_to_the_end = np.logical_and.accumulate(right[::-1], axis=0).sum(axis=0)
    epoch: Values = (len(right) - right_to_the_end + 1).astype(np.float64)
    return epoch


def learning_weight(accuracy: float, num_classes: int) -> float:
    """How much an epoch tells of its examples: a (1 - accuracy), with a the accuracy above chance, as a share, 0 to 1.

    Nothing while the network guesses, and nothing when it knows every label by heart, the wrong ones too.

    Args:
        accuracy: the share of the examples of the epoch that were right, 0 to 1.
        num_classes: K; guessing is right for 1 in K.

    Source: layerwise; chosen on faults made on purpose, see docs/methods/label-errors.md.

    >>> learning_weight(0.5, 2), learning_weight(1.0, 2), round(learning_weight(0.55, 10), 3)
    (0.0, 0.0, 0.225)
    """
    above_chance = max((accuracy - 1.0 / num_classes) / (1.0 - 1.0 / num_classes), 0.0)
    return above_chance * (1.0 - accuracy)


def learning_error(logits: Logits, labels: Labels) -> Values:
    """The mean of |p - e_label|, epochs weighted by what they tell (`learning_weight`); 0 to √2. High is hard.

    Where no epoch tells anything, all count alike. Cost: free with training. Source: layerwise; the distance is that of
    `el2n`.
    """
    return _while_learning(_error_norms(logits, labels), logits, labels)


def learning_aum(logits: Logits, labels: Labels) -> Values:
    """The mean of z_label - max z_other, epochs weighted by what they tell (`learning_weight`). High is easy.

    Where no epoch tells anything, all count alike. Cost: free with training. Source: layerwise; the margin is that of
    `area_under_margin`.
    """
    own, other = _own_and_highest_other(np.asarray(logits, np.float64), labels)
    return _while_learning(own - other, logits, labels)


DYNAMICS = {
    "aum": area_under_margin,
    "confidence": confidence,
    "variability": variability,
    "correctness": correctness,
    "aleatoric": aleatoric,
    "mean_loss": mean_loss,
    "mean_margin": mean_margin,
    "mean_entropy": mean_entropy,
    "el2n": el2n,
    "forgetting": forgetting_events,
    "iteration_learned": iteration_learned,
    "learning_error": learning_error,
    "learning_aum": learning_aum,
}
"""The name of each score in tables, and its definition."""


def _over_epochs(values: Values) -> Values:
    mean: Values = values.mean(axis=0)
    return mean


def _while_learning(values: Values, logits: Logits, labels: Labels) -> Values:
    """The mean over epochs, weighted by how much each tells: (E, N) → (N,)."""
    accuracies = _right(logits, labels).mean(axis=1)
    weights = np.array([learning_weight(float(accuracy), logits.shape[2]) for accuracy in accuracies])
    mean: Values = np.average(values, axis=0, weights=weights if weights.any() else None)
    return mean


def _error_norms(logits: Logits, labels: Labels) -> Values:
    """|p - e_label|, (E, N)."""
    _check_labels(logits, labels)
    errors = np.exp(log_probabilities(logits))  # (E, N, K)
    errors[:, np.arange(len(labels)), labels] -= 1.0
    norms: Values = np.sqrt((errors**2).sum(axis=2))
    return norms


def _label_log_probabilities(logits: Logits, labels: Labels) -> Values:
    _check_labels(logits, labels)
    found: Values = log_probabilities(logits)[:, np.arange(len(labels)), labels]
    return found


def _label_probabilities(logits: Logits, labels: Labels) -> Values:
    found: Values = np.exp(_label_log_probabilities(logits, labels))
    return found


def _right(logits: Logits, labels: Labels) -> NDArray[np.bool_]:
    """Whether the label is predicted, (E, N); where several classes are equal, the lowest is the prediction."""
    _check_labels(logits, labels)
    right: NDArray[np.bool_] = logits.argmax(axis=2) == labels
    return right


def _own_and_highest_other(values: Values, labels: Labels) -> tuple[Values, Values]:
    """The label's value, and the highest of the other classes: (E, N) each."""
    _check_labels(values, labels)
    rows = np.arange(len(labels))
    others = values.copy()
    others[:, rows, labels] = -np.inf
    return values[:, rows, labels], others.max(axis=2)


def _check_labels(logits: Logits, labels: Labels) -> None:
    if _checked(logits).shape[1:2] != np.shape(labels):
        raise ShapeError(f"labels need shape ({logits.shape[1]},), one for each example; got {np.shape(labels)}.")


def _checked(logits: Logits) -> Logits:
    if np.ndim(logits) != 3 or logits.shape[2] < 2:
        raise ShapeError(f"logits need shape (E, N, K) with K at least 2; got {np.shape(logits)}.")
    if not len(logits):
        raise NotEnoughExamplesError("training dynamics need at least one epoch; got none.")
    return logits
