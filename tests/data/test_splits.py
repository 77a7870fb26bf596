"""Seeded stratified splits: sizes, strata, seeds."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from layerwise.data.images import ImageData
from layerwise.data.splits import hold_out, limit_splits, split_stratified
from layerwise.errors import DataError, NotEnoughExamplesError

LABELS = st.lists(st.integers(0, 4), min_size=20, max_size=200).map(np.array)
SHARE = st.floats(0.1, 0.9)
SEED = st.integers(0, 2**40)


def toy(count=40, splits="train"):
    return ImageData.create(np.zeros((count, 1, 1, 1), np.uint8), np.arange(count) % 4, splits=splits, name="toy")


@settings(deadline=None)
@given(LABELS, SHARE, SEED)
def test_two_splits_have_the_sizes_asked_for_and_divide_each_class_alike(labels, share, seed):
    splits = split_stratified(labels, {"test": share, "train": 1 - share}, seed=seed)
    count = round(share * len(labels))
    assert np.count_nonzero(splits == "test") == count
    assert np.count_nonzero(splits == "train") == len(labels) - count
    for label in np.unique(labels):
        of_class = labels == label
        expected = of_class.sum() * count / len(labels)
        assert abs(np.count_nonzero(of_class & (splits == "test")) - expected) < 1


@settings(deadline=None)
@given(LABELS, st.floats(0.1, 0.4), st.floats(0.1, 0.4), SEED)
def test_three_splits_have_the_sizes_asked_for_and_divide_each_class_alike(labels, test, validation, seed):
    shares = {"test": test, "validation": validation, "train": 1 - test - validation}
    splits = split_stratified(labels, shares, seed=seed)
    for name in ("test", "validation"):
        assert np.count_nonzero(splits == name) == round(shares[name] * len(labels))
        for label in np.unique(labels):
            of_class = labels == label
            # each share was rounded over the whole (a half, at most), and each of two draws rounds once
            assert abs(np.count_nonzero(of_class & (splits == name)) - of_class.sum() * shares[name]) < 2.5


@settings(deadline=None)
@given(LABELS, SHARE, SEED)
def test_the_seed_suffices(labels, share, seed):
    shares = {"test": share, "train": 1 - share}
    np.random.seed(seed % 2**32)  # noqa: NPY002 - the global generator must not matter
    first = split_stratified(labels, shares, seed=seed)
    assert (first == split_stratified(labels, shares, seed=seed)).all()


def test_the_seed_matters():
    labels = np.arange(100) % 4
    shares = {"test": 0.5, "train": 0.5}
    assert len({tuple(split_stratified(labels, shares, seed=seed)) for seed in range(20)}) == 20


def test_every_example_is_as_likely_as_another_to_be_drawn():
    labels = np.repeat([0, 1, 2], [1, 9, 30])
    shares = {"test": 0.25, "train": 0.75}
    drawn = np.mean([split_stratified(labels, shares, seed=seed) == "test" for seed in range(2000)], axis=0)
    assert abs(drawn - 0.25).max() < 5 * np.sqrt(0.25 * 0.75 / 2000)


@pytest.mark.parametrize("shares", [{"test": 0.5, "train": 0.6}, {"test": -0.5, "train": 1.5}, {}])
def test_shares_that_do_not_make_a_whole_are_refused(shares):
    with pytest.raises(DataError) as error:
        split_stratified(np.array([0, 1]), shares, seed=0)
    assert str(error.value) == f"shares are {shares}; expected numbers from 0 that sum to 1."


def test_an_empty_split_is_refused():
    with pytest.raises(NotEnoughExamplesError) as error:
        split_stratified(np.array([0, 1]), {"test": 0.1, "train": 0.9}, seed=0)
    assert str(error.value) == (
        "2 examples are too few for the shares {'test': 0.1, 'train': 0.9}: test would be empty."
    )


def test_r10_hold_out_takes_from_train_and_never_from_test():
    data = toy(80, ["train"] * 40 + ["test"] * 40)
    held = hold_out(data, 0.25, seed=3)
    assert (len(held.train), len(held.validation), len(held.test)) == (30, 10, 40)
    assert set(held.validation.ids) < set(data.train.ids)
    assert held.test.ids.tolist() == data.test.ids.tolist()
    assert data.split_names == ("train", "test")


def test_hold_out_divides_each_class_alike_and_keeps_the_order():
    held = hold_out(toy(80), 0.25, seed=0)
    assert np.bincount(held.validation.labels).tolist() == [5, 5, 5, 5]
    assert held.ids.tolist() == toy(80).ids.tolist()


def test_the_seed_of_hold_out_matters_and_suffices():
    drawn = [tuple(hold_out(toy(80), 0.25, seed=seed).validation.ids) for seed in (0, 0, 1)]
    assert drawn[0] == drawn[1] != drawn[2]


def test_hold_out_refuses_a_second_validation_split():
    with pytest.raises(DataError) as error:
        hold_out(hold_out(toy(), 0.25), 0.25)
    assert str(error.value) == "toy has a validation split of 10 already; leave out the hold-out share."


@pytest.mark.parametrize("share", [0, 1, -0.1, float("nan")])
def test_hold_out_refuses_a_share_that_is_none(share):
    with pytest.raises(DataError, match="expected more than 0 and less than 1"):
        hold_out(toy(), share)


def test_hold_out_needs_a_train_split():
    with pytest.raises(NotEnoughExamplesError, match='toy has no example in the split "train"'):
        hold_out(toy(splits="test"), 0.1)


def test_a_limit_keeps_so_many_of_each_split_in_their_order() -> None:
    splits = np.repeat(["train", "test"], [40, 10])
    data = ImageData.create(np.zeros((50, 1, 2, 2), np.uint8), np.arange(50) % 3, splits=splits)
    limited = limit_splits(data, 15, seed=3)
    assert [(limited.splits == name).sum() for name in ("train", "test")] == [15, 10]
    rows = [data.ids.tolist().index(one) for one in limited.ids.tolist()]
    assert rows == sorted(rows)
    assert limit_splits(data, 15, seed=3).ids.tolist() == limited.ids.tolist()
    assert limit_splits(data, 15, seed=4).ids.tolist() != limited.ids.tolist()
