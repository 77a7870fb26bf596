"""`layerwise difficulty RUN --folds K`: what is left in the run, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from torch import nn

from command_line import CommandLine
from layerwise.arrays.kinds import EXAMPLE_KINDS
from layerwise.models.catalog import load_model

TRAIN = ("train", "net.py:net", "npz:small.npz", "-o", "run", "--epochs", "3", "--validation", "0")
FOLDS = ("difficulty", "run", "--trust-code", "--k", "5", "--taps", "0,2", "--folds", "2")


@pytest.mark.slow
def test_every_training_image_is_held_out_once_and_has_a_kind(cli: CommandLine, toys: Path) -> None:
    assert cli(*TRAIN).code == 0
    told = json.loads(cli(*FOLDS, "--json").out.splitlines()[-1])
    table = pd.read_parquet("run/folds.parquet")
    assert len(table) == told["examples"] == 40
    assert table["fold"].value_counts().tolist() == [20, 20]
    assert told["kinds"] == {kind: int((table["kind"] == kind).sum()) for kind in EXAMPLE_KINDS}
    np.testing.assert_allclose(np.load("run/folds.npy").sum(axis=1), 1.0)
    assert not Path("run/folds").exists()
    assert "run holds the four kinds of difficulty already" in cli.refusal(*FOLDS)
    shown = cli(*FOLDS, "--again")
    assert shown.code == 0, shown.err
    assert "looks like another class" in shown.out


@pytest.mark.slow
def test_every_fold_starts_from_the_weights_that_the_run_started_from(
    cli: CommandLine, toys: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert cli(*TRAIN, "--weights", "trained/model.safetensors").code == 0
    started_from: list[Path | None] = []

    def load_and_note(*args: Any, weights: Path | None = None, **options: Any) -> nn.Module:
        started_from.append(weights)
        return load_model(*args, weights=weights, **options)

    monkeypatch.setattr("layerwise.models.catalog.load_model", load_and_note)
    assert cli(*FOLDS).code == 0
    assert started_from == [toys / "trained" / "model.safetensors"] * 2


def test_folds_go_with_nothing_that_says_something_else_and_overwrite_nothing(cli: CommandLine, toys: Path) -> None:
    assert cli(*TRAIN, "--log-dynamics").code == 0
    assert "--label-errors cannot be used together with --folds." in cli.refusal(*FOLDS, "--label-errors")
    said = cli.refusal(*FOLDS, "--split", "train", "--depths-only")
    assert "--folds cannot be used together with --split, --depths-only." in said


def test_folds_of_no_trained_run_or_too_many_are_refused(cli: CommandLine, toys: Path) -> None:
    said = cli.refusal("difficulty", "--model", "resnet8", "--data", "npz:small.npz", "-o", "new", "--folds", "2")
    assert "--folds is of the images that a run was trained on" in said
    assert cli(*TRAIN).code == 0
    assert "30 folds need at least 30 examples of each class" in cli.refusal(*FOLDS[:-1], "30")
    assert "folds is a whole number of at least 2; got 1" in cli.refusal(*FOLDS[:-1], "1")
    assert "folds is a whole number of at least 2; got 0" in cli.refusal(*FOLDS[:-1], "0")
