"""Suspect labels and training dynamics of a run folder are read whole, or refused with the way to make them again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from label_files import kinds, made_up, write_labels
from layerwise.arrays.intervals import spearman_interval
from layerwise.errors import FileError
from layerwise.runs import read_table, write_array, write_table
from layerwise.training.dynamics import NOTE_AGAIN
from layerwise.views.labels import read_labels, read_noted
from toy_runs import make_run


def test_a_run_without_them_has_none(tmp_path: Path) -> None:
    assert read_labels(make_run(tmp_path)) is None
    assert read_noted(tmp_path) is None


def test_labels_are_read_with_what_belongs_to_them(tmp_path: Path) -> None:
    view = read_labels(write_labels(tmp_path))
    assert view is not None
    assert len(view.labels) == 100
    assert view.suspects["id"].tolist() == view.labels["id"].head(14).tolist()
    assert view.neighbors.shape == (14, 8, 3, 8, 8)
    assert view.neighbor_labels.shape == (14, 8)
    assert view.counts()["mislabelled"] == (view.labels["kind"] == "mislabelled").sum()
    assert view.taps == ("<tap 0>", "<tap 1>", "<tap 2>")


def test_correlations_are_of_scores_that_all_point_to_hard(tmp_path: Path) -> None:
    noted = read_noted(write_labels(tmp_path))
    assert noted is not None
    table = noted.correlations()
    scores = made_up().scores
    expected = stats.spearmanr(-scores["aum"], scores["el2n"]).statistic
    assert table.loc["aum", "el2n"] == pytest.approx(expected)
    assert expected > 0.5


def test_depth_is_compared_on_the_training_images_that_were_measured(tmp_path: Path) -> None:
    noted = read_noted(write_labels(tmp_path))
    assert noted is not None
    known = noted.ids[10:90]
    depth = 10 * (kinds()[10:90] != "fine")
    examples = pd.DataFrame({"id": [*known, "test-1"], "split": ["train"] * 80 + ["test"], "depth": [*depth, 3]})
    table = noted.with_depth(examples).set_index("score")
    assert table.loc["learning_error", "count"] == 80
    expected = stats.spearmanr(made_up().scores["learning_error"][10:90], depth).statistic
    assert table.loc["learning_error", "rho"] == pytest.approx(expected)
    ends = spearman_interval(expected, 80)
    assert table.loc["learning_error", ["low", "high"]].tolist() == pytest.approx(ends)
    assert noted.with_depth(examples[examples["split"] == "test"]).empty


def test_where_all_images_are_as_deep_there_is_no_correlation(tmp_path: Path) -> None:
    noted = read_noted(write_labels(tmp_path))
    assert noted is not None
    table = noted.with_depth(pd.DataFrame({"id": noted.ids, "split": "train", "depth": 0}))
    assert table[["rho", "low", "high"]].isna().all(axis=None)


@pytest.mark.parametrize(
    "name", ["labels.json", "labels.parquet", "suspects.parquet", "for_label.npy", "neighbors.npy"]
)
def test_damaged_labels_are_said(tmp_path: Path, name: str) -> None:
    run = write_labels(tmp_path)
    (run / "labels" / name).write_text("[")
    with pytest.raises(FileError, match=r"Rank the labels again: layerwise difficulty .* --label-errors --again"):
        read_labels(run)


def test_labels_of_two_rankings_are_refused(tmp_path: Path) -> None:
    run = write_labels(tmp_path)
    write_array(run / "labels" / "for_label.npy", np.zeros((14, 2)))
    with pytest.raises(FileError, match="do not belong together"):
        read_labels(run)


@pytest.mark.parametrize(
    ("name", "column", "value", "fault"),
    [
        ("labels.parquet", "suspicion", "high", "suspicion holds no numbers"),
        ("labels.parquet", "suspicion", np.nan, "suspicion holds NaN or infinity"),
        ("labels.parquet", "suggested", 4, "suggested lies outside 0 to 3"),
        ("labels.parquet", "kind", "odd", "kind holds others than the three"),
        ("suspects.parquet", "lost_at", 3, "lost_at lies outside 0 to 2"),
        ("suspects.parquet", "lost_at", "late", "lost_at holds no numbers"),
    ],
)
def test_labels_that_were_edited_are_refused_where_they_are_read(
    tmp_path: Path, name: str, column: str, value: object, fault: str
) -> None:
    path = write_labels(tmp_path) / "labels" / name
    write_table(path, read_table(path).assign(**{column: value}))
    with pytest.raises(FileError) as edited:
        read_labels(tmp_path)
    again = f"Rank the labels again: layerwise difficulty {tmp_path} --label-errors --again"
    assert str(edited.value) == f"{path} is damaged: {fault}.\n    {again}"


@pytest.mark.parametrize(
    ("name", "array", "fault"),
    [
        ("for_label", np.full((14, 3), np.nan), "it holds NaN or infinity"),
        ("for_suggested", np.full((14, 3), "x"), "it holds no numbers"),
        ("neighbor_labels", np.full((14, 8), 4), "it lies outside 0 to 3"),
        ("suspects", np.zeros((14, 2, 8, 8), np.uint8),
         "it is uint8 (14, 2, 8, 8); bytes (N, C, h, w) of 1 or 3 channels are expected"),
        ("neighbors", np.zeros((112, 8)), "it is float64 (112, 8); bytes (N, C, h, w) of 1 or 3 channels are expected"),
    ],
)  # fmt: skip
def test_evidence_that_was_edited_is_refused_where_it_is_read(
    tmp_path: Path, name: str, array: Any, fault: str
) -> None:
    path = write_labels(tmp_path) / "labels" / f"{name}.npy"
    write_array(path, array)
    with pytest.raises(FileError) as edited:
        read_labels(tmp_path)
    again = f"Rank the labels again: layerwise difficulty {tmp_path} --label-errors --again"
    assert str(edited.value) == f"{path} is damaged: {fault}.\n    {again}"


def test_dynamics_without_what_the_map_of_the_data_shows_are_refused(tmp_path: Path) -> None:
    path = write_labels(tmp_path) / "dynamics.parquet"
    write_table(path, read_table(path).drop(columns=["confidence", "correctness"]))
    with pytest.raises(FileError) as few:
        read_noted(tmp_path)
    assert str(few.value) == (f"{path} is damaged: there is no column confidence, correctness.\n    {NOTE_AGAIN}")
