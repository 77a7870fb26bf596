"""What a data set holds, on images made so that the answer is known."""

from __future__ import annotations

import numpy as np
import pytest

from layerwise.data.images import ImageData
from layerwise.inside.data_set import describe_data


def made_up() -> ImageData:
    images = np.zeros((6, 2, 2, 2), np.uint8)
    images[:, 0] = np.array([0, 51, 102, 153, 204, 255])[:, None, None]
    images[4] = images[1]  # in another split, with another label
    splits = ["train", "train", "train", "train", "test", "test"]
    return ImageData.create(images, [0, 1, 0, 1, 0, 1], splits=splits, class_names=["cat", "dog", "emu"], name="made")


def test_counts_are_by_class_and_split() -> None:
    assert describe_data(made_up()).counts.to_dict("list") == {
        "class": ["cat", "dog", "emu"],
        "train": [2, 2, 0],
        "test": [1, 1, 0],
    }


def test_range_and_moments_are_those_of_the_training_pixels_as_the_network_gets_them() -> None:
    described = describe_data(made_up())
    assert (described.lowest, described.highest) == (0.0, 1.0)
    assert described.mean == pytest.approx((0.3, 0.0))
    assert described.std == pytest.approx((np.std([0, 0.2, 0.4, 0.6]), 0.0))


def test_identical_images_are_found_across_splits_and_labels() -> None:
    described = describe_data(made_up())
    assert described.duplicates.to_dict("records") == [
        {
            "copies": 2,
            "ids": "train-00001, test-00000",
            "splits": "test, train",
            "distinct_splits": 2,
            "distinct_labels": 2,
            "labels": "cat, dog",
        }
    ]
    assert (described.duplicated_images, described.groups_across_splits, described.groups_across_labels) == (1, 1, 1)


def test_a_set_without_duplicates_says_so() -> None:
    described = describe_data(made_up().select(slice(0, 4)))
    assert (described.duplicated_images, described.groups_across_splits, described.groups_across_labels) == (0, 0, 0)


def test_a_comma_in_a_name_makes_no_second_label() -> None:
    images = np.zeros((3, 1, 2, 2), np.uint8)
    images[2] = 9
    described = describe_data(ImageData.create(images, [0, 0, 1], class_names=["tench, Tinca tinca", "cat"]))
    assert (described.duplicated_images, described.groups_across_labels) == (1, 0)
