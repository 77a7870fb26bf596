"""Large images are averaged over squares, small ones are left alone."""

from __future__ import annotations

import numpy as np

from layerwise.data.images import ImageData
from layerwise.inside.pixels import is_shrunk, small_pixels
from layerwise.seeds import stream


def images(height: int, width: int) -> ImageData:
    return ImageData.create(stream(0, "pixels").random((5, 2, height, width), dtype=np.float32), [0, 1, 0, 1, 0])


def test_images_that_are_small_enough_are_themselves() -> None:
    data = images(8, 32)
    np.testing.assert_array_equal(small_pixels(data), data.images)
    assert not is_shrunk(data)


def test_large_ones_are_averaged_over_squares_and_over_what_is_left_at_the_edge() -> None:
    data = images(10, 65)
    small = small_pixels(data)
    assert small.shape == (5, 2, 4, 22)
    np.testing.assert_allclose(small[:, :, 0, 0], data.images[:, :, :3, :3].mean(axis=(2, 3)), atol=1e-6)
    np.testing.assert_allclose(small[:, :, 3, 21], data.images[:, :, 9:, 63:].mean(axis=(2, 3)), atol=1e-6)
    assert is_shrunk(data)
