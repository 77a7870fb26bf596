"""Small pictures: bytes as they are, large ones thinned, floats stretched."""

from __future__ import annotations

import numpy as np

from layerwise.data.images import ImageData
from layerwise.data.thumbnails import thumbnails


def of(images: np.ndarray) -> np.ndarray:
    return thumbnails(ImageData.create(images, np.arange(len(images)) % 2))


def test_small_images_of_bytes_are_themselves() -> None:
    images = np.random.default_rng(0).integers(0, 256, size=(3, 3, 8, 9)).astype(np.uint8)
    assert (of(images) == images).all()


def test_large_images_keep_every_second_third_pixel() -> None:
    images = np.random.default_rng(0).integers(0, 256, size=(2, 1, 130, 100)).astype(np.uint8)
    assert (of(images) == images[:, :, ::3, ::3]).all()


def test_floats_are_stretched_image_by_image_and_a_flat_one_is_black() -> None:
    images = np.array([[-1.0, 0.0, 1.0, 3.0], [7.0, 7.0, 7.0, 7.0]], np.float32).reshape(2, 1, 2, 2)
    assert of(images).reshape(2, 4).tolist() == [[0, 64, 128, 255], [0, 0, 0, 0]]


def test_of_two_or_many_channels_the_first_is_shown() -> None:
    images = np.random.default_rng(0).integers(0, 256, size=(2, 5, 4, 4)).astype(np.uint8)
    assert (of(images) == images[:, :1]).all()


def test_of_no_images_there_are_none() -> None:
    some = ImageData.create(np.zeros((4, 2, 130, 70), np.uint8), [0, 1, 0, 1])
    assert thumbnails(some.select(slice(0, 0))).shape == (0, 1, 44, 24)
