"""What pixels tell, against scikit-learn, and on data whose dimension is known."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.neighbors import KNeighborsClassifier

from layerwise.data.catalog import load_data
from layerwise.data.images import ImageData
from layerwise.errors import NotEnoughExamplesError
from layerwise.inside.complexity import measure_complexity
from layerwise.seeds import stream


@pytest.mark.slow
def test_digits_are_told_by_their_pixels() -> None:
    data = load_data("digits")
    found = measure_complexity(data)
    train, test = (part.batch(slice(0, len(part))).reshape(len(part), -1) for part in (data.train, data.test))
    votes = KNeighborsClassifier(10).fit(train, data.train.labels).predict(test)
    assert found.knn.accuracy == pytest.approx((votes == data.test.labels).mean(), abs=0.006)  # ties differ
    assert found.linear.accuracy > 0.9
    assert found.chance == np.bincount(data.test.labels).max() / len(data.test)
    oracle = np.cumsum(PCA().fit(train.astype(np.float64)).explained_variance_ratio_)
    np.testing.assert_allclose(found.explained[:60], oracle[:60], atol=1e-4)
    components = found.components()
    assert components[0.9] == int(np.searchsorted(oracle, 0.9)) + 1
    assert found.dimension is not None
    assert 5 < found.dimension.estimate < 20


def flat(dimensions: int, *, count: int = 400, splits: str = "train") -> ImageData:
    """Images 1×6×6 that differ in a few directions; the class is the sign of the first."""
    random = stream(0, "flat")
    hidden = random.normal(size=(count, dimensions))
    turn, _ = np.linalg.qr(random.normal(size=(36, dimensions)))
    pixels = (0.5 + 0.1 * hidden @ turn.T).reshape(count, 1, 6, 6).astype(np.float32)
    return ImageData.create(pixels.clip(0, 1), (hidden[:, 0] > 0).astype(int), splits=splits)


def test_flat_data_have_as_many_components_and_dimensions_as_they_were_given() -> None:
    found = measure_complexity(flat(3))
    assert (found.train, found.asked) == (320, 80)
    assert found.note == "320 and 80 images, a fifth of them held out"
    assert found.components()[0.99] <= 4
    assert found.local_dimension is not None
    assert found.local_dimension.low < 3.4
    assert found.local_dimension.high > 2.6
    assert found.linear.accuracy > 0.9


def test_the_limit_draws_and_says_so() -> None:
    found = measure_complexity(flat(3), limit=100)
    assert (found.train, found.asked, found.note) == (
        100,
        20,
        "100 and 20 images, a fifth of them held out, drawn at random",
    )
    other = measure_complexity(flat(3), limit=100, seed=1)
    assert (found.explained != other.explained).any()


def test_images_that_are_all_alike_have_no_dimension() -> None:
    data = ImageData.create(np.zeros((60, 1, 4, 4), np.float32), np.arange(60) % 2)
    found = measure_complexity(data)
    assert found.local_dimension is None
    assert found.components()[0.99] == 1


def test_too_few_images_or_classes_are_said() -> None:
    with pytest.raises(NotEnoughExamplesError, match="more than 30 training images of at least two classes"):
        measure_complexity(flat(3, count=20))
