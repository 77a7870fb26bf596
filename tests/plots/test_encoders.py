"""Images stand above their reconstructions."""

from __future__ import annotations

import numpy as np
import pytest

from layerwise.errors import ShapeError
from layerwise.plots.encoders import plot_reconstructions


def test_each_image_stands_above_its_reconstruction_and_is_cut_to_what_can_be_shown() -> None:
    images = np.stack([np.full((1, 2, 3), 0.25), np.full((1, 2, 3), 0.5)])
    ax = plot_reconstructions(images, 4 * images)
    picture = np.asarray(ax.images[0].get_array())
    assert picture.shape == (5, 7, 3)
    np.testing.assert_allclose(picture[0, [0, 4]], [[0.25] * 3, [0.5] * 3])
    np.testing.assert_allclose(picture[3, [0, 4]], 1.0)
    assert [label.get_text() for label in ax.get_yticklabels()] == ["image", "reconstruction"]


def test_shapes_that_differ_are_refused() -> None:
    with pytest.raises(ShapeError, match="need one shape"):
        plot_reconstructions(np.zeros((2, 1, 4, 4)), np.zeros((2, 1, 4, 5)))
