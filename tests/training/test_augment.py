"""Flip and crop: against one image at a time, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from layerwise.training.augment import flip_and_crop


def test_each_image_is_mirrored_and_moved_as_its_own_draws_say() -> None:
    images = np.random.default_rng(0).random((6, 2, 5, 7), dtype=np.float32)
    given = images.copy()
    out = flip_and_crop(images, np.random.default_rng(1), padding=2)
    rng = np.random.default_rng(1)
    mirrored = rng.random(6) < 0.5
    top, left = rng.integers(0, 5, size=(2, 6))
    for n in range(6):
        image = images[n, :, :, ::-1] if mirrored[n] else images[n]
        padded = np.zeros((2, 9, 11), np.float32)
        padded[:, 2:7, 2:9] = image
        assert np.array_equal(out[n], padded[:, top[n] : top[n] + 5, left[n] : left[n] + 7])
    assert np.array_equal(images, given)


def test_without_padding_half_of_the_images_are_mirrored_and_nothing_else() -> None:
    images = np.random.default_rng(0).random((4000, 1, 1, 3), dtype=np.float32)
    out = flip_and_crop(images, np.random.default_rng(1), padding=0)
    kept = (out == images).all(axis=(1, 2, 3))
    assert np.array_equal(out[~kept], images[~kept][..., ::-1])
    assert kept.mean() == pytest.approx(0.5, abs=4 * 0.5 / 4000**0.5)


def test_every_place_is_reached_the_outermost_too() -> None:
    dots = np.zeros((4000, 1, 9, 9), np.float32)
    dots[:, :, 4, 4] = 1
    _, _, rows, columns = np.nonzero(flip_and_crop(dots, np.random.default_rng(0)))
    assert set(zip(rows.tolist(), columns.tolist(), strict=True)) == {(r, c) for r in range(9) for c in range(9)}
