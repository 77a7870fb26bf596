"""Who leaves where: policies against loops that spell out their definitions, one example at a time."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import special, stats

from layerwise.arrays.exits import simulate
from layerwise.arrays.policies import (
    EntropyBelow,
    ExitPolicy,
    GeometricEnsemble,
    LearnedGate,
    MarginAbove,
    MaxProbabilityAbove,
    Patience,
)
from layerwise.arrays.scores import gate_features
from layerwise.errors import InputError, ShapeError

EXITS, CLASSES = 3, 4

GATE = LearnedGate(
    0.6, weights=((1.0, 2.0, -1.0, 0.5), (0.0, 3.0, 0.0, 1.0), (2.0, 0.0, -2.0, 0.0)), biases=(-1.0, -2.0, 0.0)
)
POLICIES: list[ExitPolicy] = [
    EntropyBelow(0.8),
    EntropyBelow([0.2, -np.inf, 1.0]),
    MaxProbabilityAbove(0.7),
    MaxProbabilityAbove(((0.5, 0.9, 0.6, 0.7),) * EXITS),
    MarginAbove(0.4),
    Patience(0),
    Patience(1),
    GATE,
    GeometricEnsemble(EntropyBelow(0.8)),
    GeometricEnsemble(Patience(0)),
]

logits_of_all_exits = arrays(np.float32, (EXITS + 1, 6, CLASSES), elements=st.floats(-6, 6, width=32))


def softmax(row: np.ndarray) -> np.ndarray:
    return special.softmax(row.astype(np.float64))


def one_by_one(policy: ExitPolicy, logits: np.ndarray) -> tuple[list[int], list[list[float]]]:
    """Each example alone, exit after exit."""
    exits, answers = [], []
    for n in range(logits.shape[1]):
        for index in range(len(logits)):
            so_far = logits[: index + 1, n : n + 1]
            if index == len(logits) - 1 or policy.leaves(so_far)[0]:
                exits.append(index)
                answers.append(policy.answer(so_far)[0].tolist())
                break
    return exits, answers


@pytest.mark.parametrize("policy", POLICIES, ids=str)
@settings(max_examples=40)
@given(logits_of_all_exits)
def test_simulation_equals_each_example_alone(policy: ExitPolicy, logits: np.ndarray) -> None:
    exits, answers = simulate(policy, logits)
    expected_exits, expected_answers = one_by_one(policy, logits)
    assert exits.tolist() == expected_exits
    assert answers.tolist() == expected_answers


@given(logits_of_all_exits)
def test_entropy_max_probability_and_margin_follow_their_definitions(logits: np.ndarray) -> None:
    for row, low, high, apart in zip(
        logits[0],
        EntropyBelow(0.8).leaves(logits[:1]),
        MaxProbabilityAbove(0.7).leaves(logits[:1]),
        MarginAbove(0.4).leaves(logits[:1]),
        strict=True,
    ):
        shares = np.sort(softmax(row))
        if min(abs(stats.entropy(shares) - 0.8), abs(shares[-1] - 0.7), abs(shares[-1] - shares[-2] - 0.4)) > 1e-9:
            assert [low, high, apart] == [
                stats.entropy(shares) < 0.8,
                shares[-1] > 0.7,
                shares[-1] - shares[-2] > 0.4,
            ]


def test_patience_counts_exits_in_a_row_that_agree() -> None:
    classes = np.array([[0, 1, 1, 1, 0], [0, 0, 1, 2, 2]]).T  # (E', B)
    logits = np.eye(3)[classes]
    assert [Patience(0).scores(logits[: seen + 1]).tolist() for seen in range(5)] == [
        [0, 0],
        [0, 1],
        [1, 0],
        [2, 0],
        [0, 1],
    ]


def test_an_ensemble_is_the_geometric_mean_of_the_probabilities_so_far() -> None:
    logits = np.random.default_rng(0).normal(size=(3, 5, 4))
    answer = GeometricEnsemble(EntropyBelow(0.1)).answer(logits)
    mean = stats.gmean(special.softmax(logits, axis=-1), axis=0)
    np.testing.assert_allclose(special.softmax(answer, axis=-1), mean / mean.sum(axis=-1, keepdims=True))


def test_thresholds_for_each_class_are_those_of_the_predicted_class() -> None:
    logits = np.array([[[2.0, 0.0], [0.0, 2.0]]])  # both 0.88 sure, of class 0 and of class 1
    assert MaxProbabilityAbove(((0.5, 0.99),)).leaves(logits).tolist() == [True, False]


def test_a_gate_is_the_logistic_function_of_its_features() -> None:
    logits = np.random.default_rng(0).normal(size=(2, 5, 4))
    features = gate_features(logits)
    expected = special.expit(features @ np.array(GATE.weights[1]) + GATE.biases[1])
    np.testing.assert_allclose(GATE.scores(logits), expected)
    assert features[:, 3].tolist() == (logits[0].argmax(1) == logits[1].argmax(1)).tolist()
    assert gate_features(logits[:1])[:, 3].tolist() == [0] * 5


def test_an_exit_at_which_nobody_can_leave_is_not_asked_unless_later_ones_look_back() -> None:
    thresholds = (0.5, np.inf, 0.5)
    assert [MaxProbabilityAbove(thresholds).asks(index) for index in range(3)] == [True, False, True]
    assert [Patience(thresholds).asks(index) for index in range(3)] == [True] * 3
    assert not EntropyBelow(-np.inf).asks(0)


@pytest.mark.parametrize("policy", POLICIES, ids=str)
def test_other_thresholds_change_who_leaves_and_nothing_else(policy: ExitPolicy) -> None:
    logits = np.random.default_rng(0).normal(size=(EXITS + 1, 9, CLASSES))
    always, never = (np.inf, -np.inf) if not policy.leaves_above else (-np.inf, np.inf)
    assert (simulate(policy.with_thresholds(always), logits)[0] == 0).all()
    assert (simulate(policy.with_thresholds(never), logits)[0] == EXITS).all()
    assert type(policy.with_thresholds(0.5)) is type(policy)


def test_as_many_thresholds_as_exits_are_needed() -> None:
    message = (
        "EntropyBelow has thresholds of shape (2,); the network has 3 exits before the last and 4 classes.\n"
        "    Give one threshold, 3 (one for each exit), or 3 × 4 (for each class, too)."
    )
    with pytest.raises(ShapeError, match=re.escape(message)):
        GeometricEnsemble(EntropyBelow([0.1, 0.2])).check(3, 4)
    with pytest.raises(ShapeError, match="learned for 3 exits; the network has 2 before the last"):
        GATE.check(2, 4)


def test_nan_thresholds_and_logits_of_another_shape_are_refused() -> None:
    with pytest.raises(InputError, match="MarginAbove: a threshold is NaN"):
        MarginAbove([0.1, float("nan")])
    with pytest.raises(ShapeError, match=r"logits must have the shape \(E \+ 1, N, K\); got \(2, 3\)"):
        simulate(Patience(1), np.zeros((2, 3)))
