"""What map_quality promises."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.manifold import trustworthiness
from sklearn.neighbors import KNeighborsClassifier, NearestNeighbors

from layerwise import seeds
from layerwise.arrays import map_quality as module
from layerwise.arrays.map_quality import map_quality, nearest_on_map
from layerwise.errors import NonFiniteError, NotEnoughExamplesError, ShapeError


def points(count: int, features: int, seed: int = 0) -> np.ndarray:
    return seeds.stream(seed, "points").normal(size=(count, features))


@given(seed=st.integers(0, 10), k=st.integers(1, 12), count=st.integers(30, 60))
def test_trustworthiness_is_scikit_learns(seed: int, k: int, count: int) -> None:
    features, coordinates = points(count, 5, seed), points(count, 2, seed + 1)
    measured = map_quality(features, coordinates, np.zeros(count, int), k=k).summary()["trustworthiness"]
    assert measured == pytest.approx(trustworthiness(features, coordinates, n_neighbors=k))


def test_recall_is_the_share_of_neighbours_that_both_have() -> None:
    features, coordinates = points(80, 4), points(80, 2, 1)
    wanted = NearestNeighbors(n_neighbors=7).fit(features).kneighbors(return_distance=False)
    shown = NearestNeighbors(n_neighbors=7).fit(coordinates).kneighbors(return_distance=False)
    expected = [len(set(one) & set(other)) / 7 for one, other in zip(wanted, shown, strict=True)]
    np.testing.assert_allclose(map_quality(features, coordinates, np.zeros(80, int), k=7).recall, expected)


def test_votes_leave_the_point_itself_out() -> None:
    coordinates, labels = points(50, 2), seeds.stream(0, "labels").integers(3, size=50)
    measured = map_quality(coordinates, coordinates, labels, k=5)
    others = [
        KNeighborsClassifier(1).fit(np.delete(coordinates, n, 0), np.delete(labels, n)).predict(coordinates[[n]])[0]
        for n in range(50)
    ]
    np.testing.assert_array_equal(map_quality(coordinates, coordinates, labels, k=1).votes, others)
    np.testing.assert_array_equal(measured.votes, measured.feature_votes)


def test_a_perfect_map_is_perfect_at_every_point_and_a_random_one_is_not() -> None:
    features = points(200, 2)
    perfect = map_quality(features, 3 * features[:, ::-1] + 1, np.zeros(200, int))
    assert perfect.trust.min() == perfect.recall.min() == 1
    by_chance = map_quality(features, points(200, 2, 7), np.zeros(200, int)).summary()
    assert 0.4 < by_chance["trustworthiness"] < 0.6
    assert by_chance["recall"] < 0.15


def test_tiles_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    features, coordinates, labels = points(90, 6), points(90, 2, 1), np.arange(90) % 4
    whole = map_quality(features, coordinates, labels)
    monkeypatch.setattr(module, "TILE_BYTES", 8 * 90 * 7)
    parts = map_quality(features, coordinates, labels)
    np.testing.assert_array_equal(whole.trust, parts.trust)
    np.testing.assert_array_equal(whole.recall, parts.recall)
    np.testing.assert_array_equal(whole.feature_votes, parts.feature_votes)


def test_a_point_among_many_at_one_place_is_not_its_own_neighbour() -> None:
    near = nearest_on_map(np.zeros((20, 2)), 3)
    assert near.shape == (20, 3)
    assert not (near == np.arange(20)[:, None]).any()


@pytest.mark.parametrize(
    ("features", "coordinates", "k", "error", "message"),
    [
        (points(9, 3), points(8, 2), 2, ShapeError, r"got \(9, 3\), \(8, 2\) and \(9,\)"),
        (points(9, 3), points(9, 2), 5, NotEnoughExamplesError, "more than 10 points; got 9"),
        (points(9, 3), points(9, 2), 0, NotEnoughExamplesError, "k of at least 1"),
        (np.full((9, 3), np.nan), points(9, 2), 2, NonFiniteError, "features hold NaN or infinity"),
    ],
)
def test_what_cannot_be_measured_is_refused(features, coordinates, k, error, message) -> None:
    with pytest.raises(error, match=message):
        map_quality(features, coordinates, np.zeros(len(features), int), k=k)
