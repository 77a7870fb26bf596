"""What a run knows about early exit: read whole or refused, and prediction depth against the exit taken."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from exit_files import write_exits
from layerwise.errors import FileError
from layerwise.runs import read_json, write_json, write_table
from layerwise.views.exits import depth_by_exit, depth_exit_correlation, distrust_of_times, read_exits
from layerwise.views.run import read_run
from toy_runs import make_run


def test_a_run_without_exits_has_none(tmp_path: Path) -> None:
    assert read_exits(make_run(tmp_path)) is None
    assert read_run(tmp_path).exits is None


def test_exits_are_read_with_and_without_a_budget(tmp_path: Path) -> None:
    run = write_exits(make_run(tmp_path), budget=False)
    exits = read_run(run).exits
    assert exits is not None
    assert exits.names == ("layer1", "layer2", "softmax")
    assert exits.budget is None
    write_exits(run)
    exits = read_exits(run)
    assert exits is not None
    assert exits.left is not None
    assert len(exits.left) == 160


def test_depths_by_exit_are_means_over_the_examples_that_leave_there() -> None:
    left = pd.DataFrame({"id": ["a", "b", "c", "d"], "exit": [0, 0, 2, 2]})
    examples = pd.DataFrame({"id": ["d", "c", "b", "a", "e"], "depth": [9, 7, 2, 1, 5]})
    table = depth_by_exit(left, examples, ("one", "two", "softmax"))
    assert table["count"].tolist() == [2, 0, 2]
    assert table["mean"].tolist()[::2] == [1.5, 8.0]
    rho, low, high = depth_exit_correlation(left, examples)
    assert rho == pytest.approx(stats.spearmanr([1, 2, 7, 9], [0, 0, 2, 2]).statistic)
    assert low <= rho <= high


def test_where_all_leave_at_one_exit_there_is_no_correlation() -> None:
    left = pd.DataFrame({"id": ["a", "b"], "exit": [1, 1]})
    assert np.isnan(depth_exit_correlation(left, pd.DataFrame({"id": ["a", "b"], "depth": [1, 2]}))).all()


@pytest.mark.parametrize("name", ["summary.json", "curve.parquet", "budget.json", "left.parquet"])
def test_a_damaged_file_is_named(tmp_path: Path, name: str) -> None:
    run = write_exits(make_run(tmp_path))
    (run / "exits" / name).write_text("{}")
    with pytest.raises(FileError, match=name):
        read_exits(run)


def times(batch_sizes: list[int], **parts: list[Any]) -> dict[str, list[Any]]:
    return {"batch_sizes": batch_sizes, "segments": [], "heads": [], "plain": [], **parts}


@pytest.mark.parametrize(
    ("edit", "fault"),
    [
        ({"exits": None}, "exits is null, not a list"),
        ({"exits": []}, "it names no exits"),
        ({"exits": [{}]}, "exits.0 has no exit, accuracy, network_macs, head_macs"),
        ({"times": times([])}, "it holds no times"),
        ({"times": times([1], segments=[[1.0]])}, "times are not those of 1 batch sizes"),
        ({"times": times([1], segments=[[1.0]], heads=[[]], plain=[1.0])}, "times are not those of 3 exits"),
        ({"comparisons": [1]}, "comparisons.0 is a whole number, not an object"),
        ({"smaller": [{"name": "half", "macs": 3, "accuracy": 0.5, "seconds": {}}]}, "half has no time at 64 images"),
    ],
)  # fmt: skip
def test_a_summary_that_is_not_as_it_was_written_is_said(tmp_path: Path, edit: dict[str, object], fault: str) -> None:
    run = write_exits(make_run(tmp_path / "run"))
    path = run / "exits" / "summary.json"
    write_json(path, read_json(path) | edit)
    with pytest.raises(FileError) as caught:
        read_exits(run)
    assert str(caught.value) == f"{path} is damaged: {fault}.\n    Again: layerwise exits evaluate {run}"


def test_a_budget_of_another_evaluation_is_said(tmp_path: Path) -> None:
    run = write_exits(make_run(tmp_path / "run"))
    path = run / "exits" / "budget.json"
    write_json(path, read_json(path) | {"ms": {"1": {"exits": 1.0, "plain": 2.0}}})
    with pytest.raises(
        FileError, match=r"ms has no 64, the batch size of summary\.json\.\n    Again: layerwise exits budget"
    ):
        read_exits(run)


@pytest.mark.parametrize(
    ("edit", "fault"),
    [
        ({"exit": 3}, "exit lies outside 0 to 2"),
        ({"exit": "softmax"}, "exit holds no numbers"),
        ({"id": None}, "there is no column id"),
    ],
)
def test_examples_that_leave_where_there_is_no_exit_are_refused(
    tmp_path: Path, edit: dict[str, object], fault: str
) -> None:
    run = write_exits(make_run(tmp_path))
    left = pd.read_parquet(run / "exits" / "left.parquet").assign(**edit)
    write_table(run / "exits" / "left.parquet", left.dropna(axis="columns"))
    with pytest.raises(FileError) as caught:
        read_exits(run)
    assert str(caught.value) == (
        f"{run}/exits/left.parquet is damaged: {fault}.\n    Again: layerwise exits budget {run}"
    )


def test_times_are_trusted_where_the_parts_take_what_the_whole_does() -> None:
    times = {"batch_sizes": [1, 64], "segments": [[0.5, 0.7], [2.0, 3.0]], "plain": [1.0, 4.0]}
    assert distrust_of_times(times, "runs/a") == ""
    assert distrust_of_times({**times, "plain": [1.0, 3.9]}, "runs/a") == (
        "Times are not to be trusted: the parts of the network take 5e+03 ms together, the whole 3.9e+03 ms, in "
        "batches of 64; the machine was busy. Measure again on a quiet one: layerwise exits evaluate runs/a"
    )


def test_of_several_batch_sizes_the_worst_is_told() -> None:
    times = {"batch_sizes": [1, 64], "segments": [[0.000064], [0.003]], "plain": [0.000387, 0.001]}
    assert "0.064 ms together, the whole 0.387 ms, in batches of 1;" in distrust_of_times(times, "r")
