"""New images fall where their likes are, at every tap."""

from __future__ import annotations

import numpy as np
import pytest
from torch import nn

from inside.embedding.test_taps import BRIEF, blobs, network
from layerwise.errors import InputError, ModelError, ShapeError
from layerwise.inside.embedding.new_images import MapPlacer
from layerwise.inside.embedding.result import TapMaps
from layerwise.inside.embedding.taps import embed_taps


@pytest.fixture(scope="module")
def drawn() -> list[TapMaps]:
    return list(embed_taps(network(), blobs(), settings=BRIEF))


def test_images_of_the_map_fall_near_themselves_at_every_tap(drawn: list[TapMaps]) -> None:
    placer = MapPlacer(network(), drawn, image_shape=(1, 6, 6))
    placed = placer.place(blobs().batch(slice(0, 9)))
    assert list(placed) == ["input", "0", "1", "2", "softmax"]
    labels = np.arange(60) % 3
    for maps in drawn:
        coordinates = maps.map("tsne").coordinates  # type: ignore[union-attr]
        nearest = np.linalg.norm(placed[maps.tap][:, None] - coordinates, axis=2).argmin(axis=1)
        assert (labels[nearest] == labels[:9]).mean() > 0.85


def test_along_the_components_they_fall_exactly_on_themselves(drawn: list[TapMaps]) -> None:
    """At every tap: each map is turned to that of the tap before it."""
    placed = MapPlacer(network(), drawn, image_shape=(1, 6, 6), method="pca").place(blobs().batch(slice(0, 9)))
    for maps in drawn:
        np.testing.assert_allclose(placed[maps.tap], maps.map("pca").coordinates[:9], atol=1e-4)  # type: ignore[union-attr]


def test_what_cannot_be_placed_is_refused(drawn: list[TapMaps]) -> None:
    placer = MapPlacer(network(), drawn, image_shape=(1, 6, 6))
    with pytest.raises(ShapeError, match="as the maps were drawn from"):
        placer.place(np.zeros((1, 1, 7, 7), np.float32))
    with pytest.raises(InputError, match='cannot be placed on maps by "umap"'):
        MapPlacer(network(), drawn, image_shape=(1, 6, 6), method="umap")
    with pytest.raises(InputError, match="not every tap has a map by tsne"):
        MapPlacer(network(), [], image_shape=(1, 6, 6))
    other = nn.Sequential(nn.Flatten(), nn.Linear(64, 3))
    with pytest.raises(ModelError, match='tap "input" has 64 features in this network'):
        MapPlacer(other, drawn[:1], image_shape=(1, 8, 8))
