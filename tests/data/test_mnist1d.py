"""MNIST-1D is the package's, to the bit; nothing else is drawn from, and shuffling is one order for all."""

from __future__ import annotations

import random
import sys

import numpy as np
import pytest
from mnist1d.data import get_dataset_args, make_dataset

from layerwise.data import mnist1d
from layerwise.data.catalog import load_data
from layerwise.data.mnist1d import feature_order, load_mnist1d
from layerwise.errors import DataError, MissingExtraError, OptionError, UnknownNameError


def test_the_signals_are_those_of_the_package() -> None:
    given = get_dataset_args()
    given.num_samples, given.train_split = 60, 40 / 60
    made = make_dataset(given)
    data = load_mnist1d(train=40, test=20, seed=given.seed)
    np.testing.assert_array_equal(data.train.images[:, 0, 0], made["x"].astype(np.float32))
    np.testing.assert_array_equal(data.test.images[:, 0, 0], made["x_test"].astype(np.float32))
    np.testing.assert_array_equal(data.labels, np.concatenate([made["y"], made["y_test"]]))


def test_as_many_as_the_published_ones_are_made_by_default() -> None:
    given = get_dataset_args()
    options = load_mnist1d.__kwdefaults__
    assert (options["train"] + options["test"], options["train"]) == (given.num_samples, 4000)
    assert given.train_split == 0.8
    assert given.final_seq_length == mnist1d.FEATURES


def test_classes_are_balanced_over_both_splits() -> None:
    data = load_mnist1d(train=70, test=30)
    assert np.bincount(data.labels).tolist() == [10] * 10
    assert data.class_names == tuple("0123456789")
    assert data.split_names == ("train", "test")


def test_any_number_can_be_asked_for() -> None:
    data = load_mnist1d(train=17, test=6)
    assert data.images.shape == (23, 1, 1, 40)
    assert np.bincount(data.labels, minlength=10).max() <= 3


def test_the_seed_decides_the_signals() -> None:
    again = [load_data(f"mnist1d?train=20&test=10&seed={seed}").fingerprint for seed in (3, 4)]
    mnist1d._draw.cache_clear()
    assert load_data("mnist1d?train=20&test=10", seed=3).fingerprint == again[0]
    assert again[0] != again[1]


def test_shuffled_features_are_the_same_features_in_one_other_order() -> None:
    ordered, shuffled = (load_mnist1d(train=20, test=10, permuted=permuted, seed=5) for permuted in (False, True))
    order = feature_order(5)
    assert sorted(order.tolist()) == list(range(40))
    assert order.tolist() != feature_order(6).tolist()
    np.testing.assert_array_equal(shuffled.images[..., np.argsort(order)], ordered.images)
    np.testing.assert_array_equal(shuffled.labels, ordered.labels)


def test_who_changes_an_image_changes_no_other_data() -> None:
    first = load_mnist1d(train=20, test=10)
    assert isinstance(first.images, np.ndarray)
    first.images[:] = 0
    assert load_mnist1d(train=20, test=10).fingerprint != first.fingerprint


def test_global_generators_are_left_as_they_were() -> None:
    """The package seeds Python's and NumPy's."""
    random.seed(1)
    np.random.seed(1)  # noqa: NPY002
    expected = random.random(), np.random.random()  # noqa: NPY002
    random.seed(1)
    np.random.seed(1)  # noqa: NPY002
    mnist1d._draw.cache_clear()
    load_mnist1d(train=20, test=10)
    assert (random.random(), np.random.random()) == expected  # noqa: NPY002


def test_a_share_of_the_training_signals_can_be_held_out() -> None:
    data = load_data("mnist1d?train=50&test=10&validation=0.2")
    assert [len(part) for part in (data.train, data.validation, data.test)] == [40, 10, 10]


def test_a_missing_package_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    mnist1d._draw.cache_clear()
    monkeypatch.setitem(sys.modules, "mnist1d", None)
    with pytest.raises(MissingExtraError) as caught:
        load_data("mnist1d?train=20&test=10")
    assert str(caught.value) == (
        "the data mnist1d needs mnist1d, which is not installed.\n    Install it: pip install 'layerwise[mnist1d]'"
    )


def test_what_cannot_be_made_is_refused() -> None:
    with pytest.raises(UnknownNameError, match=r'"mnist1d" has no option "permutd". Did you mean "permuted"'):
        load_data("mnist1d?permutd=1")
    with pytest.raises(OptionError, match="option permuted=yes: expected 1 or 0"):
        load_data("mnist1d?permuted=yes")
    with pytest.raises(OptionError, match="option test=0: expected a whole number from 1"):
        load_data("mnist1d?test=0")
    with pytest.raises(DataError, match=r"train = 0, test = -1: give at least one signal\."):
        load_mnist1d(train=0, test=-1)
    with pytest.raises(DataError, match=r"seed = 4294967296: MNIST-1D takes whole numbers from 0 to 4294967295\."):
        load_mnist1d(seed=2**32)
