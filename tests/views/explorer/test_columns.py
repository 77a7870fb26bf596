"""Columns of the explorer: kinds of values, what is not known, and rows that stay with their examples."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from exit_files import write_exits
from label_files import measured_in_training, write_labels
from layerwise.runs import read_table, write_table
from layerwise.views.explorer.columns import ExampleColumn, example_columns, rows_of
from layerwise.views.explorer.packing import Packer
from layerwise.views.explorer.payload import explorer_payload
from layerwise.views.run import read_run
from payload_files import column
from run_series import write_over_runs

MakeRun = Callable[..., Path]


def test_what_is_not_known_has_a_value_of_its_own_in_every_kind() -> None:
    values = np.array([1.0, np.nan])
    packer = Packer()
    expected = {"class": ("u1", 255), "flag": ("u1", 255), "whole": ("i4", -(2**31)), "number": ("f4", np.nan)}
    for kind, (item, missing) in expected.items():
        described = ExampleColumn("x", "X", "About.", kind, "example", values).described(packer, 10)
        array = described["array"]
        start = array["offset"]
        found = np.frombuffer(packer.packs["columns"](), f"<{item}", 2, start)
        np.testing.assert_array_equal(found, [1, missing])
        assert described["range"] == [1.0, 1.0]


def test_the_range_holds_every_value_as_the_page_sees_it() -> None:
    values = np.array([0.1, 1 - 1e-12])
    described = ExampleColumn("x", "X", "", "number", "example", values).described(Packer(), 2)
    assert described["range"] == [float(np.float32(0.1)), 1.0]


@pytest.mark.parametrize(
    ("kind", "given", "stored"),
    [
        ("number", [np.inf, -np.inf, 1e300, 0.5], [np.nan, np.nan, np.nan, 0.5]),
        ("whole", [2.0**31, -1e300, np.inf, 7], [-(2**31)] * 3 + [7]),
        ("class", [-1, 256, 1e300, 3], [255, 255, 255, 3]),
        ("flag", [-np.inf, 300, 255, 1], [255, 255, 255, 1]),
    ],
)
def test_what_the_page_has_no_number_for_is_not_known(kind: Any, given: list[float], stored: list[float]) -> None:
    packer = Packer()
    described = ExampleColumn("x", "X", "", kind, "example", np.array(given, np.float64)).described(packer, 10)
    dtype = {"u1": "<u1", "i4": "<i4", "f4": "<f4"}[described["array"]["dtype"]]
    np.testing.assert_array_equal(np.frombuffer(packer.packs["columns"](), dtype), stored)
    assert described["range"] == [stored[-1], stored[-1]]


def test_three_hundred_classes_need_two_bytes() -> None:
    described = ExampleColumn("x", "X", "", "class", "example", np.array([299.0])).described(Packer(), 300)
    assert described["array"]["dtype"] == "u2"


def test_a_column_of_which_nothing_is_known_has_no_range() -> None:
    assert ExampleColumn("x", "X", "", "number", "example", np.array([np.nan])).described(Packer(), 2)["range"] is None


def test_exits_go_to_their_own_split_though_ids_are_the_same(make_run: MakeRun, tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", split_counts={"validation": 2, "test": 2})
    examples = read_table(run / "examples.parquet").assign(id=["a", "b", "a", "b"])
    write_table(run / "examples.parquet", examples)
    write_exits(run)
    write_table(run / "exits" / "left.parquet", pd.DataFrame({"id": ["b", "a"], "exit": [2, 1], "right": True}))
    assert column(explorer_payload(read_run(run)), "exit").tolist() == [255, 255, 1, 2]


def test_scores_of_training_images_are_shown_where_training_images_were_measured(
    make_run: MakeRun, tmp_path: Path
) -> None:
    run = make_run(tmp_path / "run", class_names=("ant", "bee", "cat", "dog"), split_counts={"test": 5, "train": 100})
    examples = read_table(run / "examples.parquet")
    write_labels(run)
    labels = read_table(run / "labels" / "labels.parquet")
    train = (examples["split"] == "train").to_numpy()
    examples.loc[train, "id"] = labels["id"].sample(frac=1.0, random_state=0).to_numpy()
    write_table(run / "examples.parquet", examples)
    payload = explorer_payload(read_run(run))
    suspicion = column(payload, "suspicion")
    assert np.isnan(suspicion[~train]).all()
    by_id = labels.set_index("id")["suspicion"]
    np.testing.assert_allclose(suspicion[train], by_id[examples["id"][train]].to_numpy(), rtol=1e-6)


@pytest.fixture
def noted(make_run: MakeRun, tmp_path: Path) -> Path:
    names = ("ant", "bee", "cat", "dog")
    return measured_in_training(make_run(tmp_path / "run", class_names=names, split_counts={"test": 5, "train": 100}))


def test_no_two_columns_have_a_name_or_a_title_in_common(noted: Path) -> None:
    columns = example_columns(read_run(noted))
    assert len({one.name for one in columns}) == len(columns)
    assert len({one.title for one in columns}) == len(columns)


def test_a_score_of_training_that_has_the_name_of_another_column_keeps_its_own_values(noted: Path) -> None:
    view = read_run(noted)
    by_name = {one.name: one for one in example_columns(view)}
    np.testing.assert_array_equal(by_name["confidence"].values, view.examples["confidence"])
    assert by_name["training_confidence"].title == "Mean confidence in the label over the training"
    ids = view.examples["id"][(view.examples["split"] == "train").to_numpy()]
    score = pd.Series(view.noted.dynamics.scores["confidence"], index=view.noted.ids)
    np.testing.assert_allclose(by_name["training_confidence"].values[ids.index], score[ids])
    assert by_name["learning_aum"].title == "AUM while learning"


def test_what_labels_look_like_is_a_category(noted: Path) -> None:
    view = read_run(noted)
    (found,) = (one for one in example_columns(view) if one.name == "label_kind")
    assert (found.title, found.group, found.categories) == (
        "What the label looks like", "labels", ("fine", "mislabelled", "ambiguous"),
    )  # fmt: skip
    by_id = view.labels.labels.set_index("id")["kind"]
    train = np.flatnonzero(view.examples["split"] == "train")
    assert [found.categories[int(place)] for place in found.values[train]] == [
        by_id[name] for name in view.examples["id"].iloc[train]
    ]


def test_a_seed_of_noise_is_a_name_and_no_column(make_run: MakeRun, tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", split_counts={"test": 3}, factors=False)
    write_table(run / "examples.parquet", read_table(run / "examples.parquet").assign(factor_noise_seed=[5, 6, 7]))
    assert "factor_noise_seed" not in {one.name for one in example_columns(read_run(run))}


def test_the_reference_is_called_by_what_it_is(make_run: MakeRun, tmp_path: Path) -> None:
    view = read_run(make_run(tmp_path / "run"))
    (column,) = (one for one in example_columns(view) if one.name == "reference")
    answer = explorer_payload(view).manifest["reference"]
    assert (view.agree_with, column.title, answer) == ("prediction", "Network's answer", "the network's answer")


def test_factors_are_numbers_flags_or_categories(make_run: MakeRun, tmp_path: Path) -> None:
    columns = {one.name: one for one in example_columns(read_run(make_run(tmp_path / "run")))}
    kinds = {name: columns[f"factor_{name}"].kind for name in ("size", "occluded", "source")}
    assert kinds == {"size": "number", "occluded": "flag", "source": "category"}
    assert columns["factor_rotation_degrees"].title == "Rotation degrees"


def test_a_factor_of_too_many_words_is_told(make_run: MakeRun, tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", split_counts={"test": 60}, factors=False)
    patients = [f"patient {place}" for place in range(60)]
    write_table(run / "examples.parquet", read_table(run / "examples.parquet").assign(factor_patient=patients))
    manifest = explorer_payload(read_run(run)).manifest
    assert all(one["name"] != "factor_patient" for one in manifest["columns"])
    assert manifest["missing"][-1] == {
        "part": "factor patient",
        "words": "It has 60 different words; with more than 50 it is no colour and no filter.",
        "command": "",
    }


@pytest.mark.parametrize(
    ("given", "categories", "places"),
    [
        (["a", None, "b"], ["a", "b"], [0, 255, 1]),
        ([None, None, None], [], [255, 255, 255]),
        ([[1, 2], [1, 2], [3]], ["[1 2]", "[3]"], [0, 0, 1]),
        ([{"a": 1.0}, None, {"a": 2.0}], ["{'a': 1.0}", "{'a': 2.0}"], [0, 255, 1]),
        ([b"\xff", b"b", b"b"], ["b", "\ufffd"], [1, 0, 0]),
        ([date(2020, 1, 2), date(2020, 1, 1), None], ["2020-01-01", "2020-01-02"], [1, 0, 255]),
    ],
)
def test_factors_of_any_values_are_words_and_none_is_not_known(
    make_run: MakeRun, tmp_path: Path, given: list[Any], categories: list[str], places: list[int]
) -> None:
    run = make_run(tmp_path / "run", split_counts={"test": 3}, factors=False)
    write_table(run / "examples.parquet", read_table(run / "examples.parquet").assign(factor_odd=given))
    payload = explorer_payload(read_run(run))
    (found,) = (one for one in payload.manifest["columns"] if one["name"] == "factor_odd")
    assert (found["kind"], found["categories"]) == ("category", categories)
    assert column(payload, "factor_odd").tolist() == places


def test_every_score_of_training_says_its_direction(make_run: MakeRun, tmp_path: Path) -> None:
    """The page may not guess which end of a score is the hard one."""
    from layerwise.arrays.score_catalog import SCORES

    assert {one.high_means for one in SCORES.values()} == {"hard", "easy"}
    directions = {
        one["name"]: one["direction"]
        for one in explorer_payload(read_run(make_run(tmp_path / "r"))).manifest["columns"]
    }
    assert (directions["depth"], directions["confidence"]) == ("high is hard", "high is easy")


def test_images_that_were_not_measured_have_no_row(make_run: MakeRun, tmp_path: Path) -> None:
    view = read_run(make_run(tmp_path / "run", split_counts={"test": 3}))
    assert rows_of(view, "test", pd.Series(["test-00002", "other", "test-00000"])).tolist() == [2, -1, 0]


def test_depth_over_runs_goes_to_its_own_split(make_run: MakeRun, tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", split_counts={"train": 2, "test": 2})
    examples = read_table(run / "examples.parquet").assign(id=["a", "b", "a", "b"])
    write_table(run / "examples.parquet", examples)
    write_over_runs(run, runs=3)
    table = read_table(run / "over_runs.parquet").head(2).assign(id="b", split=["test", "train"])
    write_table(run / "over_runs.parquet", table.assign(depth=[2.5, 0.5], depth_low=[2.0, 0.0], depth_high=[3.0, 1.0]))
    payload = explorer_payload(read_run(run))
    np.testing.assert_array_equal(column(payload, "mean_depth"), [np.nan, 0.5, np.nan, 2.5])
    np.testing.assert_array_equal(column(payload, "mean_depth_width"), [np.nan, 1.0, np.nan, 1.0])
