"""Maps of the explorer: they fill a square, keep their shape, and rows stay with their examples."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from inside_files import write_maps
from layerwise.runs import read_json, read_table, write_json, write_table
from layerwise.views.explorer.maps import LARGEST, NOT_DRAWN, Square, map_square
from layerwise.views.explorer.payload import explorer_payload
from layerwise.views.run import read_run
from payload_files import read

MakeRun = Callable[..., Path]


@given(arrays(np.float64, (5, 2), elements=st.integers(-(10**6), 10**6).map(lambda n: n / 1000)))
def test_a_square_holds_every_point_and_keeps_distances_in_proportion(points: np.ndarray) -> None:
    square = Square.around(points)
    placed = square.apply(points)
    assert placed.min() >= -1e-6
    assert placed.max() <= LARGEST + 1e-6
    apart = np.linalg.norm(points[0] - points[1])
    np.testing.assert_allclose(np.linalg.norm(placed[0] - placed[1]), apart * square.scale, rtol=1e-6, atol=1e-3)


def test_one_place_for_all_lies_in_the_middle() -> None:
    points = np.full((3, 2), 7.0)
    np.testing.assert_array_equal(Square.around(points).apply(points), np.full((3, 2), LARGEST / 2))


def test_points_go_to_the_rows_of_their_examples_in_every_map(make_run: MakeRun, tmp_path: Path) -> None:
    run = write_maps(make_run(tmp_path / "run"))
    shuffled = read_table(run / "maps" / "01-tap.parquet").sample(frac=0.75, random_state=0)
    write_table(run / "maps" / "01-tap.parquet", shuffled)
    view = read_run(run)
    payload = explorer_payload(view)
    assert [one["method"] for one in payload.manifest["maps"]] == ["tsne", "pca"]
    tsne = payload.manifest["maps"][0]
    assert [(tap["tap"], tap["order"]) for tap in tsne["taps"]] == [("input", 0), ("layer1", 5), ("softmax", 10)]
    placed = read(payload, tsne["taps"][1]["points"])
    expected = map_square(shuffled, "tsne").apply(shuffled[["tsne_x", "tsne_y"]].to_numpy())
    rows = pd.Index(view.examples["id"]).get_indexer(shuffled["id"])
    np.testing.assert_array_equal(placed[rows], np.rint(expected))
    left_out = np.setdiff1d(np.arange(len(view.examples)), rows)
    assert (placed[left_out] == NOT_DRAWN).all()
    assert (len(left_out), tsne["drawn"]) == (40, 160)


def test_the_quality_of_a_map_is_told_with_it(make_run: MakeRun, tmp_path: Path) -> None:
    payload = explorer_payload(read_run(write_maps(make_run(tmp_path / "run"))))
    facts = {one["name"]: one for one in payload.manifest["maps"][0]["taps"][0]["facts"]}
    assert facts["trustworthiness"]["value"] == 0.9
    assert facts["neighbours kept"] == {
        "name": "neighbours kept",
        "about": "Of an image's 10 nearest at the tap, how many are among the 10 on the map.",
        "value": 0.4,
        "share": True,
    }


def test_a_map_with_hardly_any_extent_has_a_finite_scale() -> None:
    points = np.array([[0.0, 0.0], [1e-310, 0.0]])
    assert np.isfinite(Square.around(points).apply(points)).all()


def test_points_that_are_no_numbers_are_not_drawn_and_move_no_other(make_run: MakeRun, tmp_path: Path) -> None:
    run = write_maps(make_run(tmp_path / "run"))
    path = run / "maps" / "00-tap.parquet"
    whole = read_table(path)
    broken = whole.copy()
    broken.loc[0, "tsne_x"], broken.loc[1, "tsne_y"] = np.nan, np.inf
    write_table(path, broken)
    payload = explorer_payload(read_run(run))
    placed = read(payload, payload.manifest["maps"][0]["taps"][0]["points"])
    points = whole[["tsne_x", "tsne_y"]].to_numpy()[2:]
    np.testing.assert_array_equal(placed[:2], np.full((2, 2), NOT_DRAWN))
    np.testing.assert_array_equal(placed[2:], np.rint(Square.around(points).apply(points)))


def test_a_map_without_one_finite_point_draws_none(make_run: MakeRun, tmp_path: Path) -> None:
    run = write_maps(make_run(tmp_path / "run"), taps=("input",))
    path = run / "maps" / "00-tap.parquet"
    write_table(path, read_table(path).assign(tsne_x=np.nan))
    tsne = explorer_payload(read_run(run)).manifest["maps"][0]
    assert (tsne["method"], tsne["drawn"]) == ("tsne", 0)


def test_a_map_as_wide_as_numbers_go_has_finite_places() -> None:
    points = np.array([[-1.7e308, 0.0], [1.7e308, 0.0]])
    assert np.isfinite(Square.around(points).apply(points)).all()


def test_a_tap_that_names_no_such_method_has_no_map_by_it(make_run: MakeRun, tmp_path: Path) -> None:
    run = write_maps(make_run(tmp_path / "run"))
    facts = read_json(run / "maps" / "00-tap.json")
    write_json(run / "maps" / "00-tap.json", facts | {"methods": {"pca": facts["methods"]["pca"]}})
    maps = explorer_payload(read_run(run)).manifest["maps"]
    assert {one["method"]: len(one["taps"]) for one in maps} == {"tsne": 2, "pca": 3}
