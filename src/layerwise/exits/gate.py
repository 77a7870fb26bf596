"""fit_gate: a learned policy, one logistic regression for each exit, from several scores to "its answer is right"."""

from __future__ import annotations

import math

import numpy as np

from layerwise.arrays.policies import LearnedGate
from layerwise.arrays.scores import gate_features
from layerwise.exits.recorded import RecordedExits

__all__ = ["fit_gate"]

CERTAIN = 1e-3
"""The share of wrong answers that is taken where an exit is always right, or of right ones where it never is."""


def fit_gate(recorded: RecordedExits, *, threshold: float = 0.5) -> LearnedGate:
    """Learn for each exit how likely its answer is right.

    Args:
        recorded: examples that are neither those of the report nor, for an honest budget, those that choose thresholds.
        threshold: for all exits; a budget chooses others.
    """
    # Loaded here: scikit-learn takes a second to import.
    from sklearn.linear_model import LogisticRegression

    right = recorded.predictions == recorded.labels
    weights, biases = [], []
    for index in range(len(recorded.names) - 1):
        features = gate_features(recorded.logits[: index + 1])
        share = float(right[index].mean())
        if 0 < share < 1:
            fitted = LogisticRegression(max_iter=1000).fit(features, right[index])
            weights.append(tuple(float(weight) for weight in fitted.coef_[0]))
            biases.append(float(fitted.intercept_[0]))
        else:
            share = float(np.clip(share, CERTAIN, 1 - CERTAIN))
            weights.append((0.0,) * features.shape[1])
            biases.append(math.log(share / (1 - share)))
    return LearnedGate(threshold, weights=tuple(weights), biases=tuple(biases))
