"""A measurement in a run folder: written, read back, and enough for every later reader."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from layerwise.arrays.depth import prediction_depth
from layerwise.arrays.intervals import wilson_interval
from layerwise.data.images import ImageData
from layerwise.difficulty.depths import Depths
from layerwise.difficulty.folder import (
    WHOLE_ONLY,
    check_not_measured,
    load_depths,
    load_difficulty,
    save_depths,
    save_difficulty,
)
from layerwise.difficulty.measuring import measure_difficulty
from layerwise.difficulty.result import Difficulty
from layerwise.difficulty.settings import ProbeSettings
from layerwise.errors import InputError, RunError
from layerwise.recording.activations import Activations
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


def test_a_folder_may_be_given_as_a_string(tmp_path: Path, data: ImageData, measured: Difficulty) -> None:
    run = str(tmp_path / "run")
    save_difficulty(run, measured, data.train, data)
    assert load_difficulty(run).depth.tolist() == measured.depth.tolist()
    assert read_run(run).splits == ("train", "test")
    save_depths(run, measured.depths)
    assert load_depths(run).depth.tolist() == measured.depth.tolist()


def test_activations_are_kept_in_folders_that_are_given_as_strings(tmp_path: Path, data: ImageData) -> None:
    net = nn.Sequential(nn.Flatten(), nn.Linear(9, 3))
    settings = ProbeSettings(k=5, keep=str(tmp_path / "kept"), cache=str(tmp_path / "cache"))
    measured = measure_difficulty(net, data.train, data, settings=settings, partial=str(tmp_path / "partial"))
    kept = next((tmp_path / "kept").iterdir())
    Activations.load(str(kept)).save(str(tmp_path / "copy"))
    assert len(Activations.load(str(tmp_path / "copy")).labels) in (40, len(measured))


def test_a_measurement_is_shown_in_few_words(measured: Difficulty) -> None:
    counted = "60 examples: 20 test, 40 train; 5 taps, 3 classes"
    assert repr(measured) == f"Difficulty({counted}, k = 5, agree_with = 'prediction')"
    assert repr(measured.depths) == f"Depths({counted}, agree_with = 'prediction')"


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


@pytest.fixture
def depths(data: ImageData, measured: Difficulty) -> Depths:
    found = measured.depths
    asked = np.arange(1, len(found.taps) + 1)
    return replace(found, asked=asked, provenance={**measured.provenance, "depths_only": True})


def test_depths_are_loaded_as_they_were_saved(tmp_path: Path, depths: Depths) -> None:
    more = pd.DataFrame({"name": [tap.name for tap in depths.taps], "macs": 7, "shape": "of nobody's interest"})
    save_depths(tmp_path, depths, taps=more, facts={"split": "all"})
    loaded = load_depths(tmp_path)
    pd.testing.assert_frame_equal(loaded.table(), depths.table(), check_dtype=False)
    pd.testing.assert_frame_equal(loaded.tap_table(), depths.tap_table())
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "examples.parquet", "logits.npy", "run.json", "taps.parquet",
    ]  # fmt: skip
    assert list(pd.read_parquet(tmp_path / "taps.parquet").columns) == [
        "order", "name", "shape", "features", "asked", "macs",
    ]  # fmt: skip


def test_depths_of_a_whole_measurement_can_be_loaded_alone(
    tmp_path: Path, data: ImageData, measured: Difficulty
) -> None:
    save_difficulty(tmp_path, measured, data.train, data)
    loaded = load_depths(tmp_path)
    pd.testing.assert_frame_equal(loaded.table(), measured.table().drop(columns="soft_depth"), check_dtype=False)
    assert loaded.asked.tolist() == [60] * 5


def test_depths_alone_leave_nothing_of_the_whole_measurement_before(
    tmp_path: Path, data: ImageData, measured: Difficulty, depths: Depths
) -> None:
    save_difficulty(tmp_path, measured, data.train, data)
    save_depths(tmp_path, depths)
    assert not {path.name for path in tmp_path.iterdir()} & set(WHOLE_ONLY)


def test_a_folder_of_depths_alone_says_how_to_measure_all(tmp_path: Path, depths: Depths) -> None:
    save_depths(tmp_path, depths)
    with pytest.raises(RunError) as caught:
        load_difficulty(tmp_path)
    assert str(caught.value) == (
        f"{tmp_path} holds depths only, without votes and neighbours.\n"
        f"    Measure all of it: layerwise difficulty {tmp_path} --again. Or read the depths: load_depths."
    )
    with pytest.raises(RunError) as caught:
        read_run(tmp_path)
    assert str(caught.value) == (
        f"{tmp_path} holds depths only, without the votes and the pictures that are shown.\n"
        f"    Measure all of it: layerwise difficulty {tmp_path} --again"
    )
