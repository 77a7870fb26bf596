"""Principal components are scikit-learn's, exact or not, and placed points are those of the whole."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.decomposition import PCA

from layerwise.errors import DataError, InputError, NotEnoughExamplesError, ShapeError
from layerwise.inside.embedding.reduction import reduce_features
from layerwise.seeds import stream


def features(count: int, width: int) -> np.ndarray:
    drawn = stream(0, "features").normal(size=(count, width)) * 0.9 ** np.arange(width) * 10
    return (drawn + 3).astype(np.float32)


@pytest.mark.parametrize(("count", "width"), [(60, 20), (1100, 1050)])
def test_components_are_those_of_float64(count: int, width: int) -> None:
    values = features(count, width)
    reduction, along = reduce_features(values, dims=5)
    oracle = PCA(5, svd_solver="full").fit(values.astype(np.float64))
    assert reduction.exact == (min(count, width) <= 1000)
    np.testing.assert_allclose(np.abs((reduction.components * oracle.components_).sum(axis=1)), 1, atol=1e-4)
    np.testing.assert_allclose(reduction.explained, oracle.explained_variance_ratio_, rtol=1e-3)
    np.testing.assert_allclose(reduction.apply(values), along, atol=2e-3)
    largest = np.take_along_axis(reduction.components, np.abs(reduction.components).argmax(axis=1)[:, None], axis=1)
    assert (largest > 0).all()


def test_there_are_no_more_components_than_examples_or_features_allow() -> None:
    assert len(reduce_features(features(6, 20))[0].components) == 5
    assert len(reduce_features(features(60, 4))[0].components) == 4


@pytest.mark.parametrize(
    ("values", "dims", "error", "message"),
    [
        (features(60, 4), 1, InputError, "at least 2 dimensions to start from; got dims = 1"),
        (features(2, 4), 50, NotEnoughExamplesError, "at least 3 examples; got 2"),
        (np.ones((9, 4), np.float32), 50, DataError, "all 9 examples have the same values"),
    ],
)
def test_what_cannot_be_reduced_is_refused(values: np.ndarray, dims: int, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        reduce_features(values, dims=dims)


def test_vectors_of_another_width_are_refused() -> None:
    reduction, _ = reduce_features(features(60, 4))
    with pytest.raises(ShapeError, match=r"vectors of 4 features are expected; got \(2, 5\)"):
        reduction.apply(np.zeros((2, 5)))
