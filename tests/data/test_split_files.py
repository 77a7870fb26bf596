"""Splits by the names of files."""

from __future__ import annotations

from pathlib import Path

import pytest

from layerwise.data.split_files import by_split, split_of_name, splits_of_files


@pytest.mark.parametrize(
    ("name", "split"),
    [
        ("train.parquet", "train"),
        ("Train_0.npz", "train"),
        ("training-1.npy", "train"),
        ("val.parquet", "validation"),
        ("valid.parquet", "validation"),
        ("validation-00000-of-00001.parquet", "validation"),
        ("dev.npz", "validation"),
        ("test-00000.parquet", "test"),
        ("testimony.parquet", None),
        ("valley.parquet", None),
        ("0.parquet", None),
        ("", None),
    ],
)
def test_a_split_is_the_first_word_of_a_name(name, split):
    assert split_of_name(name) == split


def test_files_are_ordered_by_split_then_name():
    names = ["test.npy", "train-1.npy", "other.npy", "val.npy", "train-0.npy"]
    assert [file.name for file in by_split(map(Path, names))] == [
        "train-0.npy", "train-1.npy", "val.npy", "test.npy", "other.npy",
    ]  # fmt: skip


def test_names_that_all_say_nothing_give_no_splits():
    assert splits_of_files([Path("a.npy"), Path("b.npy")], where="here") is None
