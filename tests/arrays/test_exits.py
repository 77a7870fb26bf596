"""Oracles, first exits, and the best thresholds, against loops and against every choice there is."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from layerwise.arrays.exits import Worth, best_thresholds, first_agreeing, first_right, first_sure
from layerwise.errors import ShapeError

classes = arrays(np.int64, (4, 6), elements=st.integers(0, 2))


@given(classes, arrays(np.int64, 6, elements=st.integers(0, 2)))
def test_oracles_are_the_first_that_is_right_and_the_first_that_agrees(
    predictions: np.ndarray, labels: np.ndarray
) -> None:
    right, agreeing = first_right(predictions, labels), first_agreeing(predictions)
    for n in range(6):
        assert right[n] == next((e for e in range(4) if predictions[e, n] == labels[n]), 3)
        assert agreeing[n] == next(e for e in range(4) if predictions[e, n] == predictions[3, n])


@given(arrays(np.float64, (3, 5), elements=st.floats(0, 1)), arrays(np.float64, (4, 3), elements=st.floats(0, 1)))
def test_the_first_sure_exit_for_many_choices_of_thresholds(confidence: np.ndarray, thresholds: np.ndarray) -> None:
    exits = first_sure(confidence, thresholds)
    for t, n in product(range(4), range(5)):
        assert exits[t, n] == next((e for e in range(3) if confidence[e, n] > thresholds[t, e]), 3)
    np.testing.assert_array_equal(exits[0], first_sure(confidence, thresholds[0]))


def outcome(
    confidence: np.ndarray, right: np.ndarray, costs: np.ndarray, thresholds: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    exits = first_sure(confidence, thresholds)
    return np.array([right[exits, np.arange(right.shape[1])].mean()]), np.array([costs[exits].mean()])


def every_choice(confidence: np.ndarray) -> list[np.ndarray]:
    cuts = [[-np.inf, *((row := np.unique(part))[1:] + row[:-1]) / 2, np.inf] for part in confidence]
    return [np.array(choice) for choice in product(*cuts)]


def priced(price: float) -> Worth:
    return lambda accuracy, cost: accuracy - price * cost


def cheapest_above(floor: float) -> Worth:
    return lambda accuracy, cost: np.where(accuracy >= floor, -cost, -np.inf)


WORTHS = [priced(0.0), priced(0.05), priced(0.3), priced(2.0), cheapest_above(0.5)]


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from(WORTHS))
def test_one_exit_gets_the_best_threshold_there_is(seed: int, worth: Worth) -> None:
    random = np.random.default_rng(seed)
    confidence = random.integers(0, 6, (1, 12)) / 6  # with ties
    right = random.random((2, 12)) < 0.6
    costs = np.array([1.0, 3.0])
    found = best_thresholds(confidence, right, costs, worth)
    best = max(worth(*outcome(confidence, right, costs, choice))[0] for choice in every_choice(confidence))
    assert worth(*outcome(confidence, right, costs, found))[0] == pytest.approx(best)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from(WORTHS))
def test_no_single_threshold_can_be_moved_to_a_better_place(seed: int, worth: Worth) -> None:
    random = np.random.default_rng(seed)
    confidence = random.random((3, 10))
    right = random.random((4, 10)) < np.array([0.4, 0.6, 0.7, 0.8])[:, None]
    costs = np.array([1.0, 2.0, 3.0, 4.0])
    found = best_thresholds(confidence, right, costs, worth)
    reached = worth(*outcome(confidence, right, costs, found))[0]
    for choice in every_choice(confidence):
        if (first_sure(confidence, choice) != first_sure(confidence, found)).any() and (choice != found).sum() == 1:
            assert worth(*outcome(confidence, right, costs, choice))[0] <= reached + 1e-9


def test_neighbouring_numbers_do_not_cut_anybody_off() -> None:
    high = np.nextafter(0.5, 1)
    confidence = np.array([[high, 0.5]])
    right = np.array([[True, False], [True, True]])
    thresholds = best_thresholds(confidence, right, np.array([1.0, 2.0]), priced(0.1))
    assert first_sure(confidence, thresholds).tolist() == [0, 1]


def test_a_free_network_keeps_those_whom_leaving_would_harm_and_a_high_price_sends_all_away() -> None:
    confidence = np.array([[0.9, 0.5, 0.1]])
    right = np.array([[True, False, False], [True, True, True]])
    costs = np.array([1.0, 2.0])
    assert first_sure(confidence, best_thresholds(confidence, right, costs, priced(0.0))).tolist() == [1, 1, 1]
    assert first_sure(confidence, best_thresholds(confidence, right, costs, priced(9.0))).tolist() == [0, 0, 0]


def test_other_shapes_are_refused() -> None:
    with pytest.raises(
        ShapeError, match=r"predictions \(E \+ 1, N\) and labels \(N,\) needed; got \(3, 2\) and \(3,\)"
    ):
        first_right(np.zeros((3, 2), int), np.zeros(3, int))
