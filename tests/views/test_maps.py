"""Maps, units and encoders of a run folder are read whole, or refused with the way to make them again."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from inside_files import write_encoders, write_maps, write_units
from layerwise.errors import FileError
from layerwise.report.maps import maps_section
from layerwise.report.pictures import Album
from layerwise.runs import read_json, read_table, write_array, write_json, write_table
from layerwise.views.encoders import read_encoders
from layerwise.views.maps import read_maps
from layerwise.views.run import read_run
from layerwise.views.units import read_units
from toy_runs import make_run


def test_maps_are_read_in_order_with_their_means(tmp_path: Path) -> None:
    assert read_maps(make_run(tmp_path)) is None
    maps = read_maps(write_maps(tmp_path))
    assert maps is not None
    assert (maps.taps, maps.methods, maps.k) == (("input", "layer1", "softmax"), ("pca", "tsne"), 10)
    row, points = maps.row("softmax", "tsne"), maps.points["softmax"]
    assert row["label_accuracy"] == pytest.approx((points["tsne_vote"] == points["label"]).mean())
    assert (row["feature_label_accuracy"], row["trustworthiness"], row["divergence"]) == (1.0, pytest.approx(0.9), 1.2)


def test_a_tap_without_a_map_by_one_method_is_left_out_there(tmp_path: Path) -> None:
    run = write_maps(make_run(tmp_path))
    path = run / "maps" / "00-tap.json"
    facts = read_json(path)
    write_json(path, facts | {"methods": {"pca": facts["methods"]["pca"]}})
    maps = read_maps(run)
    assert maps is not None
    assert (maps.taps_of("pca"), maps.taps_of("tsne")) == (("input", "layer1", "softmax"), ("layer1", "softmax"))
    assert "t-SNE maps of 2 taps" in maps_section(read_run(run), Album(tmp_path))


@pytest.mark.parametrize("name", ["maps.json", "00-tap.json", "01-tap.parquet"])
def test_damaged_maps_are_said(tmp_path: Path, name: str) -> None:
    run = write_maps(make_run(tmp_path))
    (run / "maps" / name).write_text("{}")
    with pytest.raises(FileError, match="Draw them again: layerwise inside"):
        read_maps(run)


def test_maps_of_infinitely_many_neighbors_are_said(tmp_path: Path) -> None:
    path = write_maps(make_run(tmp_path)) / "maps" / "00-tap.json"
    path.write_text(json.dumps(read_json(path) | {"k": np.inf}))
    with pytest.raises(FileError, match=r"\(00-tap\.json: k is infinity, not a whole number\)\.\n    Draw them again"):
        read_maps(tmp_path)


@pytest.mark.parametrize(
    ("column", "value", "fault"),
    [
        ("tsne_x", "x", "tsne_x holds no numbers"),
        ("pca_y", None, "pca_y holds no numbers"),
        ("label", 99, "label lies outside 0 to 5"),
        ("tsne_vote", 0.5, "tsne_vote holds fractions; whole numbers are expected"),
        ("id", None, "no numbers of id"),
    ],
)
def test_maps_that_are_not_as_they_were_drawn_are_said(tmp_path: Path, column: str, value: object, fault: str) -> None:
    run = write_maps(make_run(tmp_path))
    path = run / "maps" / "01-tap.parquet"
    table = read_table(path)
    write_table(path, table.drop(columns="id") if column == "id" else table.assign(**{column: value}))
    with pytest.raises(FileError) as caught:
        read_maps(run)
    assert str(caught.value).endswith(f"cannot be read ({fault}).\n    Draw them again: layerwise inside {run} --again")


@pytest.mark.parametrize(
    ("file", "column", "value"),
    [
        ("units", "fires", np.nan),
        ("units", "unit", "x"),
        ("units", "selectivity", None),
        ("shown", "value", np.inf),
        ("shown", "label", -1),
        ("shown", "tap", "layer9"),
        ("gradients", "rms", np.nan),
    ],
)
def test_units_that_hold_no_finite_numbers_are_said(tmp_path: Path, file: str, column: str, value: object) -> None:
    run = write_units(make_run(tmp_path))
    path = run / "units" / f"{file}.parquet"
    write_table(path, read_table(path).assign(**{column: value}))
    with pytest.raises(FileError, match=r"do not belong together\.\n    Measure again: layerwise inside .* --units"):
        read_units(run)


@pytest.mark.parametrize("shape", [(40,), (10, 2, 4, 4), (10, 3, 4)])
def test_pictures_of_units_that_are_no_pictures_are_said(tmp_path: Path, shape: tuple[int, ...]) -> None:
    run = write_units(make_run(tmp_path))
    write_array(run / "units" / "shown.npy", np.zeros(shape, np.uint8))
    with pytest.raises(FileError, match="do not belong together"):
        read_units(run)


def test_units_are_read_with_their_layers(tmp_path: Path) -> None:
    assert read_units(make_run(tmp_path)) is None
    units = read_units(write_units(tmp_path, taps=("conv1", "layer1")))
    assert units is not None
    layers = units.layers()
    assert layers[["tap", "units", "dead"]].to_numpy().tolist() == [["conv1", 8, 1], ["layer1", 8, 1]]
    assert (layers["low"] <= layers["median"]).all()


@pytest.mark.parametrize("name", ["units.json", "units.parquet", "shown.npy", "gradients.parquet"])
def test_damaged_units_are_said(tmp_path: Path, name: str) -> None:
    run = write_units(make_run(tmp_path))
    (run / "units" / name).write_text("[")
    with pytest.raises(FileError, match=r"[Mm]easure (the units )?again: layerwise inside .* --units"):
        read_units(run)


def test_a_hundredth_tap_comes_after_the_ninety_ninth(tmp_path: Path) -> None:
    taps = tuple(f"tap{number}" for number in range(102))
    maps = read_maps(write_maps(make_run(tmp_path), taps=taps))
    assert maps is not None
    assert maps.taps == taps


def test_encoders_are_read_with_what_belongs_to_them(tmp_path: Path) -> None:
    assert read_encoders(make_run(tmp_path)) is None
    view = read_encoders(write_encoders(tmp_path))
    assert view is not None
    assert (view.drawn, view.reconstructing) == (("autoencoder", "tsne"), ("linear", "autoencoder"))
    assert view.row("autoencoder")["labels_map"] == pytest.approx(0.7)
    only = read_encoders(write_encoders(tmp_path, kinds=("tsne",)))
    assert only is not None
    assert (only.drawn, only.reconstructing) == (("tsne",), ())


@pytest.mark.parametrize("name", ["encoders.json", "encoders.parquet", "points.parquet", "pictures.npy"])
def test_damaged_encoders_are_said(tmp_path: Path, name: str) -> None:
    run = write_encoders(make_run(tmp_path))
    (run / "encoders" / name).write_text("[")
    with pytest.raises(FileError, match=r"[Mm]easure (the encoders )?again: layerwise inside .* --encoder all"):
        read_encoders(run)


def test_encoders_of_two_measurements_are_refused(tmp_path: Path) -> None:
    run = write_encoders(make_run(tmp_path))
    write_array(run / "encoders" / "pictures.npy", np.zeros((2, 6, 1, 8, 8), np.float32))
    with pytest.raises(FileError, match="do not belong together"):
        read_encoders(run)
