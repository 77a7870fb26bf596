"""Scores of training dynamics: exact values on traces that one can follow by hand, and directions that are data."""

from __future__ import annotations

import numpy as np
import pytest

from layerwise.arrays import dynamics
from layerwise.arrays.dynamics import DYNAMICS, el2n, forgetting_events, iteration_learned
from layerwise.arrays.score_catalog import SCORES, hardness, score
from layerwise.errors import NotEnoughExamplesError, ShapeError, UnknownNameError

NEVER_SURE = np.log(3.0)
"""A logit that makes 3 to 1 of two classes: probabilities 3/4 and 1/4."""


def trace(*right: bool) -> np.ndarray:
    """One example of class 0 of two, that has 3/4 for the label where it is right, and 1/4 where it is wrong."""
    return np.array([[[NEVER_SURE, 0.0] if one else [0.0, NEVER_SURE]] for one in right])


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("aum", NEVER_SURE / 3),
        ("confidence", (0.75 + 0.25 + 0.75) / 3),
        ("variability", np.std([0.75, 0.25, 0.75])),
        ("correctness", 2 / 3),
        ("aleatoric", 0.75 * 0.25),
        ("mean_loss", -(2 * np.log(0.75) + np.log(0.25)) / 3),
        ("mean_margin", 0.5 / 3),
        ("mean_entropy", -(0.75 * np.log(0.75) + 0.25 * np.log(0.25))),
        ("el2n", np.sqrt(2) * (0.25 + 0.75 + 0.25) / 3),
        ("forgetting", 1.0),
        ("iteration_learned", 3.0),
    ],
)
def test_each_score_is_what_its_formula_says(name: str, value: float) -> None:
    assert DYNAMICS[name](trace(True, False, True), np.array([0])) == pytest.approx([value])


def test_epochs_that_tell_more_weigh_more() -> None:
    """Half, all and three quarters are right of two classes: weights 0, 0 and 1/2 · 1/4; the last epoch alone tells."""
    late = trace(False, True, True)
    both = np.concatenate([trace(True, True, False), trace(True, True, True), late, late], axis=1)
    labels = np.zeros(4, np.int64)
    assert DYNAMICS["learning_error"](both, labels) == pytest.approx(np.sqrt(2) * np.array([0.75, 0.25, 0.25, 0.25]))
    assert DYNAMICS["learning_aum"](both, labels) == pytest.approx(NEVER_SURE * np.array([-1.0, 1.0, 1.0, 1.0]))


def test_epochs_weigh_by_accuracy_above_chance_times_what_is_wrong() -> None:
    """Three quarters right, then 5 of 8: above chance 1/2 and 1/4, wrong 1/4 and 3/8; weights 4 to 3."""
    right = np.array([[True] * 6 + [False] * 2, [True] * 5 + [False] * 3])
    both, labels = np.concatenate([trace(*one) for one in right.T], axis=1), np.zeros(8, np.int64)
    assert DYNAMICS["learning_aum"](both, labels)[5] == pytest.approx(NEVER_SURE * (4 - 3) / 7)
    assert DYNAMICS["learning_error"](both, labels)[5] == pytest.approx(np.sqrt(2) * (0.25 * 4 + 0.75 * 3) / 7)


def test_where_no_epoch_tells_anything_all_count_alike() -> None:
    both, labels = np.concatenate([trace(True, False), trace(True, False)], axis=1), np.zeros(2, np.int64)
    assert DYNAMICS["learning_aum"](both, labels) == pytest.approx([0.0, 0.0])


def test_an_example_that_never_was_right_is_forgotten_more_often_than_any_other() -> None:
    as_often_as_possible = forgetting_events(trace(True, False, True, False, True), np.array([0]))
    never = forgetting_events(trace(False, False, False, False, False), np.array([0]))
    assert (as_often_as_possible, never) == ([2.0], [5.0])


def test_an_example_is_learned_when_it_stays_right() -> None:
    label = np.array([0])
    assert iteration_learned(trace(True, True), label) == [1.0]
    assert iteration_learned(trace(False, True), label) == [2.0]
    assert iteration_learned(trace(True, False), label) == [3.0]


def test_only_early_epochs_count_for_the_error_norm() -> None:
    wrong_later = trace(True, False)
    assert el2n(wrong_later, np.array([0]), early_epochs=1) == pytest.approx(el2n(trace(True), np.array([0])))


def test_every_score_of_dynamics_says_direction_cost_and_source_in_its_docstring_and_as_data() -> None:
    for name, formula in DYNAMICS.items():
        text = " ".join((formula.__doc__ or "").split())
        assert f"igh is {score(name).high_means}" in text, name
        assert "Cost:" in text, name
        assert "Source:" in text, name


def test_flipping_the_sign_where_high_is_easy_makes_all_scores_agree_on_a_hard_example() -> None:
    """A published comparison used one sign for all (R16)."""
    easy, hard = trace(True, True, True, True), trace(False, True, False, False)
    both, labels = np.concatenate([easy, hard], axis=1), np.array([0, 0])
    two_sided = ("aleatoric", "mean_entropy")
    for name in DYNAMICS.keys() - set(two_sided):
        of_easy, of_hard = hardness(name, DYNAMICS[name](both, labels))
        assert of_hard > of_easy, name


def test_the_catalog_names_each_column_once() -> None:
    assert all(name == one.name for name, one in SCORES.items())
    assert set(DYNAMICS) <= set(SCORES)
    with pytest.raises(UnknownNameError, match=r'no score is named "aun"\. Did you mean "aum"'):
        score("aun")


def test_traces_of_another_shape_are_refused() -> None:
    labels = np.array([0])
    with pytest.raises(ShapeError, match=r"logits need shape \(E, N, K\) with K at least 2; got \(1, 2\)"):
        dynamics.confidence(np.zeros((1, 2)), labels)
    with pytest.raises(ShapeError, match=r"labels need shape \(3,\), one for each example; got \(1,\)"):
        dynamics.mean_entropy(np.zeros((2, 3, 2)), labels)
    with pytest.raises(NotEnoughExamplesError, match="need at least one epoch; got none"):
        dynamics.confidence(np.zeros((0, 1, 2)), labels)
