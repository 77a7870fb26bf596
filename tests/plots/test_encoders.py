"""Images stand above their reconstructions."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from inside_files import write_encoders
from layerwise.errors import ShapeError
from layerwise.plots.encoders import plot_encoder_reconstructions, plot_new_images, plot_reconstructions
from layerwise.views.encoders import EncodersView, read_encoders
from toy_runs import make_run


def test_each_image_stands_above_its_reconstruction_and_is_cut_to_what_can_be_shown() -> None:
    images = np.stack([np.full((1, 2, 3), 0.25), np.full((1, 2, 3), 0.5)])
    ax = plot_reconstructions({"image": images, "reconstruction": 4 * images})
    picture = np.asarray(ax.images[0].get_array())
    assert picture.shape == (5, 7, 3)
    np.testing.assert_allclose(picture[0, [0, 4]], [[0.25] * 3, [0.5] * 3])
    np.testing.assert_allclose(picture[3, [0, 4]], 1.0)
    assert [label.get_text() for label in ax.get_yticklabels()] == ["image", "reconstruction"]


def test_shapes_that_differ_are_refused() -> None:
    with pytest.raises(ShapeError, match="need one shape"):
        plot_reconstructions({"image": np.zeros((2, 1, 4, 4)), "other": np.zeros((2, 1, 4, 5))})


@pytest.fixture
def view(tmp_path: Path) -> EncodersView:
    found = read_encoders(write_encoders(make_run(tmp_path / "run")))
    assert found is not None
    return found


def test_each_encoder_has_a_row_with_what_it_lost(view: EncodersView) -> None:
    ax = plot_encoder_reconstructions(view)
    assert [label.get_text() for label in ax.get_yticklabels()] == [
        "image",
        "linear autoencoder, 32 numbers\n20.0% of variance lost",
        "autoencoder, 32 numbers\n20.0% of variance lost",
    ]


def test_images_that_are_no_shares_of_white_are_stretched_all_alike(view: EncodersView) -> None:
    whitened = replace(view, pictures=4 * view.pictures - 2)
    spread = [np.asarray(plot_encoder_reconstructions(one).images[0].get_array()) for one in (view, whitened)]
    corner = [picture[0, 0, 0] for picture in spread]
    low, high = view.pictures[0].min(), view.pictures[0].max()
    assert corner[1] == pytest.approx((corner[0] - low) / (high - low), abs=1e-6)


def test_held_out_images_stand_out_on_the_map_of_each_encoder_that_has_one(view: EncodersView) -> None:
    figure = plot_new_images(view).figure
    assert [ax.get_title(loc="left") for ax in figure.axes] == [
        "autoencoder, then t-SNE: input",
        "parametric t-SNE: input",
    ]
    assert [ax.get_xlabel() for ax in figure.axes] == ["labels 0.70 of 0.90", "labels 0.80 of 0.90"]
    learned, new = figure.axes[1].collections[:2]
    assert (len(learned.get_offsets()), len(new.get_offsets())) == (128, 32)
    assert learned.get_alpha() < 0.5 < new.get_alpha()


def test_of_two_channels_the_first_is_shown(view: EncodersView) -> None:
    two = replace(view, pictures=np.repeat(view.pictures, 2, axis=2))
    one, first = (np.asarray(plot_encoder_reconstructions(v).images[0].get_array()) for v in (view, two))
    np.testing.assert_array_equal(one, first)


def test_learned_images_far_from_all_held_out_ones_are_on_the_map_too(view: EncodersView) -> None:
    points = view.points.copy()
    far = points.index[~points["held_out"]][:40]
    points.loc[far, "tsne_x"] += 50
    ax = plot_new_images(replace(view, points=points)).figure.axes[1]
    assert ax.get_xlim()[1] > 50
