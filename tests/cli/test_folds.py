"""`layerwise difficulty RUN --folds K`: what is left in the run, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import safetensors.torch

from command_line import CommandLine, edited_json
from layerwise.arrays.kinds import EXAMPLE_KINDS
from layerwise.difficulty.folds import FoldedDepths

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


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--k", "20"), "NotEnoughExamplesError: k = 20 needs more than 20 training examples; got 20. "
                        "Lower k, or give more examples.\n"),
        (("--taps", "0,nosuch"), 'UnknownNameError: no tap named "nosuch" in Sequential (8 taps).\n'
                                 "    List them with: layerwise taps MODEL\n"),
        (("--device", "gpu"), 'InputError: device "gpu" cannot be used here.\n    Use another of: cpu, cuda, mps.\n'),
        (("--batch-size", "0"), "InputError: batch_size and limit_bytes must be at least 1; got 0 and 4000000000.0.\n"),
        (("--fast", "0"), "InputError: fast = 0: of each tap at least one number must be kept, such as fast=512.\n"),
    ],
)  # fmt: skip
def test_what_cannot_be_measured_is_refused_before_any_training(
    cli: CommandLine, toys: Path, options: tuple[str, ...], message: str
) -> None:
    assert cli.refusal("difficulty", "trained", "--trust-code", "--k", "5", "--folds", "2", *options) == message


@pytest.mark.slow
def test_folds_that_were_stopped_go_on_with_the_same_command_alone(
    cli: CommandLine, toys: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = ("difficulty", "trained", "--trust-code", "--k", "5", "--taps", "0,2", "--folds")
    with monkeypatch.context() as patched:
        patched.setattr("layerwise.difficulty.folds.measure_difficulty", _interrupted)
        assert cli(*command, "2").code == 130
    assert cli.refusal(*command, "3") == (
        "RunError: trained/folds holds folds of another measurement (there → asked):\n"
        "    folds: 2 → 3\n"
        "    Ask for the same to go on, or remove trained/folds to begin anew.\n"
    )
    assert cli(*command, "2").code == 0
    assert not Path("trained/folds").exists()


def _interrupted(*_: object, **__: object) -> None:
    raise KeyboardInterrupt


def test_folds_start_from_the_weights_from_which_the_run_started(
    cli: CommandLine, toys: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started = {}

    def measured(make_model: Any, *_: object, **__: object) -> FoldedDepths:
        started.update(make_model(1).state_dict())
        raise KeyboardInterrupt

    monkeypatch.setattr("layerwise.difficulty.folds.measure_kinds", measured)
    with edited_json(Path("trained/run.json")) as noted:
        noted["steps"]["train"] |= {"weights": "measured/model.safetensors", "folder": str(toys)}
    assert cli("difficulty", "trained", "--trust-code", "--folds", "2").code == 130
    weights = safetensors.torch.load_file("measured/model.safetensors")
    assert all((started[name] == value).all() for name, value in weights.items())


@pytest.mark.parametrize("settings", [None, "fast", {"epochs": 1, "warmup": 3}])
def test_a_run_that_does_not_say_how_it_was_trained_cannot_be_trained_again(
    cli: CommandLine, toys: Path, settings: object
) -> None:
    with edited_json(Path("trained/run.json")) as noted:
        noted["steps"]["train"]["settings"] = settings
    assert cli.refusal("difficulty", "trained", "--trust-code", "--k", "5", "--folds", "2") == (
        "FileError: trained/run.json does not say how the network was trained, or not in words of this layerwise.\n"
        "    Train it again: layerwise train MODEL DATA -o ANOTHER\n"
    )
