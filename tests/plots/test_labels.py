"""Pictures of dynamics and suspect labels show the numbers that they stand for."""

from __future__ import annotations

import matplotlib as mpl
import numpy as np
import pytest

from label_files import kinds, write_labels
from layerwise.plots.labels import CORRECTNESS_COLORS, plot_correlations, plot_data_map, plot_suspects
from layerwise.plots.style import RIGHT
from layerwise.views.labels import LabelsView, NotedView, read_labels, read_noted


@pytest.fixture(scope="module")
def views(tmp_path_factory: pytest.TempPathFactory) -> tuple[LabelsView, NotedView]:
    run = write_labels(tmp_path_factory.mktemp("labels"))
    labels, noted = read_labels(run), read_noted(run)
    assert labels is not None
    assert noted is not None
    return labels, noted


def test_the_data_map_has_every_image_where_its_scores_are_and_rings_on_wrong_labels(
    views: tuple[LabelsView, NotedView],
) -> None:
    labels, noted = views
    everyone, rings = plot_data_map(noted, labels).collections
    scores = noted.dynamics.scores
    np.testing.assert_allclose(everyone.get_offsets(), np.stack([scores["variability"], scores["confidence"]], axis=1))
    assert len(rings.get_offsets()) == (labels.labels["kind"] == "mislabelled").sum()
    never = scores["correctness"] == 0
    colors = everyone.get_facecolors()[never][:, :3]
    np.testing.assert_allclose(colors, np.tile(mpl.colors.to_rgb(CORRECTNESS_COLORS[0][0]), (never.sum(), 1)))


def test_without_labels_there_are_no_rings(views: tuple[LabelsView, NotedView]) -> None:
    assert len(plot_data_map(views[1]).collections) == 1


def test_correlations_are_written_in_their_cells(views: tuple[LabelsView, NotedView]) -> None:
    ax = plot_correlations(views[1])
    count = len(views[1].scores)
    assert len(ax.texts) == count**2
    assert ax.texts[0].get_text() == "1.0"
    assert ax.images[0].get_array().shape == (count, count)


def test_each_suspect_has_its_picture_curve_shares_and_neighbours(views: tuple[LabelsView, NotedView]) -> None:
    labels, noted = views
    figure = plot_suspects(labels, noted, first=0, count=3)
    assert len(figure.axes) == 12
    picture, curve, taps, neighbors = figure.axes[:4]
    first = labels.labels.iloc[0]
    assert picture.get_title(loc="left").replace("\n", " ") == f"{first['label_name']} → {first['suggested_name']}"
    row = int(np.flatnonzero(noted.ids == first["id"])[0])
    assert kinds()[row] == "mislabelled"
    np.testing.assert_allclose(curve.lines[0].get_ydata(), noted.dynamics.curves[:, row].astype(float))
    label_line = next(line for line in taps.lines if line.get_color() == RIGHT)
    np.testing.assert_allclose(label_line.get_ydata(), labels.for_label[0])
    names = [labels.class_names[label] for label in labels.neighbor_labels[0]]
    assert [text.get_text() for text in neighbors.texts] == names


def test_fewer_suspects_than_a_picture_holds_are_drawn_as_they_are(views: tuple[LabelsView, NotedView]) -> None:
    assert len(plot_suspects(*views, first=12, count=6).axes) == 8
