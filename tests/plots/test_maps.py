"""Maps are drawn with every point in its class's colour, or with the names of the classes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure

from inside_files import write_maps
from layerwise.plots.maps import plot_map, plot_tap_maps
from layerwise.seeds import stream
from layerwise.views.maps import read_maps
from toy_runs import make_run


def test_a_map_has_a_point_for_each_example_in_its_class_s_colour() -> None:
    points, labels = stream(0, "points").normal(size=(30, 2)), np.arange(30) % 3
    ax = plot_map(points, labels, ["a", "b", "c"], title="layer1")
    (dots,) = ax.collections
    np.testing.assert_allclose(np.asarray(dots.get_offsets()), points)
    assert len(np.unique(np.asarray(dots.get_facecolors()), axis=0)) == 3
    assert ax.get_title(loc="left") == "layer1"


def test_a_map_alone_has_a_legend_and_one_among_others_has_none() -> None:
    points, labels = stream(0, "points").normal(size=(30, 2)), np.arange(30) % 3
    alone = plot_map(points, labels, ["a", "b", "c"], words="trust 0.9").get_figure(root=True)
    assert alone is not None
    (legend,) = alone.legends
    assert [text.get_text().strip("\u200b") for text in legend.get_texts()] == ["a", "b", "c"]
    assert alone.axes[0].get_xlabel() == "trust 0.9"
    figure = Figure()
    plot_map(points, labels, ["a", "b", "c"], figure.add_subplot())
    assert not figure.legends


def test_with_more_classes_than_colours_their_names_stand_at_their_middle() -> None:
    points, labels = stream(0, "points").normal(size=(60, 2)), np.arange(60) % 12
    ax = plot_map(points, labels, [f"class {n}" for n in range(12)])
    assert {text.get_text() for text in ax.texts} == {f"class {n}" for n in range(12)}
    np.testing.assert_allclose(ax.texts[4].get_position(), np.median(points[labels == 4], axis=0))


@pytest.mark.parametrize("method", ["pca", "tsne"])
def test_all_taps_are_drawn_side_by_side_with_their_numbers(tmp_path: Path, method: str) -> None:
    maps = read_maps(write_maps(make_run(tmp_path)))
    assert maps is not None
    figure = plot_tap_maps(maps, method).get_figure(root=True)
    assert figure is not None
    titles = [ax.get_title(loc="left") for ax in figure.axes if ax.get_visible()]
    assert titles == ["input", "layer1", "softmax"]
    assert "trust 0.900, recall 0.40" in figure.axes[0].get_xlabel()
