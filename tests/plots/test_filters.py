"""Filters are drawn around 0, feature maps from 0 or around it, each with its scale."""

from __future__ import annotations

import numpy as np
import pytest

from layerwise.plots.filters import mosaic, plot_features, plot_filters
from layerwise.seeds import stream

WEIGHTS = stream(0, "weights").normal(size=(10, 2, 3, 3))


def test_zero_is_in_the_middle_of_the_colours() -> None:
    (drawn,) = plot_filters(WEIGHTS, channel=0).images
    low, high = drawn.get_clim()
    assert low == -high == -np.abs(WEIGHTS).max()


def test_one_channel_or_all() -> None:
    (one,) = plot_filters(WEIGHTS, channel=1).images
    grid = np.asarray(one.get_array())
    assert np.isclose(grid[0, 0], WEIGHTS[0, 1, 0, 0])
    (whole,) = plot_filters(WEIGHTS).images
    assert np.asarray(whole.get_array()).shape[0] > 2 * np.asarray(whole.get_array()).shape[1]  # a filter a row


def test_three_channels_are_colours_in_which_grey_is_zero() -> None:
    weights = np.zeros((4, 3, 5, 5))
    weights[0, 0] = 2.0
    ax = plot_filters(weights)
    picture = np.asarray(ax.images[0].get_array())
    np.testing.assert_allclose(picture[0, 0], [1.0, 0.5, 0.5])
    assert "grey is 0; the largest weight is 2" in ax.get_xlabel()


def test_a_mosaic_keeps_every_picture_and_enlarges_small_ones() -> None:
    pictures = np.arange(3 * 2 * 2, dtype=float).reshape(3, 2, 2)
    grid = mosaic(pictures, 2)
    assert grid.shape == (25, 25)
    assert grid[0, 0] == 0
    assert grid[0, 13] == 4
    assert grid[13, 0] == 8
    assert np.isnan(grid[13, 13])


def test_each_tap_has_its_own_axes_and_scale() -> None:
    values = {
        "conv": WEIGHTS[0],
        "relu": np.abs(WEIGHTS[:, 0]),
        "fc": np.array([0.1, 0.9]),
        "many": np.ones((70, 2, 2)),
    }
    ax = plot_features(values, np.zeros((3, 8, 8), np.uint8), title="image 3", class_names=("cat", "dog"))
    figure = ax.get_figure(root=True)
    assert figure is not None
    titles = [one.get_title(loc="left") for one in figure.axes]
    assert [title for title in titles if title] == [
        *("image 3", "conv: 2 maps", "relu: 10 maps", "fc: 2 numbers", "many: 64 of 70 maps")
    ]
    scales = {
        one.get_title(loc="left"): one.images[0].get_clim() for one in figure.axes[1:] if one.get_title(loc="left")
    }
    assert scales["conv: 2 maps"][0] == -scales["conv: 2 maps"][1]
    assert scales["relu: 10 maps"] == (0, pytest.approx(np.abs(WEIGHTS[:, 0]).max()))
    named = next(one for one in figure.axes if one.get_title(loc="left") == "fc: 2 numbers")
    assert [label.get_text() for label in named.get_xticklabels()] == ["cat", "dog"]


def test_of_very_many_filters_the_first_are_drawn_and_the_title_says_so() -> None:
    ax = plot_filters(np.ones((500, 300, 1, 1)), title="wide")
    assert ax.get_title(loc="left") == "wide: the first 64 of 500 filters, 64 of 300 channels"
    ax = plot_filters(np.ones((300, 3, 2, 2)))
    assert ax.get_title(loc="left") == "the first 256 of 300 filters"


def test_a_very_wide_image_stays_inside_the_figure() -> None:
    ax = plot_features({"a": np.ones((2, 4, 40))}, np.zeros((1, 4, 64), np.uint8))
    assert ax.get_position().x1 <= 1
