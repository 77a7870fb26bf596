"""Training with a log: the same weights, a table in the run folder, and a log that goes on with the training."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from layerwise.data.images import ImageData
from layerwise.errors import InputError, Interrupted, NonFiniteError, RunError
from layerwise.training.dynamics import load_dynamics
from layerwise.training.dynamics_log import DynamicsLog
from layerwise.training.fit import train

MakeNet = Callable[..., nn.Module]


def new_log(data: ImageData, *, curves: bool = False) -> DynamicsLog:
    return DynamicsLog(len(data.train), data.num_classes, curves=curves)


class PressCtrlC:
    """A progress in which Ctrl-C is pressed at one batch."""

    def __init__(self, batch: int) -> None:
        self.batches_left = batch

    def __call__(self, items: Iterable[Any], *, total: int, what: str) -> Iterator[Any]:
        for item in items:
            self.batches_left -= 1
            if self.batches_left == 0:
                signal.raise_signal(signal.SIGINT)
            yield item


def test_a_log_changes_nothing_of_the_training(
    digits: ImageData, make_net: MakeNet, weight_bytes: Callable[[nn.Module], bytes]
) -> None:
    plain, noted = make_net(), make_net()
    train(plain, digits, epochs=2)
    train(noted, digits, epochs=2, log=new_log(digits))
    assert weight_bytes(plain) == weight_bytes(noted)


def test_what_is_noted_adds_up_to_the_history(digits: ImageData, make_net: MakeNet) -> None:
    log = new_log(digits)
    history = train(make_net(), digits, epochs=3, log=log).of_split("train")
    found = log.result()
    assert found.epochs == 3
    assert found.labels.tolist() == digits.train.labels.tolist()
    assert found.scores["mean_loss"].mean() == pytest.approx(np.mean([epoch.loss for epoch in history]), rel=1e-5)
    assert found.scores["correctness"].mean() == pytest.approx(np.mean([epoch.accuracy for epoch in history]))


def test_an_interrupted_training_goes_on_with_its_log(digits: ImageData, make_net: MakeNet, tmp_path: Path) -> None:
    train(make_net(), digits, epochs=3, log=new_log(digits, curves=True), run=tmp_path / "whole")
    log = new_log(digits, curves=True)
    with pytest.raises(Interrupted):
        train(make_net(), digits, epochs=3, log=log, run=tmp_path / "run", progress=PressCtrlC(3))
    train(make_net(), digits, epochs=3, log=new_log(digits, curves=True), run=tmp_path / "run")
    for name in ("dynamics.parquet", "dynamics.npy"):
        assert (tmp_path / "run" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()
    assert load_dynamics(tmp_path / "run")[0].tolist() == digits.train.ids.tolist()


def test_a_training_that_was_begun_without_a_log_cannot_go_on_with_one(
    digits: ImageData, make_net: MakeNet, tmp_path: Path
) -> None:
    train(make_net(), digits, epochs=1, run=tmp_path)
    with pytest.raises(RunError, match=r"dynamics\.noted: None → True"):
        train(make_net(), digits, epochs=1, run=tmp_path, log=new_log(digits))


def test_a_log_of_another_size_or_with_epochs_is_refused(digits: ImageData, make_net: MakeNet) -> None:
    with pytest.raises(InputError, match="the log is of 7 examples and 10 classes; there are 203 training images"):
        train(make_net(), digits, epochs=1, log=DynamicsLog(7, 10))
    used = new_log(digits)
    train(make_net(), digits, epochs=1, log=used)
    with pytest.raises(InputError, match="the log holds 1 epochs already"):
        train(make_net(), digits, epochs=1, log=used)
    begun = new_log(digits)
    begun.update([0], [[0.0] * 10], [int(digits.train.labels[0])])
    with pytest.raises(InputError, match="the log holds a part of an epoch already"):
        train(make_net(), digits, epochs=1, log=begun)
    with pytest.raises(InputError, match="log is a bool; a DynamicsLog is expected"):
        train(make_net(), digits, epochs=1, log=True)  # type: ignore[arg-type]


def test_a_training_that_diverges_says_at_which_images(digits: ImageData) -> None:
    network = nn.Sequential(nn.Flatten(), nn.Linear(64, 10))
    with torch.no_grad():
        network[1].weight.fill_(float("nan"))
    with pytest.raises(NonFiniteError, match="logits are NaN or infinite in epoch 1, of example"):
        train(network, digits, epochs=1, log=new_log(digits))
