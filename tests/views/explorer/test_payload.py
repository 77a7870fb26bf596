"""What the explorer's page is given, read back as the page does, against the run folder."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from exit_files import write_exits
from inside_files import write_features, write_maps, write_units
from layerwise.errors import InputError
from layerwise.runs import read_table, write_array, write_table
from layerwise.views.explorer.payload import Payload, explorer_payload
from layerwise.views.run import RunView, read_run
from payload_files import column, picture, read

MakeRun = Callable[..., Path]


@pytest.fixture
def view(make_run: MakeRun, tmp_path: Path) -> RunView:
    """A run with maps, units, filters and exits."""
    run = make_run(tmp_path / "run", split_counts={"validation": 20, "test": 50})
    for write in (write_maps, write_units, write_features, write_exits):
        write(run)
    return read_run(run)


@pytest.fixture
def payload(view: RunView) -> Payload:
    return explorer_payload(view)


def test_the_manifest_is_json_and_counts_what_there_is(view: RunView, payload: Payload) -> None:
    manifest = json.loads(json.dumps(payload.manifest, allow_nan=False))
    assert (manifest["count"], manifest["base_count"]) == (70, 120)
    assert manifest["classes"] == list(view.class_names)
    assert [tap["name"] for tap in manifest["taps"]] == list(view.tap_names)
    assert manifest["depth_names"][-1] == "unresolved"


def test_every_reference_lies_in_its_pack(payload: Payload) -> None:
    def references(value: object) -> list[dict]:
        if isinstance(value, dict):
            return (
                [value] if {"pack", "offset"} <= set(value) else [r for one in value.values() for r in references(one)]
            )
        return [r for one in value for r in references(one)] if isinstance(value, list) else []

    found = references(payload.manifest)
    assert {one["pack"] for one in found} == set(payload.packs)
    for one in found:
        size = 1 if one["dtype"] == "json" else int(one["dtype"][1])
        assert one["offset"] % 4 == 0
        assert one["offset"] + one["bytes"] <= len(payload.packs[one["pack"]]())
        assert one["dtype"] == "json" or one["bytes"] == size * np.prod(one["shape"])


def test_ids_votes_and_neighbors_are_the_runs(view: RunView, payload: Payload) -> None:
    manifest = payload.manifest
    assert read(payload, manifest["ids"]) == view.examples["id"].tolist()
    assert read(payload, manifest["base_ids"]) == view.base["id"].tolist()
    np.testing.assert_array_equal(read(payload, manifest["base_label"]), view.base["label"])
    np.testing.assert_array_equal(read(payload, manifest["votes"]), view.votes)
    blocks = [read(payload, reference) for reference in manifest["neighbors"]["blocks"]]
    np.testing.assert_array_equal(np.concatenate(blocks), view.neighbors)


def test_fewer_neighbors_are_the_nearest_ones(view: RunView) -> None:
    payload = explorer_payload(view, neighbors=3)
    told = payload.manifest["neighbors"]
    assert (told["count"], told["of"], told["rows"], len(told["blocks"])) == (3, view.neighbors.shape[2], 1024, 1)
    np.testing.assert_array_equal(read(payload, told["blocks"][0]), view.neighbors[:, :, :3])


def test_no_neighbors_at_all_are_refused(view: RunView) -> None:
    with pytest.raises(InputError, match=r"^neighbors = 0: the page shows at least one neighbour at each tap.$"):
        explorer_payload(view, neighbors=0)


def test_exits_have_a_confidence_for_each_example_that_was_reported(make_run: MakeRun, tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", split_counts={"validation": 2, "test": 3})
    write_exits(run)
    ids = read_table(run / "examples.parquet")["id"]
    logits = np.log(np.array([[[0.7, 0.3]] * 3, [[0.5, 0.5]] * 3, [[0.1, 0.9]] * 3]))  # (E, n, K)
    logits[2, 1] = np.log([0.2, 0.8])
    write_array(run / "exits" / "test.npy", logits)
    write_table(run / "exits" / "test.parquet", ids[[4, 3, 2]].to_frame())
    payload = explorer_payload(read_run(run))
    exits = payload.manifest["exits"]
    nothing = [np.nan] * 3
    expected = [nothing, nothing, [0.7, 0.5, 0.9], [0.7, 0.5, 0.8], [0.7, 0.5, 0.9]]
    np.testing.assert_allclose(read(payload, exits["confidence"]), expected, rtol=1e-6)
    assert (exits["policy"], exits["split"], exits["column"]) == ("entropy", "test", "exit")


def test_units_bring_their_strongest_pictures_and_the_first_layer_its_filters(
    make_run: MakeRun, tmp_path: Path
) -> None:
    run = make_run(tmp_path / "run")
    write_units(run, taps=("<i>conv1",), units=6)
    write_features(run)
    view = read_run(run)
    payload = explorer_payload(view)
    (layer,) = payload.manifest["units"]
    assert layer["kept"] == sum(bool(unit["shown"]) for unit in layer["units"]) < 6
    assert layer["counts"] == {"units": 6, "dead": 1, "never_fires": 1, "saturated": 0}
    unit = layer["units"][5]
    assert (unit["shown"], unit["values"]) == ([5, 6, 7, 8, 9], [1.0, 0.9, 0.8, 0.7, 0.6])
    assert (unit["excited_by"], unit["histogram"]) == (0, [5, 0, 0, 0, 0, 0])
    np.testing.assert_allclose(unit["filter"], view.filters.weights[5], atol=1e-4)
    assert layer["units"][1]["shown"] == []
    assert [unit["excited_by"] for unit in layer["units"] if unit["dead"]] == [-1]
    np.testing.assert_array_equal(picture(payload, payload.manifest["unit_pictures"], 7), view.units.pictures[7, 0])


def test_a_bare_run_says_what_is_missing_and_which_command_makes_it(make_run: MakeRun, tmp_path: Path) -> None:
    run = make_run(tmp_path / "run")
    manifest = explorer_payload(read_run(run)).manifest
    assert (manifest["maps"], manifest["exits"], manifest["units"]) == ([], None, [])
    commands = {one["part"]: one["command"] for one in manifest["missing"]}
    assert commands == {
        "maps": f"layerwise inside {run} --embed pca,tsne",
        "units": f"layerwise inside {run} --units",
        "filters": f"layerwise inside {run} --filters first",
        "exits": f"layerwise exits train {run}",
        "training scores": "layerwise train MODEL DATA -o RUN --log-dynamics",
        "labels": "layerwise train MODEL DATA -o RUN --log-dynamics",
        "kinds": f"layerwise difficulty {run} --folds 5",
    }


def test_a_run_without_pictures_and_neighbors_is_shown_without_them(make_run: MakeRun, tmp_path: Path) -> None:
    run = make_run(tmp_path / "run")
    for name in ("thumbnails.npy", "base_thumbnails.npy", "neighbors.npy", "base.parquet"):
        (run / name).unlink()
    payload = explorer_payload(read_run(run))
    manifest = payload.manifest
    assert all(manifest[name] is None for name in ("pictures", "base_pictures", "neighbors", "base_ids", "base_label"))
    assert payload.sheets == {}
    assert "pictures" in {one["part"] for one in manifest["missing"]}


def test_exits_without_thresholds_say_so(make_run: MakeRun, tmp_path: Path) -> None:
    run = write_exits(make_run(tmp_path / "run"), budget=False)
    payload = explorer_payload(read_run(run))
    assert payload.manifest["exits"]["column"] is None
    assert "thresholds" in {one["part"] for one in payload.manifest["missing"]}
    assert "exit" not in {one["name"] for one in payload.manifest["columns"]}


def test_basic_columns_are_the_runs(view: RunView, payload: Payload) -> None:
    for name in ("label", "prediction", "correct", "depth", "confidence"):
        np.testing.assert_allclose(column(payload, name), view.examples[name].to_numpy(np.float64), rtol=1e-6)
