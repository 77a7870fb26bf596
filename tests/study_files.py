"""A small study that trains in seconds, changes of its text, and results that nobody trained."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from layerwise.arrays.calibration import BINS
from layerwise.errors import InputError
from layerwise.seeds import stream
from layerwise.study.file import Study, parse_study
from layerwise.study.running import planned_trials
from layerwise.study.store import Store
from layerwise.study.trials import Record, failed

SMALL = """
title = "Do convolutions help?"
hypothesis = "With few images the convolutional network is ahead."
seeds = 3

[all]
data.kind = "edges"
data.resolution = 8
data.width = [1, 2]
data.validation_per_class = 4
data.test_per_class = 20
training.optimizer = "sgd"
training.learning_rate = 0.05
training.batch_size = 6
training.epochs = 2

[[cells]]
model.name = "simple-cnn"
model.kernel = 3
data.train_per_class = [2, 4]

[[cells]]
model.name = "two-layer-mlp"
model.side = 8
data.train_per_class = [2, 4]

[[compare]]
higher.model.name = "simple-cnn"
lower.model.name = "two-layer-mlp"
for.data.train_per_class = [2, 4]

[[compare]]
kind = "needed"
fewer.model.name = "simple-cnn"
more.model.name = "two-layer-mlp"
along = "data.train_per_class"
level = 0.5
primary = false

[[reference]]
source = "a notebook"
cell.model.name = "simple-cnn"
cell.data.train_per_class = [2, 4]
value = [0.3, 0.4]
"""


def small(*changes: tuple[str, str]) -> Study:
    """The study, with parts of its text replaced."""
    text = SMALL
    for before, after in changes:
        assert before in text
        text = text.replace(before, after, 1)
    return parse_study(text, name="small", source="small.toml")


def made_up(study: Study, folder: Path, *, failing: tuple[int, ...] = ()) -> Store:
    """A store with records that nobody trained: later cells are better, and so are larger amounts.

    Args:
        study: whose cells.
        folder: of the store.
        failing: places of trials, block by block, that came to nothing.
    """
    store = Store(folder)
    store.begin(study)
    draw = stream(0, "made up")
    records = []
    for place, trial in enumerate(planned_trials(study)):
        if place in failing:
            records.append(failed(trial, "failed", InputError("no room for <b>this</b>"), 0.1))
            continue
        level = min(0.99, 0.4 + 0.1 * study.cells.index(trial.cell) + 0.03 * draw.normal())
        curve = np.linspace(0.3, level, 5)
        bins = np.linspace(0.5 / BINS, 1 - 0.5 / BINS, BINS)
        series = {f"{split}_accuracy": curve for split in ("train", "validation")}
        series |= {f"{split}_loss": -np.log(curve) for split in ("train", "validation")}
        series |= {"confusion": (20 * (0.9 * np.eye(3) + 0.1 / 3)).ravel(), "reliability_counts": np.full(BINS, 4.0)}
        series |= {"reliability_confidence": bins, "reliability_accuracy": level * bins}
        if "cnn" in trial.cell.model_spec:
            before = draw.normal(size=27)
            series |= {"kernels_before": before, "kernels_after": before + 0.5}
        measures = dict.fromkeys(("test_accuracy", "validation_accuracy", "train_accuracy"), level)
        measures |= {name: -float(np.log(level)) for name in ("test_loss", "validation_loss", "train_loss")}
        measures |= {"ece": 1 - level, "temperature": 2.0, "scaled_test_loss": -0.5 * float(np.log(level))}
        records.append(Record(trial.cell.address, trial.block, "done", "", 0.5, measures, series))
    store.keep(records)
    return store
