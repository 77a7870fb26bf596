"""A learned gate is scikit-learn's logistic regression, and knows when an exit is right."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from exits.populations import drawn, recorded
from layerwise.arrays.scores import gate_features
from layerwise.errors import NotEnoughExamplesError
from layerwise.exits.evaluation import evaluate_policy, exit_curve
from layerwise.exits.gate import fit_gate


def test_the_gate_is_the_regression_on_its_features() -> None:
    examples = drawn(400, 0)
    gate = fit_gate(examples)
    right = examples.predictions == examples.labels
    for index in (0, 1):
        features = gate_features(examples.logits[: index + 1])
        expected = LogisticRegression(max_iter=1000).fit(features, right[index]).predict_proba(features)[:, 1]
        np.testing.assert_allclose(gate.scores(examples.logits[: index + 1]), expected)


def test_a_gate_can_be_evaluated_and_swept() -> None:
    gate, others = fit_gate(drawn(400, 0)), drawn(400, 1)
    curve = exit_curve(others, gate, points=30)
    assert curve.macs.min() < curve.plain_macs
    assert evaluate_policy(others, gate.with_thresholds(0.7)).accuracy > 0.5


def test_an_exit_that_is_always_right_lets_all_leave_and_one_that_never_is_nobody() -> None:
    always, never = np.tile([5.0, 0.0], (6, 1)), np.tile([0.0, 5.0], (6, 1))
    gate = fit_gate(recorded(np.stack([always, never, always]), np.zeros(6, np.int64)))
    assert (gate.scores(np.stack([always])) > 0.99).all()
    assert (gate.scores(np.stack([always, never])) < 0.01).all()


def test_a_gate_needs_examples() -> None:
    with pytest.raises(NotEnoughExamplesError, match="exits are judged by examples; got none"):
        fit_gate(drawn(10, 0).select(np.array([], np.int64)))
