"""Checks of images: each sees its fault, and none cries wolf on drawings, digits and shuffled pixels."""

from __future__ import annotations

import numpy as np
import pytest

from check_files import named
from layerwise.data.catalog import load_data
from layerwise.data.images import ImageData
from layerwise.study.checks.data import check_balance, check_copies, check_data


def images(count: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (count, 1, 4, 4)).astype(np.uint8)


@pytest.mark.parametrize(
    "spec",
    [
        "edges?test_per_class=400",
        "edges?test_per_class=400&permuted=1",
        "edges?test_per_class=400&location_ratio=0.5",
        "edges?test_per_class=400&classes=horizontal,vertical,none,diagonal,both&width=1,1",
        "edges?resolution=8&width=1,2",
        "shapes?train=300&test=100",
        "digits",
    ],
)
def test_good_images_are_found_fine(spec: str) -> None:
    checks = check_data(load_data(spec))
    assert [one.name for one in checks if not one.fine] == []
    assert all(one.saw and not one.do for one in checks)


def test_a_split_with_many_more_of_one_class_is_told() -> None:
    data = ImageData.create(images(90), np.r_[np.repeat(0, 70), np.repeat(1, 20)], class_names=["cat", "dog"])
    found = check_balance(data)
    assert (found.fine, found.saw) == (False, "train has 70 images of cat, 20 of dog")
    assert "accuracy of each class" in found.do


def test_small_differences_between_classes_are_chance() -> None:
    assert check_balance(ImageData.create(images(9), [0, 0, 0, 0, 0, 1, 1, 1, 1])).fine


def test_images_in_two_splits_and_twice_in_training_are_told() -> None:
    one = images(20)
    pixels = np.concatenate([one, one[:1], one[:5], images(30)[20:]])
    splits = np.repeat(["train", "validation", "test"], [21, 5, 10])
    found = check_copies(ImageData.create(pixels, np.arange(36) % 2, splits=splits))
    assert not found.fine
    assert found.saw == (
        "1 of 21 images of train stand there twice; 5 of 5 images of validation stand in another split"
    )


def test_images_of_one_grey_are_no_copies() -> None:
    pixels = np.concatenate([images(10), np.full((10, 1, 4, 4), 7, np.uint8)])
    found = check_copies(ImageData.create(pixels, np.arange(20) % 2))
    assert (found.fine, found.saw) == (True, "no copies among 20 images")


def test_a_border_that_is_empty_because_things_are_centred_is_fine() -> None:
    pixels = np.zeros((200, 1, 12, 12), np.uint8)
    places = np.random.default_rng(0).integers(2, 8, 200)
    for image, place in zip(pixels, places, strict=True):
        image[0, place : place + 3] = 200
    data = ImageData.create(pixels, np.arange(200) % 2)
    assert named(check_data(data), "drawn up to the borders").fine
