"""run_trial: one cell in one block, trained and measured. Its numbers depend on the cell and the block alone.

Seeds are blocks. A block has one stream for data, one for initial weights, one for order; so all networks of a block
see the same images, and another cell changes nothing.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import special
from torch import nn

from layerwise.arrays.calibration import cross_entropy, reliability, scaled_loss
from layerwise.data.catalog import load_data
from layerwise.data.images import ImageData
from layerwise.errors import InputError, Interrupted, NonFiniteError, StudyError
from layerwise.models.catalog import load_model
from layerwise.models.mode import evaluating
from layerwise.seeds import stream_seed
from layerwise.study.cells import Cell
from layerwise.study.edge_kernels import set_edge_kernels
from layerwise.training.fit import train
from layerwise.training.history import TrainingHistory

Status = Literal["done", "diverged", "failed"]

MEASURES = (
    "test_accuracy", "test_loss", "validation_accuracy", "validation_loss", "train_accuracy", "train_loss", "ece",
    "temperature", "scaled_test_loss",
)  # fmt: skip
"""Numbers of a run. Accuracies are shares; losses are cross-entropies in nats; `ece` is on the test images.

Those of training and validation images are of the epoch whose weights are tested: the last one, or the best one under
early stopping.

`temperature` is by what the logits should be divided, and `scaled_test_loss` what the test loss would then be: see
`arrays.calibration.scaled_loss`.
"""

SHARES = ("test_accuracy", "validation_accuracy", "train_accuracy", "ece")
"""Those of them that lie between 0 and 1."""

CURVES = ("train_loss", "train_accuracy", "validation_loss", "validation_accuracy")
ROWS_AT_ONCE = 1000
MOST_LOADED = 16
"""Data sets that a process keeps: those of a stack, for the next networks that see the same images."""

MOST_KERNELS = 4096
"""Numbers of the first convolution that are kept, before and after training."""


@dataclass(frozen=True)
class Trial:
    """One cell in one block."""

    cell: Cell
    block: int

    @property
    def address(self) -> str:
        """By which its record is known."""
        return f"{self.cell.address}-{self.block}"


@dataclass(frozen=True, eq=False)
class Record:
    """What came of a trial.

    Attributes:
        cell, block: of the trial.
        status: "diverged" if its loss became NaN or infinite, "failed" if it could not be run.
        error: in words, of one that is not done.
        seconds: how long it took.
        measures: `MEASURES` to numbers; those of a split that is not there are left out.
        series: curves by epoch, `confusion` (K · K, rows are labels), `reliability_…`, `kernels_before` and `_after`.
    """

    cell: str
    block: int
    status: Status
    error: str = ""
    seconds: float = 0.0
    measures: Mapping[str, float] = field(default_factory=dict)
    series: Mapping[str, NDArray[Any]] = field(default_factory=dict)


def run_trial(trial: Trial) -> Record:
    """Train and measure; what goes wrong is in the record.

    Raises:
        KeyboardInterrupt: Ctrl-C, also where the training made words of it.
    """
    started = time.perf_counter()
    try:
        data = trial_data(trial)
        model = trial_model(trial, data)
        before = first_kernels(model)
        history = train(model, data, trial.cell.training(stream_seed(trial.block, "study", "order", bits=31)))
        measures, series = measured(model, data, history)
        series |= {"kernels_before": before, "kernels_after": first_kernels(model)}
    except NonFiniteError as error:
        return failed(trial, "diverged", error, time.perf_counter() - started)
    except Interrupted:
        raise KeyboardInterrupt from None
    except Exception as error:  # a cell of the user's own network may raise anything, and the others go on
        return failed(trial, "failed", error, time.perf_counter() - started)
    seconds = time.perf_counter() - started
    return Record(trial.cell.address, trial.block, "done", "", seconds, measures, series)


def failed(trial: Trial, status: Status, error: Exception, seconds: float) -> Record:
    """The record of a trial that came to nothing."""
    words = str(error) if isinstance(error, InputError) else f"{type(error).__name__}: {error}"
    return Record(trial.cell.address, trial.block, status, words, seconds)


def trial_data(trial: Trial) -> ImageData:
    """The block's images for a cell."""
    return _load(trial.cell.data_spec, stream_seed(trial.block, "study", "data", bits=31))


@lru_cache(maxsize=MOST_LOADED)
def _load(spec: str, seed: int) -> ImageData:
    data = load_data(spec, seed=seed)
    if "test" not in data.split_names:
        raise StudyError(f"{spec} has no test images to report on.")
    return data


def trial_model(trial: Trial, data: ImageData) -> nn.Module:
    """The block's network for a cell and its images, as it is drawn."""
    model = load_model(
        trial.cell.model_spec,
        num_classes=data.num_classes,
        in_channels=data.image_shape[0],
        seed=stream_seed(trial.block, "study", "init", bits=31),
    )
    if trial.cell.kernels == "edges":
        set_edge_kernels(model)
    return model


def first_convolution(model: nn.Module) -> nn.Conv2d | None:
    """The convolution that sees the image."""
    return next((module for module in model.modules() if isinstance(module, nn.Conv2d)), None)


def first_kernels(model: nn.Module) -> NDArray[np.float32]:
    """The weights of the first convolution in one row, as they are; none of a network without, or with very many."""
    first = first_convolution(model)
    if first is None or first.weight.numel() > MOST_KERNELS:
        return np.empty(0, np.float32)
    return first.weight.detach().numpy().ravel().copy()


def measured(
    model: nn.Module, data: ImageData, history: TrainingHistory
) -> tuple[dict[str, float], dict[str, NDArray[Any]]]:
    """The numbers and series of a trained network."""
    measures: dict[str, float] = {}
    series: dict[str, NDArray[Any]] = {}
    for split in ("train", "validation"):
        records = history.of_split(split)
        for name in ("loss", "accuracy"):
            curve = np.array([getattr(one, name) for one in records], np.float32)
            series[f"{split}_{name}"] = curve
            if len(curve):
                measures[f"{split}_{name}"] = float(curve[history.kept_epoch - 1])
    logits = _logits(model, data.test)
    return measures | tested(logits, data.test.labels, series), series


def tested(logits: NDArray[np.float32], labels: NDArray[np.int64], series: dict[str, NDArray[Any]]) -> dict[str, float]:
    """The numbers on the test images; their series are put beside the others."""
    shares = special.softmax(logits.astype(np.float64), axis=1)
    predicted, classes = shares.argmax(axis=1), shares.shape[1]
    bins = reliability(shares, labels)
    series |= {
        "confusion": np.bincount(labels * classes + predicted, minlength=classes**2),
        "reliability_counts": bins.counts,
        "reliability_confidence": bins.confidence,
        "reliability_accuracy": bins.accuracy,
    }
    temperature, scaled = scaled_loss(logits, labels)
    return {
        "test_accuracy": float((predicted == labels).mean()),
        "test_loss": cross_entropy(logits, labels),
        "ece": bins.error,
        "temperature": temperature,
        "scaled_test_loss": scaled,
    }


@torch.no_grad()
def _logits(model: nn.Module, data: ImageData) -> NDArray[np.float32]:
    with evaluating(model):
        starts = range(0, len(data), ROWS_AT_ONCE)
        parts = [model(torch.from_numpy(data.batch(slice(start, start + ROWS_AT_ONCE)))) for start in starts]
    logits = torch.cat(parts)
    if not logits.isfinite().all():
        raise NonFiniteError("the logits of held-out images are NaN or infinite.")
    return logits.numpy()
