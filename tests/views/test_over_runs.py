"""Depths over several runs are read whole, drawn, and reported; or refused with the way to combine them again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from layerwise.difficulty.over_runs import combine_runs
from layerwise.errors import FileError
from layerwise.plots.over_runs import plot_over_runs
from layerwise.report.page import write_report
from layerwise.runs import read_json, read_table, write_all, write_json, write_table
from layerwise.views.over_runs import OverRunsView, read_over_runs
from run_series import write_over_runs, write_series
from toy_runs import make_run


def combined(folder: Path, runs: int = 3) -> OverRunsView:
    view = read_over_runs(write_over_runs(folder, runs=runs))
    assert view is not None
    return view


def test_examples_come_from_shallow_to_deep(tmp_path: Path) -> None:
    assert read_over_runs(tmp_path) is None
    view = combined(tmp_path)
    assert (np.diff(view.in_order()["depth"]) >= 0).all()
    assert (view.runs, view.taps) == (3, ("input", "layer1", "softmax"))
    reached = view.reliability_by_runs("depth", 3)
    table = view.reliabilities().set_index("name")
    assert reached[[0, 2]].tolist() == pytest.approx(table.loc["depth", ["one_run", "mean"]].tolist())


def test_the_picture_shows_every_image_and_the_reliability_of_each_score(tmp_path: Path) -> None:
    view = combined(tmp_path)
    left, right = plot_over_runs(view).axes
    assert len(left.lines[0].get_ydata()) == (view.examples["depth"] > 0).sum()
    assert [text.get_text() for text in right.get_legend().get_texts()] == [  # type: ignore[union-attr]
        "prediction depth", "soft depth", "area under the margin", "error norm, early",
    ]  # fmt: skip


@pytest.mark.slow
def test_the_report_says_how_many_runs_are_enough(tmp_path: Path) -> None:
    combined(make_run(tmp_path))
    page = write_report(tmp_path).read_text()
    assert "How far one run can be trusted" in page
    assert "runs make it 0.9." in page
    assert (tmp_path / "figures" / "over-runs.svg").exists()


def test_files_that_are_damaged_or_do_not_belong_together_are_said(tmp_path: Path) -> None:
    view = combined(tmp_path)
    again = f"    Combine the runs again: layerwise difficulty {tmp_path} --with RUN2 --again"
    write_json(tmp_path / "over_runs.json", {**view.facts, "taps": ["input"]})
    with pytest.raises(FileError) as apart:
        read_over_runs(tmp_path)
    assert str(apart.value) == (f"over_runs.json and over_runs.parquet in {tmp_path} do not belong together.\n{again}")
    (tmp_path / "over_runs.parquet").unlink()
    with pytest.raises(FileError) as missing:
        read_over_runs(tmp_path)
    assert str(missing.value) == f"no file {tmp_path / 'over_runs.parquet'}.\n{again}"


ROW = {"name": "depth", "one_run": 0.5, "mean": 0.7, "half_width": 0.2, "runs_needed": 9}
NOT_AS_WRITTEN = "reliability is not as it was written"


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"reliability": "high"}, NOT_AS_WRITTEN),
        ({"reliability": [ROW, "soft_depth"]}, NOT_AS_WRITTEN),
        ({"reliability": [{**ROW, "one_run": "high"}]}, NOT_AS_WRITTEN),
        ({"reliability": [{**ROW, "mean": 2.0}]}, NOT_AS_WRITTEN),
        ({"reliability": [{**ROW, "runs_needed": "many"}]}, NOT_AS_WRITTEN),
        ({"reliability": [{**ROW, "half_width": None}]}, NOT_AS_WRITTEN),
        ({"reliability": [{**ROW, "name": ["depth"]}]}, NOT_AS_WRITTEN),
        ({"reliability": [{"name": "depth"}]}, NOT_AS_WRITTEN),
        ({"reliability": [{**ROW, "name": "aum"}]}, "reliability lacks depth"),
        ({"runs": 3, "taps": ["input", 1]}, "runs is no list of names; taps is no list of names"),
        ({"enough": "0.9", "left_out": 1.5}, "enough is no share; left_out is no count"),
    ],
)
def test_facts_that_were_edited_are_refused_where_they_are_read(
    tmp_path: Path, change: dict[str, Any], fault: str
) -> None:
    path = write_over_runs(tmp_path) / "over_runs.json"
    write_json(path, read_json(path) | change)
    with pytest.raises(FileError) as edited:
        read_over_runs(tmp_path)
    assert str(edited.value) == (
        f"{path} is damaged: {fault}.\n    Combine the runs again: layerwise difficulty {tmp_path} --with RUN2 --again"
    )


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (lambda table: table.assign(depth="deep"), "depth holds no numbers"),
        (lambda table: table.assign(depth_low=np.nan), "depth_low holds NaN or infinity"),
        (lambda table: table.assign(correct=2.0), "correct lies outside 0 to 1"),
        (lambda table: table.assign(unresolved=-1), "unresolved lies outside 0 and above"),
        (lambda table: table.drop(columns="split"), "there is no column split"),
        (lambda table: table.head(0), "there is no row"),
    ],
)
def test_tables_that_were_edited_are_refused_where_they_are_read(
    tmp_path: Path, change: Callable[[pd.DataFrame], pd.DataFrame], fault: str
) -> None:
    path = write_over_runs(tmp_path) / "over_runs.parquet"
    write_table(path, change(read_table(path)))
    with pytest.raises(FileError) as edited:
        read_over_runs(tmp_path)
    assert str(edited.value) == (
        f"{path} is damaged: {fault}.\n    Combine the runs again: layerwise difficulty {tmp_path} --with RUN2 --again"
    )


@pytest.mark.slow
def test_runs_that_give_all_examples_one_depth_have_no_reliability_and_are_shown(tmp_path: Path) -> None:
    runs = write_series(tmp_path / "series", 2, noted=False)
    for run in runs:
        table = read_table(run / "examples.parquet")
        write_table(run / "examples.parquet", table.assign(depth=0, soft_depth=0.0))
    found = combine_runs(runs)
    make_run(tmp_path)
    write_all(tmp_path, {"over_runs.json": found.facts(), "over_runs.parquet": found.table()})
    view = read_over_runs(tmp_path)
    assert view is not None
    assert np.isnan(view.reliability_by_runs("depth", 2)).all()
    assert "is reliable to –, the mean of 2 runs to –" in write_report(tmp_path).read_text()
