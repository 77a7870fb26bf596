"""Votes and their tie rules, against scikit-learn where there is no tie and by hand where there is one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.neighbors import KNeighborsClassifier

from layerwise.arrays.votes import nearest_rows, tie_key, vote, vote_counts
from layerwise.errors import NotEnoughExamplesError, ShapeError


def test_equal_counts_go_to_the_class_whose_nearest_voter_is_nearer() -> None:
    assert vote(np.array([[2, 1, 1, 2]]), 3).tolist() == [2]
    assert vote(np.array([[0, 1, 1, 2, 2]]), 3).tolist() == [1]


def test_vote_ties_do_not_favour_low_class_ids() -> None:
    swapped = vote(np.array([[0, 1], [1, 0]]), 2)
    assert swapped.tolist() == [0, 1]


@given(st.integers(0, 10_000), st.integers(2, 5))
def test_a_vote_does_not_depend_on_the_names_of_the_classes(seed: int, classes: int) -> None:
    rng = np.random.default_rng(seed)
    neighbors = rng.integers(0, classes, size=(30, 6))
    renamed = rng.permutation(classes)
    assert (vote(renamed[neighbors], classes) == renamed[vote(neighbors, classes)]).all()


def test_votes_equal_scikit_learns_where_there_is_no_tie() -> None:
    rng = np.random.default_rng(0)
    base, labels, queries = rng.normal(size=(300, 5)), rng.integers(0, 4, size=300), rng.normal(size=(100, 5))
    neighbor_labels = labels[nearest_rows(queries, base, 30)]
    counts = np.sort(vote_counts(neighbor_labels, 4), axis=1)
    no_tie = counts[:, -1] > counts[:, -2]
    theirs = KNeighborsClassifier(30, algorithm="brute").fit(base, labels).predict(queries)
    assert no_tie.sum() > 70
    assert (vote(neighbor_labels, 4)[no_tie] == theirs[no_tie]).all()


def test_counts_sum_to_k() -> None:
    counts = vote_counts(np.random.default_rng(0).integers(0, 5, size=(50, 7)), 5)
    assert counts.shape == (50, 5)
    assert (counts.sum(axis=1) == 7).all()


@pytest.mark.parametrize("shape", [(3,), (3, 0)])
def test_a_vote_without_neighbours_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ShapeError, match=r"neighbor_labels needs shape \(N, k\) with k at least 1"):
        vote(np.zeros(shape, np.int64), 2)


def test_equally_far_rows_of_data_sorted_by_class_are_drawn_from_all_classes() -> None:
    labels = np.repeat(np.arange(10), 100)
    nearest = nearest_rows(np.zeros((1, 2)), np.zeros((1000, 2)), 300)
    assert np.bincount(labels[nearest[0]], minlength=10).min() >= 15


def test_tie_keys_of_different_rows_differ() -> None:
    assert len(np.unique(tie_key(np.arange(100_000)))) == 100_000


def test_leave_one_out_leaves_out_only_the_example_itself() -> None:
    base = np.array([[0.0], [0.0], [1.0]])
    assert nearest_rows(base, base, 1, leave_one_out=True).ravel().tolist()[:2] == [1, 0]


@pytest.mark.parametrize(
    ("k", "message"),
    [
        (12, "k = 12 needs more than 12 training examples; got 12. Lower k, or give more examples."),
        (0, "k = 0: a vote needs at least one neighbour. Give k of 1 or more."),
    ],
)
def test_a_k_without_enough_examples_is_refused(k: int, message: str) -> None:
    with pytest.raises(NotEnoughExamplesError) as caught:
        nearest_rows(np.zeros((1, 2)), np.zeros((12, 2)), k)
    assert str(caught.value) == message
