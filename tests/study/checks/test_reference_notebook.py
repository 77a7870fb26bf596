"""Set up as the reference notebook was (defects R5 to R10 of its review), each of its defects is found by a check."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy import ndimage
from torch import nn
from torch.nn import functional

from check_files import made_up, named, with_network
from layerwise.data.images import ImageData
from layerwise.study.checks import check_after
from layerwise.study.checks.before import check_independence, check_one_image, check_reported
from layerwise.study.checks.data import check_data
from layerwise.study.engines.loop import run_in_loop
from layerwise.study.store import table_of
from layerwise.study.trials import Record, Trial, run_trial, trial_data
from layerwise.study.tuning import Tuned
from study_files import small

SQUEEZING = """
from torch import nn

class Squeezing(nn.Module):
    def __init__(self, num_classes, in_channels):
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(in_channels, num_classes, 3), nn.AdaptiveAvgPool2d(1))

    def forward(self, images):
        return self.body(images).squeeze()
"""


def stripes(*, exclusive: bool, clipped: bool, count: int = 1500) -> ImageData:
    """Horizontal, vertical and turned stripes, drawn as in the notebook."""
    draw = np.random.RandomState(10)
    pixels = np.empty((count, 1, 28, 28), np.uint8)
    for row, image in enumerate(pixels[:, 0]):
        background, width = draw.uniform(0, 0.2), draw.randint(1, 5)
        grey = np.full((28, 28), background)
        place = draw.randint(0, 28 - width + (not exclusive))
        grey[place : place + width] = draw.uniform(0.25, 1)
        if row % 3 == 1:
            grey = grey.T
        if row % 3 == 2:
            angle = draw.choice([30, 45, 120, 135])
            grey = ndimage.rotate(grey, angle, reshape=False, order=3, mode="constant", cval=background)
        grey = np.clip(grey, 0, 1) if clipped else grey
        image[:] = (grey * 255).astype(np.int64).astype(np.uint8)
    return ImageData.create(pixels, np.arange(count) % 3, class_names=["horizontal", "vertical", "diagonal"])


def test_r5_losses_summed_over_batch_means_and_divided_by_the_number_of_images_are_found() -> None:
    study = replace(small(), seeds=1, contenders=small().contenders[:1], comparisons=())
    record = run_trial(Trial(study.cells[0], 0))
    name = "losses are means over images"
    assert named(check_after(study, table_of([record]), []), name).fine
    batches = 1 / 6  # a batch's mean is its sum over six, and is counted once
    wrong = replace(
        record,
        measures={key: value * (batches if "loss" in key else 1) for key, value in record.measures.items()},
        series={key: value * (batches if "loss" in key else 1) for key, value in record.series.items()},
    )
    found = named(check_after(study, table_of([wrong]), []), name)
    assert not found.fine
    assert found.saw.count("is below its least") == 3
    assert "divide by their number" in found.do


def test_r6_one_generator_for_all_networks_is_found() -> None:
    def notebook(trials: Sequence[Trial]) -> Iterator[Record]:
        torch.manual_seed(10)
        for trial in trials:
            data = trial_data(trial).train
            model = nn.Linear(64, data.num_classes)
            losses = [
                functional.cross_entropy(
                    model(torch.from_numpy(data.batch(slice(int(row), int(row) + 1))).flatten(1)),
                    torch.from_numpy(data.labels[row : row + 1]),
                ).item()
                for row in torch.randperm(len(data))
            ]
            yield Record(trial.cell.address, trial.block, "done", measures={"train_loss": losses[-1]})

    with torch.random.fork_rng(devices=[]):
        found = check_independence(small(), notebook)
    assert not found.fine
    assert found.saw == "two-layer-mlp?side=8 alone and after simple-cnn?kernel=3: train_loss differ"
    assert "generators of its own" in found.do
    assert check_independence(small(), run_in_loop).fine


def test_r7_turned_stripes_whose_overshoot_wrapped_round_in_bytes_are_found() -> None:
    found = named(check_data(stripes(exclusive=False, clipped=False)), "no specks")
    assert not found.fine
    assert "images of diagonal have lone black or white pixels" in found.saw
    assert found.do == "clip values to the range before they become bytes"
    assert named(check_data(stripes(exclusive=False, clipped=True)), "no specks").fine


def test_r8_stripes_kept_off_the_last_row_and_column_by_an_exclusive_bound_are_found() -> None:
    found = named(check_data(stripes(exclusive=True, clipped=True)), "drawn up to the borders")
    assert not found.fine
    assert found.saw.startswith("the last row and column is never drawn on in 1500 images, the first")
    assert named(check_data(stripes(exclusive=False, clipped=True)), "drawn up to the borders").fine


def test_r9_a_squeeze_that_breaks_on_a_last_batch_of_one_image_is_found(tmp_path: Path) -> None:
    file = tmp_path / "net.py"
    file.write_text(SQUEEZING)
    study = with_network(small(("batch_size = 6", "batch_size = 11")), f"{file}:Squeezing")
    found = check_one_image(study, {cell.data_spec: trial_data(Trial(cell, 0)) for cell in study.cells})
    assert not found.fine
    assert "Squeezing gives (3,) for one image, not (1, 3); a last batch of one image in" in found.saw


def test_r10_stopping_by_the_validation_loss_and_reporting_validation_accuracy_is_found() -> None:
    early = ("training.epochs = 2", "training.epochs = 2\ntraining.early_stop = 1")
    reported = ("seeds = 3", 'seeds = 3\nmeasure = "validation_accuracy"')
    found = check_reported(small(early, reported))
    assert not found.fine
    assert found.saw == "validation_accuracy is reported of all cells, stopped early by the validation loss"
    assert check_reported(small(early)).fine
    assert check_reported(small(reported)).fine


@pytest.mark.parametrize("by", ["validation_accuracy", "validation_loss"])
def test_r10_hyperparameters_chosen_on_the_split_that_is_reported_are_found(by: str) -> None:
    study = small(("seeds = 3", 'seeds = 3\nmeasure = "validation_accuracy"'))
    tuned = replace(study, contenders=(Tuned({}, study.cells, by),), comparisons=())
    found = check_reported(tuned)
    assert (found.fine, found.saw) == (
        False, f"validation_accuracy is reported, and hyperparameters are chosen by {by}"
    )  # fmt: skip
    assert check_reported(replace(tuned, measure="test_accuracy")).fine


def test_the_checks_see_nothing_of_this_in_good_records() -> None:
    assert all(one.fine for one in check_after(small(), made_up(small()), []))
