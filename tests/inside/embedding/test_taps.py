"""Maps of every tap: aligned, the same for the same seed, resumable; and their folder."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from layerwise.data.images import ImageData
from layerwise.errors import (
    DataError,
    FileError,
    InputError,
    NonFiniteError,
    NotEnoughExamplesError,
    RunError,
    UnknownNameError,
)
from layerwise.inside.embedding import taps
from layerwise.inside.embedding.folder import begin_maps, finished_maps, load_maps, save_tap_maps
from layerwise.inside.embedding.result import TapMaps
from layerwise.inside.embedding.taps import MapSettings, embed, embed_taps
from layerwise.inside.embedding.tsne import Schedule
from layerwise.recording import Activations, record
from layerwise.seeds import stream

BRIEF = MapSettings(perplexity=8.0, schedule=Schedule(50, 100), later_schedule=Schedule(50, 100))


def blobs(count: int = 60) -> ImageData:
    """Three classes of grey images, each of its own brightness in its own corner."""
    labels = np.arange(count) % 3
    images = 0.1 * stream(0, "blobs").random((count, 1, 6, 6)).astype(np.float32)
    for row, label in enumerate(labels):
        images[row, 0, 2 * label : 2 * label + 2] += 0.8
    return ImageData.create(images, labels, name="blobs", class_names=("a", "b", "c"))


def network() -> nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(64, 3))


@pytest.fixture(scope="module")
def drawn() -> list[TapMaps]:
    return list(embed_taps(network(), blobs(), settings=BRIEF))


def test_there_is_a_map_of_each_tap_and_method_with_its_quality(drawn: list[TapMaps]) -> None:
    assert [maps.tap for maps in drawn] == ["input", "0", "1", "2", "softmax"]
    assert [one.method for one in drawn[0].maps] == ["pca", "tsne"]
    tsne = drawn[0].map("tsne")
    assert tsne is not None
    assert tsne.coordinates.shape == (60, 2)
    assert tsne.summary()["label_accuracy"] > 0.95
    table = tsne.table()
    assert table.columns.tolist() == ["id", "label", "x", "y", "trust", "recall", "vote"]
    assert drawn[0].map("umap") is None


def test_a_tap_begins_where_the_one_before_ended(drawn: list[TapMaps]) -> None:
    alone = list(embed_taps(network(), blobs(), settings=MapSettings(**{**vars(BRIEF), "aligned": False})))

    def moves(maps: list[TapMaps]) -> float:
        """The mean way of a point from one map to the next, in widths of a map."""
        points = [one.map("tsne").coordinates for one in maps]  # type: ignore[union-attr]
        return float(np.mean([np.linalg.norm(b - a, axis=1).mean() / np.ptp(a) for a, b in pairwise(points)]))

    assert moves(drawn) < moves(alone)


def test_the_values_at_a_tap_are_placed_where_the_map_was_drawn(drawn: list[TapMaps]) -> None:
    pixels = blobs().batch(slice(0, 60)).reshape(60, -1)
    np.testing.assert_allclose(drawn[0].reduction.apply(pixels), drawn[0].reduced, atol=1e-4)


def test_small_memory_gives_the_same_maps(drawn: list[TapMaps], monkeypatch: pytest.MonkeyPatch) -> None:
    recordings: list[list[str]] = []

    def counted(*args: Any, only: list[str], **options: Any) -> Activations:
        recordings.append(only)
        return record(*args, only=only, **options)

    monkeypatch.setattr(taps, "record", counted)
    settings = MapSettings(**{**vars(BRIEF), "limit_bytes": 60 * 70 * 4})
    for one, other in zip(drawn, embed_taps(network(), blobs(), settings=settings), strict=True):
        for a, b in zip(one.maps, other.maps, strict=True):
            np.testing.assert_allclose(a.coordinates, b.coordinates, atol=1e-3)
    assert len(recordings) > 1


def test_maps_come_back_from_their_folder_and_a_killed_command_goes_on(drawn: list[TapMaps], tmp_path: Path) -> None:
    key = {"seed": 0, "class_names": ("a", "b", "c")}
    begin_maps(tmp_path, key)
    for maps in drawn[:2]:
        save_tap_maps(tmp_path, maps)
    kept = finished_maps(tmp_path, key)
    assert list(kept) == ["input", "0"]
    begin_maps(tmp_path, key)
    again = list(embed_taps(network(), blobs(), settings=BRIEF, finished=kept))
    for one, other in zip(drawn, again, strict=True):
        np.testing.assert_array_equal(one.maps[1].coordinates, other.maps[1].coordinates)
        assert one.maps[1].summary() | {"seconds": 0, "reducing_s": 0} == other.maps[1].summary() | {
            "seconds": 0,
            "reducing_s": 0,
        }
    loaded = next(load_maps(tmp_path))
    np.testing.assert_array_equal(loaded.reduced, drawn[0].reduced)
    np.testing.assert_array_equal(loaded.reduction.components, drawn[0].reduction.components)
    assert finished_maps(tmp_path, {"seed": 1}) == {}
    begin_maps(tmp_path, {"seed": 1})
    assert finished_maps(tmp_path, key) == {}


def test_damaged_and_missing_maps_are_said(drawn: list[TapMaps], tmp_path: Path) -> None:
    with pytest.raises(RunError, match="has no maps"):
        next(load_maps(tmp_path))
    begin_maps(tmp_path, {})
    save_tap_maps(tmp_path, drawn[0])
    path = tmp_path / "maps" / "00-input.parquet"
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(FileError, match=r"00-input\.\* do not hold maps"):
        next(load_maps(tmp_path))


def test_vectors_without_a_network_are_drawn_too() -> None:
    data = blobs()
    assert embed(data.batch(slice(0, 60)).reshape(60, -1), data, settings=BRIEF).tap == "input"


def test_what_cannot_be_drawn_is_refused() -> None:
    with pytest.raises(UnknownNameError, match='Did you mean "tsne"'):
        MapSettings(("pca", "tnse"))
    with pytest.raises(NotEnoughExamplesError, match="perplexity 30 needs more than 90 examples; got 60"):
        next(embed_taps(network(), blobs()))
    dead = network()
    nn.init.zeros_(dead[0].weight)
    nn.init.constant_(dead[0].bias, -1.0)
    with pytest.raises(InputError, match="perplexity = nan: give a number of at least 1"):
        MapSettings(("pca",), perplexity=float("nan"))
    with pytest.raises(InputError, match="neighbors = 1: give a whole number of at least 2"):
        MapSettings(("pca",), neighbors=1)
    nn.init.constant_(dead[3].bias, float("nan"))
    with pytest.raises(NonFiniteError, match="holds NaN or infinity"):
        list(embed_taps(dead, blobs(), ["2"], settings=MapSettings(("pca",))))


def test_a_tap_where_all_is_the_same_is_left_out_with_a_word() -> None:
    dead = network()
    nn.init.zeros_(dead[0].weight)
    nn.init.constant_(dead[0].bias, -1.0)
    with pytest.warns(UserWarning, match="no map of tap") as noted:
        drawn = list(embed_taps(dead, blobs(), settings=MapSettings(("pca",))))
    assert [maps.tap for maps in drawn] == ["input"]
    assert str(noted[0].message) == 'no map of tap "0": all examples have the same values there.'
    same = replace(blobs(), images=np.ones((60, 1, 6, 6), np.float32))
    with (
        pytest.warns(UserWarning, match="no map of tap"),
        pytest.raises(DataError, match="the same values at every tap"),
    ):
        list(embed_taps(network(), same, settings=MapSettings(("pca",))))


def test_another_method_is_drawn_beside_those_that_are_there(drawn: list[TapMaps], tmp_path: Path) -> None:
    key = {"seed": 0, "methods": ["tsne"]}
    begin_maps(tmp_path, key)
    for maps in drawn:
        tsne = maps.map("tsne")
        assert tsne is not None
        save_tap_maps(tmp_path, replace(maps, maps=(tsne,)))
    wider = {"seed": 0, "methods": ["pca", "tsne"]}
    begin_maps(tmp_path, wider)
    kept = finished_maps(tmp_path, wider)
    both = list(embed_taps(network(), blobs(), settings=BRIEF, finished=kept))
    assert [[one.method for one in maps.maps] for maps in both] == [["tsne", "pca"]] * len(drawn)
    for maps, before, first in zip(both, kept.values(), drawn, strict=True):
        assert maps.map("tsne") is before.map("tsne")
        pca, as_drawn = maps.map("pca"), first.map("pca")
        assert pca is not None
        assert as_drawn is not None
        np.testing.assert_allclose(pca.coordinates, as_drawn.coordinates, atol=1e-4)
