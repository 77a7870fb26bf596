"""Depths over several runs are read whole, drawn, and reported; or refused with the way to combine them again."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from layerwise.errors import FileError
from layerwise.plots.over_runs import plot_over_runs
from layerwise.report.page import write_report
from layerwise.runs import write_json
from layerwise.views.over_runs import OverRunsView, read_over_runs
from run_series import write_over_runs
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
