"""Clouds of known dimension in wide vectors are told."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.neighbors import NearestNeighbors

from layerwise.arrays.intrinsic_dimension import levina_bickel, two_nn
from layerwise.errors import DataError, NotEnoughExamplesError, ShapeError
from layerwise.seeds import stream


def cloud(dimensions: int, *, count: int = 1500, width: int = 30, seed: int = 0) -> np.ndarray:
    """Normal points of so many dimensions, turned into wider vectors."""
    random = stream(seed, "cloud")
    turn, _ = np.linalg.qr(random.normal(size=(width, dimensions)))
    return random.normal(size=(count, dimensions)) @ turn.T


def distances(points: np.ndarray, k: int) -> np.ndarray:
    return NearestNeighbors(n_neighbors=k).fit(points).kneighbors()[0]


@pytest.mark.parametrize("dimensions", [1, 2, 5])
def test_the_dimension_of_a_flat_cloud_is_told(dimensions: int) -> None:
    near = distances(cloud(dimensions), 20)
    assert two_nn(near).estimate == pytest.approx(dimensions, rel=0.12)
    assert levina_bickel(near).estimate == pytest.approx(dimensions, rel=0.15)


def test_the_interval_of_two_nn_holds_what_it_promises() -> None:
    """Ratios drawn from the law that the estimate rests on: P(ratio > r) = r ** -d."""
    random, inside = stream(0, "ratios"), 0
    for _ in range(400):
        ratios = random.random(200) ** (-1 / 4)
        found = two_nn(np.stack([np.ones(200), ratios], axis=1))
        inside += found.low <= 4 <= found.high
    assert 0.92 < inside / 400 < 0.98


@given(scale=st.floats(1e-6, 1e6))
def test_the_unit_of_the_distances_plays_no_part(scale: float) -> None:
    near = distances(cloud(3, count=200), 10)
    assert two_nn(near * scale).estimate == pytest.approx(two_nn(near).estimate)
    assert levina_bickel(near * scale).estimate == pytest.approx(levina_bickel(near).estimate)


def test_duplicates_have_no_say() -> None:
    points = cloud(3, count=400)
    near = distances(points, 10)
    with_copies = np.concatenate([near, np.zeros((50, 10))])
    assert two_nn(with_copies) == two_nn(near)


@pytest.mark.parametrize(
    ("values", "error", "message"),
    [
        (np.ones((5, 1)), ShapeError, "k of at least 2"),
        (np.array([[2.0, 1.0]] * 5), DataError, "ascending"),
        (np.array([[np.nan, 1.0]] * 5), DataError, "must be numbers"),
        (np.ones((5, 2)), NotEnoughExamplesError, "not equally far"),
        (np.zeros((5, 2)), NotEnoughExamplesError, "got 0"),
    ],
)
def test_what_tells_no_dimension_is_refused(values: np.ndarray, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        two_nn(values)
