"""run_stacked: trials of one kind in the lanes of one network, a stack for each core at a time."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Hashable, Iterator, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from layerwise.data.images import ImageData
from layerwise.errors import NoCompilerError, NonFiniteError
from layerwise.seeds import stream_seed
from layerwise.study.engines.lanes.native import load_library
from layerwise.study.engines.lanes.network import LaneNetwork, describe
from layerwise.study.engines.processes import begin_process, usable_cores
from layerwise.study.trials import Record, Trial, failed, first_kernels, run_trial, tested, trial_data, trial_model
from layerwise.training.batches import cut_into_batches, epoch_order
from layerwise.training.settings import TrainSettings

EVALUATED = 50
"""Images in a batch at least, so that measuring takes few calls."""


def run_stacked(trials: Sequence[Trial], *, processes: int | None = None) -> Iterator[Record]:
    """Yield the records as their stacks finish.

    Trials that do not fit into lanes are run alone: another optimiser than SGD, a schedule, augmentation, early
    stopping, or a network of other layers. So are all of them where there is no C++ compiler.

    Args:
        trials: what to run.
        processes: how many; by default one for each core that this process may use.
    """
    stacks = list(cut_into_stacks(trials))
    count = min(processes or usable_cores(), len(stacks))
    if not count:
        return
    with multiprocessing.get_context("spawn").Pool(count, initializer=begin_process) as pool:
        for records in pool.imap_unordered(run_stack, stacks):
            yield from records


def cut_into_stacks(trials: Sequence[Trial]) -> Iterator[list[Trial]]:
    """Trials that differ in nothing but block and numbers of the optimiser, as many at a time as there are lanes."""
    try:
        width = int(load_library().lanes_width())
    except NoCompilerError:
        width = 1
    kind_to_trials: dict[Hashable, list[Trial]] = {}
    for trial in trials:
        kind_to_trials.setdefault(_kind(trial) if width > 1 else trial.address, []).append(trial)
    for alike in kind_to_trials.values():
        for start in range(0, len(alike), width):
            yield alike[start : start + width]


def _kind(trial: Trial) -> Hashable:
    free = ("training.learning_rate", "training.momentum", "training.weight_decay")
    settings = {key: value for key, value in trial.cell.settings.items() if key not in free}
    return tuple(sorted((key, str(value)) for key, value in settings.items()))


def run_stack(trials: Sequence[Trial]) -> list[Record]:
    """Train trials of one kind together, or one after the other if they do not fit into lanes."""
    started = time.perf_counter()
    try:
        data = [trial_data(trial) for trial in trials]
        models = [trial_model(*pair) for pair in zip(trials, data, strict=True)]
    except Exception:  # whatever it is: alone, each keeps its own fault, and the others go on
        return [run_trial(trial) for trial in trials]
    settings = [trial.cell.training(stream_seed(trial.block, "study", "order", bits=31)) for trial in trials]
    if len(trials) == 1 or not _fits(settings[0], models[0], data[0]):
        return [run_trial(trial) for trial in trials]
    before = [first_kernels(model) for model in models]
    stack = _Stack(models, data, settings)
    stack.train()
    stack.network.write_back()
    seconds = (time.perf_counter() - started) / len(trials)
    records = []
    for lane, trial in enumerate(trials):
        if stack.diverged[lane]:
            error = NonFiniteError(f"the loss became NaN or infinite in epoch {stack.diverged[lane]}.")
            records.append(failed(trial, "diverged", error, seconds))
            continue
        series = stack.series(lane)
        measures = {name: float(curve[-1]) for name, curve in series.items() if len(curve)}
        measures |= tested(stack.test_logits[lane], data[lane].test.labels, series)
        series |= {"kernels_before": before[lane], "kernels_after": first_kernels(models[lane])}
        records.append(Record(trial.cell.address, trial.block, "done", "", seconds, measures, series))
    return records


def _fits(settings: TrainSettings, model: nn.Module, data: ImageData) -> bool:
    plain = (
        settings.optimizer == "sgd"
        and settings.schedule == "none"
        and settings.augment == "none"
        and settings.label_smoothing == 0
        and settings.early_stop is None
    )
    frozen_last = not all(parameter.requires_grad for parameter in list(model.parameters())[-2:])
    return plain and not frozen_last and describe(model, data.image_shape) is not None


class _Stack:
    """Networks in lanes, with their data and curves.

    Args:
        models: one for each lane.
        data: the images of each.
        settings: of each; they differ in the numbers of the optimiser and in the seed.
    """

    def __init__(
        self, models: Sequence[nn.Module], data: Sequence[ImageData], settings: Sequence[TrainSettings]
    ) -> None:
        self._settings = settings
        self._train, self._validation, self._test = (
            [_flat(one.split(split)) for one in data] if split in data[0].split_names else []
            for split in ("train", "validation", "test")
        )
        count = len(self._train[0])
        self._starts = _starts(count, settings[0].batch_size)
        largest = int(np.diff(self._starts).max())
        self.network = LaneNetwork(models, data[0].image_shape, max(largest, EVALUATED))
        self._labels = self._in_lanes([one.train.labels for one in data])
        self._held_out = [one.validation.labels for one in data] if self._validation else []
        self._curves: dict[str, list[NDArray[np.float64]]] = {}
        self.diverged = np.zeros(len(models), np.int64)

    def train(self) -> None:
        """All epochs; a lane whose loss is no number any more goes on without hurting the others."""
        optimizer = np.stack(
            [
                self._in_lanes(np.array([[getattr(one, name)] for one in self._settings]))[0]
                for name in ("learning_rate", "momentum", "weight_decay")
            ]
        ).astype(np.float32)
        count = len(self._train[0])
        for epoch in range(self._settings[0].epochs):
            orders = [epoch_order(count, seed=one.seed, epoch=epoch) for one in self._settings]
            losses, right = self.network.epoch(
                self._train, self._labels, self._in_lanes(orders), self._starts, optimizer
            )
            self._note("train", losses / count, right / count)
            if self._validation:
                self._note("validation", *self._measure(self._validation, self._held_out))
            bad = ~np.isfinite(losses) & (self.diverged == 0)
            self.diverged[bad] = epoch + 1
        self.test_logits = self.network.logits(self._test)
        self.diverged[~np.isfinite(self.test_logits).all(axis=(1, 2)) & (self.diverged == 0)] = epoch + 1

    def series(self, lane: int) -> dict[str, NDArray[Any]]:
        """The curves of one network."""
        return {name: np.array([point[lane] for point in points], np.float32) for name, points in self._curves.items()}

    def _measure(
        self, images: Sequence[NDArray[np.float32]], labels: Sequence[NDArray[np.int64]]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        logits = torch.from_numpy(self.network.logits(images)).double()  # (lanes, N, K)
        given = torch.from_numpy(np.stack(labels))  # (lanes, N)
        losses = -logits.log_softmax(dim=2).gather(2, given[..., None]).mean(dim=(1, 2))
        return losses.numpy(), (logits.argmax(dim=2) == given).double().mean(dim=1).numpy()

    def _note(self, split: str, loss: NDArray[np.float64], accuracy: NDArray[np.float64]) -> None:
        self._curves.setdefault(f"{split}_loss", []).append(loss)
        self._curves.setdefault(f"{split}_accuracy", []).append(accuracy)

    def _in_lanes(self, columns: Any) -> NDArray[Any]:
        """Columns (used lanes, N) as (N, lanes); unused lanes repeat the last."""
        stacked = np.stack(columns)
        rows = np.minimum(np.arange(self.network.width), len(stacked) - 1)
        kind = np.int32 if stacked.dtype.kind == "i" else stacked.dtype
        return np.ascontiguousarray(stacked[rows].T, kind)


def _flat(data: ImageData) -> NDArray[np.float32]:
    return np.ascontiguousarray(data.batch(slice(0, len(data))).reshape(len(data), -1))


def _starts(count: int, batch_size: int) -> NDArray[np.int32]:
    sizes = [len(batch) for batch in cut_into_batches(np.arange(count), batch_size)]
    return np.concatenate([[0], np.cumsum(sizes)]).astype(np.int32)
