"""A measurement in a run folder: written, read back, and enough for every later reader."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from layerwise.arrays.depth import prediction_depth
from layerwise.arrays.intervals import wilson_interval
from layerwise.data.images import ImageData
from layerwise.difficulty.folder import check_not_measured, load_difficulty, save_difficulty
from layerwise.difficulty.measuring import measure_difficulty
from layerwise.difficulty.result import Difficulty
from layerwise.errors import InputError, RunError
from layerwise.views.run import read_run


@pytest.fixture
def data() -> ImageData:
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, size=(60, 1, 3, 3)).astype(np.uint8)
    splits = np.where(np.arange(60) < 40, "train", "test")
    return ImageData.create(images, rng.integers(0, 3, 60), splits=splits, factors={"size": rng.random(60)})


@pytest.fixture
def measured(data: ImageData) -> Difficulty:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        net = nn.Sequential(nn.Flatten(), nn.Linear(9, 8), nn.ReLU(), nn.Linear(8, 3))
    return measure_difficulty(net, data.train, data, k=5)


def test_what_is_saved_is_loaded_and_can_be_viewed(tmp_path: Path, data: ImageData, measured: Difficulty) -> None:
    save_difficulty(tmp_path, measured, data.train, data)
    loaded = load_difficulty(tmp_path)
    pd.testing.assert_frame_equal(loaded.table(), measured.table(), check_dtype=False)
    assert loaded.taps == measured.taps
    assert loaded.votes.tolist() == measured.votes.tolist()
    assert read_run(tmp_path).splits == ("train", "test")


def test_the_table_has_a_row_for_each_example_and_says_what_is_unresolved(measured: Difficulty) -> None:
    table = measured.table()
    assert len(table) == 60
    assert (table["resolved"] == (table["depth"] < len(measured.taps))).all()
    assert table["factor_size"].between(0, 1).all()
    assert (table["correct"] == (table["prediction"] == table["label"])).all()
    np.testing.assert_allclose(
        table["confidence"], torch.from_numpy(measured.logits).softmax(dim=1).amax(dim=1), rtol=1e-5
    )


def test_the_taps_table_has_probe_accuracy_with_its_interval_by_split(measured: Difficulty) -> None:
    table, here = measured.tap_table(), measured.splits == "test"
    right = (measured.votes[here, 0] == measured.labels[here]).sum()
    low, high = wilson_interval(right, here.sum())
    assert table.loc[0, "probe_accuracy_test"] == right / 20
    assert (table.loc[0, "probe_accuracy_low_test"], table.loc[0, "probe_accuracy_high_test"]) == (low, high)
    assert table["shape"].tolist() == ["1×3×3", "9", "8", "8", "3"]


def test_another_reference_needs_no_new_measurement(measured: Difficulty) -> None:
    by_label = measured.compared_with("label")
    assert by_label.depth.tolist() == prediction_depth(measured.labels == measured.votes.T).tolist()
    assert by_label.neighbors is measured.neighbors
    with pytest.raises(InputError, match="is no reference class"):
        measured.compared_with("labels")  # type: ignore[arg-type]


def test_a_second_measurement_is_refused_before_it_starts(
    tmp_path: Path, data: ImageData, measured: Difficulty
) -> None:
    check_not_measured(tmp_path)
    save_difficulty(tmp_path, measured, data.train, data)
    with pytest.raises(RunError, match="holds a measurement of difficulty already"):
        check_not_measured(tmp_path)


def test_a_folder_without_a_measurement_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=f"Measure it first: layerwise difficulty {tmp_path}"):
        load_difficulty(tmp_path)
