"""scikit-learn's digits."""

from __future__ import annotations

import numpy as np
from sklearn import datasets

from layerwise.data.digits import load_digits


def test_the_digits_are_scikit_learns_scaled_to_bytes():
    data, expected = load_digits(), datasets.load_digits()
    assert data.images.shape == (1797, 1, 8, 8)
    assert data.images.dtype == np.uint8
    assert abs(data.images[:, 0] / 255 * 16 - expected.images).max() <= 16 / 255 / 2
    assert (data.images.min(), data.images.max()) == (0, 255)
    assert data.labels.tolist() == expected.target.tolist()
    assert data.class_names == tuple("0123456789")


def test_a_fifth_of_each_digit_is_for_testing():
    data = load_digits()
    assert (len(data.train), len(data.test)) == (1438, 359)
    assert abs(np.bincount(data.test.labels) - np.bincount(data.labels) * 359 / 1797).max() < 1


def test_the_seed_decides_the_split_and_leaves_ids_as_they_are():
    first, again, other = load_digits(), load_digits(), load_digits(seed=1)
    assert first.test.ids.tolist() == again.test.ids.tolist() != other.test.ids.tolist()
    assert first.fingerprint == other.fingerprint
    assert first.ids[0] == "digits-00000"
