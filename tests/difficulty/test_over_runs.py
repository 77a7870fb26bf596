"""Several runs: means and intervals of the same examples, how many runs are enough, and what cannot be combined."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import stats

from layerwise.arrays.soft_depth import depth_over_runs, runs_needed
from layerwise.difficulty.over_runs import combine_runs
from layerwise.errors import FileError, NotEnoughExamplesError, RunError
from layerwise.runs import note_step, read_table, write_table
from run_series import COUNT, EPOCHS, TAPS, write_member, write_series


def test_means_and_intervals_are_those_of_each_example(tmp_path: Path) -> None:
    runs = write_series(tmp_path)
    found = combine_runs(runs)
    depths = np.stack([read_table(run / "examples.parquet")["depth"] for run in runs])
    table = found.table()
    assert_allclose(table["depth"], depths.mean(axis=0))
    spread = depths[:, 7].std(ddof=1) / 3**0.5 * stats.t.ppf(0.975, 2)
    assert table["depth_high"][7] == pytest.approx(min(depths[:, 7].mean() + spread, 3.0))
    assert (table["depth_low"] >= 0).all()
    assert (table["depth_high"] <= len(TAPS)).all()
    assert_array_equal(table["unresolved"], (depths == 3).sum(axis=0))
    assert_allclose(table["correct"], (depths < 2).mean(axis=0))
    assert found.left_out == 0
    assert table.columns[-3:].tolist() == ["soft_depth", "soft_depth_low", "soft_depth_high"]


def test_reliability_says_how_many_runs_are_enough(tmp_path: Path) -> None:
    runs = write_series(tmp_path, 4)
    table = combine_runs(runs).reliabilities().set_index("name")
    depths = np.stack([read_table(run / "examples.parquet")["soft_depth"] for run in runs])
    one = depth_over_runs(depths).reliability
    assert table.loc["soft_depth", "one_run"] == one
    assert table.loc["soft_depth", "mean"] == pytest.approx(4 * one / (1 + 3 * one))
    assert table.loc["soft_depth", "runs_needed"] == runs_needed(one, of_mean=0.9)
    assert table.index.tolist() == ["depth", "soft_depth", "aum", "el2n"]


def test_scores_of_training_have_error_bars_where_all_runs_noted_them(tmp_path: Path) -> None:
    runs = write_series(tmp_path)
    scores = combine_runs(runs).scores
    assert scores is not None
    table = scores.table()
    assert table.columns.tolist() == ["id", "label", "aum", "aum_low", "aum_high", "el2n", "el2n_low", "el2n_high"]
    noted = np.stack([read_table(run / "dynamics.parquet")["el2n"] for run in runs])
    assert_allclose(table["el2n"], noted.mean(axis=0))
    assert (scores.epochs, len(table)) == (EPOCHS, COUNT)
    (runs[1] / "dynamics.parquet").unlink()
    assert combine_runs(runs).scores is None


def test_depths_alone_have_no_soft_depth(tmp_path: Path) -> None:
    runs = [write_member(tmp_path / "a", 0), write_member(tmp_path / "b", 1, soft=False)]
    found = combine_runs(runs)
    assert found.soft_depth is None
    assert "soft_depth" not in found.table()


def test_examples_are_matched_by_name_and_those_of_some_runs_are_left_out(tmp_path: Path) -> None:
    whole, other = write_series(tmp_path, 2)
    table = read_table(other / "examples.parquet")
    write_table(other / "examples.parquet", table.iloc[::-1].head(20))
    found = combine_runs([whole, other])
    assert (len(found), found.left_out) == (20, 40)
    depths = [read_table(whole / "examples.parquet")["depth"][40:], table["depth"][40:]]
    assert_allclose(found.table()["depth"], np.mean(depths, axis=0))


def test_fewer_than_two_runs_or_common_examples_are_refused(tmp_path: Path) -> None:
    one, other = write_series(tmp_path, 2)
    with pytest.raises(NotEnoughExamplesError) as few:
        combine_runs([one])
    assert str(few.value) == (
        "depth over runs needs at least two runs; got 1.\n"
        "    Train the network again with another seed, and measure it."
    )
    table = read_table(other / "examples.parquet")
    write_table(other / "examples.parquet", table.assign(split="train"))
    with pytest.raises(NotEnoughExamplesError) as none:
        combine_runs([one, other])
    assert str(none.value) == (
        "0 of 60 examples were measured by all of these runs, in the same split; two are needed.\n"
        "    A seed that draws or splits the images belongs into their spec, and --seed then to the network alone:\n"
        '    layerwise train MODEL "digits?seed=0" -o RUN --seed 1 --validation 0'
    )


def test_runs_of_other_images_taps_or_settings_are_refused_all_at_once(tmp_path: Path) -> None:
    one = write_member(tmp_path / "a", 0)
    other = write_member(
        tmp_path / "b", 1, data_fingerprint="beef", data="digits", k=5, taps=["input", "a", "b", "c", "softmax"]
    )
    with pytest.raises(RunError) as differs:
        combine_runs([one, other, write_member(tmp_path / "c", 0)])
    assert str(differs.value) == (
        f"these runs cannot be combined with {one} (there → expected):\n"
        f"    - {other} is of other images (digits → toys)\n"
        f"    - {other} has other taps (input, a, …, softmax: 5 → input, layer1, softmax: 3)\n"
        f"    - {other} has another k (5 → 30)\n"
        f"    - {tmp_path / 'c'} is the same network as {one}, which says nothing of other seeds\n"
        "    Measure them alike: layerwise difficulty RUN --taps … --again\n"
        "    A seed that draws or splits the images belongs into their spec, and --seed then to the network alone:\n"
        '    layerwise train MODEL "digits?seed=0" -o RUN --seed 1 --validation 0'
    )


def test_a_run_named_twice_or_not_measured_is_refused(tmp_path: Path) -> None:
    one = write_member(tmp_path / "a", 0)
    with pytest.raises(RunError) as twice:
        combine_runs([one, tmp_path / "x" / ".." / "a"])
    assert str(twice.value) == (
        f"{tmp_path / 'x' / '..' / 'a'} is named twice.\n    Name each run once: every one is to be of another seed."
    )
    with pytest.raises(RunError) as none:
        combine_runs([one, tmp_path / "b"])
    assert str(none.value) == (
        f"nothing measured in {tmp_path / 'b'}.\n    Measure it first: layerwise difficulty {tmp_path / 'b'}"
    )


def test_where_runs_agree_by_chance_alone_no_number_is_enough(tmp_path: Path) -> None:
    one, other = write_series(tmp_path, 2, noted=False)
    table = read_table(one / "examples.parquet")
    write_table(other / "examples.parquet", table.assign(depth=3 - table["depth"]))
    rows = combine_runs([one, other]).reliabilities().set_index("name")
    assert rows.loc["depth", "one_run"] == 0.0
    assert rows.loc["depth", "runs_needed"] is pd.NA


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (lambda table: table.assign(depth="deep"), "depth holds no numbers"),
        (lambda table: table.assign(soft_depth=np.nan), "soft_depth holds NaN or infinity"),
        (lambda table: table.assign(depth=4), "depth lies outside 0 to 3"),
        (lambda table: table.assign(correct="yes", resolved=0.5),
         "correct holds no numbers; resolved holds fractions; whole numbers are expected"),
        (lambda table: table.drop(columns="split"), "there is no column split"),
        (lambda table: table.assign(id="test-000"), "an id comes twice in a split"),
    ],
)  # fmt: skip
def test_examples_that_were_edited_are_refused_with_the_run(
    tmp_path: Path, change: Callable[[pd.DataFrame], pd.DataFrame], fault: str
) -> None:
    one, other = write_series(tmp_path, 2)
    write_table(other / "examples.parquet", change(read_table(other / "examples.parquet")))
    with pytest.raises(FileError) as edited:
        combine_runs([one, other])
    assert str(edited.value) == (
        f"{other / 'examples.parquet'} is damaged: {fault}.\n    Measure it again: layerwise difficulty {other} --again"
    )


def test_a_run_that_does_not_say_its_taps_is_refused(tmp_path: Path) -> None:
    one, other = write_series(tmp_path, 2)
    note_step(other, "difficulty", {"k": 30})
    with pytest.raises(FileError) as silent:
        combine_runs([one, other])
    assert str(silent.value) == (
        f"{other / 'run.json'} does not say which taps were measured.\n"
        f"    Measure it again: layerwise difficulty {other} --again"
    )
