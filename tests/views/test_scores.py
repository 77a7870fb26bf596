"""Neighbours at each tap stand beside the scores of training, and what is missing is left out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from layerwise.arrays.score_catalog import hardness
from layerwise.plots.labels import plot_scores_by_tap
from layerwise.report.page import write_report
from layerwise.runs import write_array
from layerwise.training.dynamics_log import DynamicsLog
from layerwise.views.run import RunView, read_run
from layerwise.views.scores import label_disagreement, scores_by_tap
from toy_runs import RESNET18, make_run


def noted_run(path: Path, *, noted: bool = True, split: str = "train") -> RunView:
    make_run(path, split_counts={split: 40, "test": 30})
    if noted:
        view, generator = read_run(path), np.random.default_rng(0)
        rows = view.rows(split)
        log = DynamicsLog(len(rows), 6)
        labels = view.examples["label"].to_numpy(copy=True)[rows]
        for _ in range(4):
            log.update(np.arange(len(rows)), generator.normal(size=(len(rows), 6)), labels)
        log.result().save(path, view.examples["id"].iloc[rows].to_numpy(str))
    return read_run(path)


def test_disagreement_is_the_share_of_neighbours_with_another_label(tmp_path: Path) -> None:
    view = noted_run(tmp_path)
    assert view.neighbors is not None
    assert view.base is not None
    found = label_disagreement(view)
    assert found.shape == (70, len(RESNET18))
    labels = view.base["label"].to_numpy()[view.neighbors[13, 4]]
    assert found[13, 4] == (labels != view.examples["label"][13]).mean()


def test_every_score_is_correlated_with_the_neighbours_at_every_tap(tmp_path: Path) -> None:
    view = noted_run(tmp_path)
    table = scores_by_tap(view)
    assert view.noted is not None
    assert table["score"].unique().tolist() == [*view.noted.scores, "depth"]
    assert table["tap"].unique().tolist() == list(RESNET18)
    away, rows = label_disagreement(view), view.rows("train")
    aum = hardness("aum", view.noted.dynamics.scores["aum"])
    one = table[(table["score"] == "aum") & (table["tap"] == "layer2")].iloc[0]
    assert one["rho"] == pytest.approx(stats.spearmanr(aum, away[rows, 6]).statistic)
    assert one["count"] == 40


def test_there_are_none_without_training_images_notes_or_neighbours(tmp_path: Path) -> None:
    assert scores_by_tap(noted_run(tmp_path / "a", noted=False)).empty
    assert scores_by_tap(noted_run(tmp_path / "b", split="validation")).empty
    noted_run(tmp_path / "c")
    for name in ("neighbors.npy", "base.parquet", "base_thumbnails.npy"):
        (tmp_path / "c" / name).unlink()
    view = read_run(tmp_path / "c")
    assert label_disagreement(view).shape == (0, len(RESNET18))
    assert scores_by_tap(view).empty


def test_where_all_neighbours_agree_there_is_no_rank_and_a_dash(tmp_path: Path) -> None:
    view = noted_run(tmp_path)
    assert view.neighbors is not None
    assert view.base is not None
    alike = np.array(view.neighbors)
    own = [int(np.flatnonzero(view.base["label"] == label)[0]) for label in view.examples["label"]]
    alike[:, 0] = np.array(own)[:, None]
    write_array(tmp_path / "neighbors.npy", alike)
    table = scores_by_tap(read_run(tmp_path))
    assert table.loc[table["tap"] == "input", "rho"].isna().all()
    ax = plot_scores_by_tap(table)
    assert [text.get_text() for text in ax.texts][:: len(RESNET18)] == ["–"] * 14


@pytest.mark.slow
def test_the_report_shows_them(tmp_path: Path) -> None:
    noted_run(tmp_path)
    assert "the share of an image's neighbours that have another label" in write_report(tmp_path).read_text()
    assert (tmp_path / "figures" / "scores-by-tap.svg").exists()


def test_the_measurement_has_them_too() -> None:
    import layerwise as lw

    data = lw.load_data("digits?limit=60")
    measured = lw.measure_difficulty(lw.load_model("resnet8", num_classes=10, in_channels=1), data.train, k=5)
    labels = pd.Series(measured.base_labels)
    expected = (labels.to_numpy()[measured.neighbors[:, 2]] != measured.labels[:, None]).mean(axis=1)
    np.testing.assert_array_equal(measured.knn_disagreement[:, 2], expected)
