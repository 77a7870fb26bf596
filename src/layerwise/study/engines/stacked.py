"""run_stacked: trials of one kind trained together as one network, a stack for each core at a time.

A stack is in lanes where there is a C++ compiler and lanes know all layers; else in one program of torch; and trials
whose layers or settings neither knows are run by the loop.
"""

from __future__ import annotations

import time
from collections.abc import Hashable, Iterator, Sequence
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from layerwise.data.images import ImageData
from layerwise.errors import NonFiniteError
from layerwise.models.catalog import load_model
from layerwise.models.mode import evaluating
from layerwise.seeds import stream_seed
from layerwise.study.engines.lanes.native import lane_width
from layerwise.study.engines.lanes.network import LaneNetwork, find_lane_layers, known_to_lanes
from layerwise.study.engines.processes import spread
from layerwise.study.engines.tensors.network import WIDTH, TensorNetwork, stackable
from layerwise.study.trials import Record, Trial, failed, first_kernels, run_trial, tested, trial_data, trial_model
from layerwise.training.batches import cut_into_batches, epoch_order
from layerwise.training.settings import TrainSettings

EVALUATED = 50
"""Images of a network in a batch, so that measuring takes few calls."""

Float = NDArray[np.float32]


class StackedNetwork(Protocol):
    """Networks of one kind that train together, each on data and by numbers of its own."""

    width: int

    def epoch(
        self, data: Sequence[Float], labels: NDArray[np.int32], orders: NDArray[np.int32], starts: NDArray[np.int32],
        optimizer: Float, *, step: bool = True,
    ) -> tuple[NDArray[np.float64], NDArray[np.int64]]:  # fmt: skip
        """Train for an epoch; the sum of the losses and how many were right, of each."""

    def logits(self, data: Sequence[Float]) -> Float:
        """The logits (M, N, K) of as many images for each."""

    def gradients(self) -> Iterator[tuple[str, Float]]:
        """The last batch's gradient of each parameter: its name, and (M, …)."""

    def write_back(self) -> None:
        """Put what was learned into the networks."""


def run_stacked(trials: Sequence[Trial], *, processes: int | None = None) -> Iterator[Record]:
    """Yield the records as their stacks finish.

    Trials that cannot be stacked are run alone: another optimiser than SGD, a schedule, augmentation, early stopping,
    or a network of other layers.

    Args:
        trials: what to run.
        processes: how many; by default one for each core that this process may use.
    """
    # Blocks come one after the other, and networks that see the same images too: these are drawn once in a process.
    stacks = sorted(cut_into_stacks(trials), key=lambda stack: (stack[0].block, stack[0].cell.data_spec))
    for records in spread(run_stack, stacks, processes=processes):
        yield from records


def cut_into_stacks(trials: Sequence[Trial]) -> Iterator[list[Trial]]:
    """Trials that differ in nothing but block and numbers of the optimiser, as many at a time as fit a stack."""
    kind_to_trials: dict[Hashable, list[Trial]] = {}
    for trial in trials:
        kind_to_trials.setdefault(_kind(trial), []).append(trial)
    for alike in kind_to_trials.values():
        width = _width(alike[0])
        for start in range(0, len(alike), width):
            yield alike[start : start + width]


def _kind(trial: Trial) -> Hashable:
    free = ("training.learning_rate", "training.momentum", "training.weight_decay")
    settings = {key: value for key, value in trial.cell.settings.items() if key not in free}
    return tuple(sorted((key, str(value)) for key, value in settings.items()))


def _width(trial: Trial) -> int:
    """How many such trials are one stack; 1 of those that run alone, so that they do not wait for each other."""
    try:
        model = load_model(trial.cell.model_spec, num_classes=2)
    except Exception:  # the trial's record will say it
        return 1
    if not _is_plain(trial.cell.training(seed=0)):
        return 1
    if lane_width() and known_to_lanes(model):
        return lane_width()
    return WIDTH if stackable(model) else 1


def run_stack(trials: Sequence[Trial]) -> list[Record]:
    """Train trials of one kind together, or one after the other if they cannot be stacked or their stack fails."""
    try:
        records = _run_together(trials) if len(trials) > 1 else None
    except Exception:  # whatever it is: alone, each keeps its own fault, and the others go on
        records = None
    return [run_trial(trial) for trial in trials] if records is None else records


def _run_together(trials: Sequence[Trial]) -> list[Record] | None:
    """Their records, or None if no stack knows such networks or settings."""
    started = time.perf_counter()
    data = [trial_data(trial) for trial in trials]
    models = [trial_model(*pair) for pair in zip(trials, data, strict=True)]
    settings = [trial.cell.training(stream_seed(trial.block, "study", "order", bits=31)) for trial in trials]
    network = _make_network(models, data, settings)
    if network is None:
        return None
    before = [first_kernels(model) for model in models]
    stack = _Stack(network, data, settings)
    stack.train()
    network.write_back()
    seconds = (time.perf_counter() - started) / len(trials)
    records = []
    for place, trial in enumerate(trials):
        if stack.diverged[place]:
            error = NonFiniteError(f"the loss became NaN or infinite in epoch {stack.diverged[place]}.")
            records.append(failed(trial, "diverged", error, seconds))
            continue
        series = stack.series(place)
        measures = {name: float(curve[-1]) for name, curve in series.items() if len(curve)}
        measures |= tested(stack.test_logits[place], data[place].test.labels, series)
        series |= {"kernels_before": before[place], "kernels_after": first_kernels(models[place])}
        records.append(Record(trial.cell.address, trial.block, "done", "", seconds, measures, series))
    return records


def _make_network(
    models: Sequence[nn.Module], data: Sequence[ImageData], settings: Sequence[TrainSettings]
) -> StackedNetwork | None:
    """In lanes if they can, else in torch; None if neither knows such networks or settings."""
    first, shape, sizes = models[0], data[0].image_shape, np.diff(_starts(len(data[0].train), settings[0].batch_size))
    if not _is_plain(settings[0]) or not _gives_logits(first, data[0]):
        return None
    if len(models) <= lane_width() and find_lane_layers(first, shape) is not None:
        return LaneNetwork(models, shape, max(int(sizes.max()), EVALUATED))
    # Batch norm refuses to train on one image, and the loop says so.
    if stackable(first) and sizes.min() > 1:
        return TensorNetwork(models, shape, EVALUATED, [one.seed for one in settings])
    return None


def _is_plain(settings: TrainSettings) -> bool:
    return (
        settings.optimizer == "sgd"
        and settings.schedule == "none"
        and settings.augment == "none"
        and settings.label_smoothing == 0
        and settings.early_stop is None
    )


def _gives_logits(model: nn.Module, data: ImageData) -> bool:
    """Whether the network fits the images and classes; if not, the loop says what is wrong."""
    with evaluating(model), torch.no_grad():
        try:
            return bool(model(torch.zeros(1, *data.image_shape)).shape == (1, data.num_classes))
        except Exception:  # whatever a network of the user's own raises
            return False


class _Stack:
    """Networks that train together, with their data and curves.

    Args:
        network: of as many networks as there are data, or with some places unused.
        data: the images of each.
        settings: of each; they differ in the numbers of the optimiser and in the seed.
    """

    def __init__(self, network: StackedNetwork, data: Sequence[ImageData], settings: Sequence[TrainSettings]) -> None:
        self.network, self._settings = network, settings
        self._train, self._validation, self._test = (
            [_flat(one.split(split)) for one in data] if split in data[0].split_names else []
            for split in ("train", "validation", "test")
        )
        count = len(self._train[0])
        self._starts = _starts(count, settings[0].batch_size)
        self._labels = self._side_by_side([one.train.labels for one in data])
        self._held_out = [one.validation.labels for one in data] if self._validation else []
        self._curves: dict[str, list[NDArray[np.float64]]] = {}
        self.diverged = np.zeros(len(data), np.int64)

    def train(self) -> None:
        """All epochs; a network whose loss is no number any more goes on without hurting the others."""
        optimizer = np.stack(
            [
                self._side_by_side(np.array([[getattr(one, name)] for one in self._settings]))[0]
                for name in ("learning_rate", "momentum", "weight_decay")
            ]
        ).astype(np.float32)
        count = len(self._train[0])
        for epoch in range(self._settings[0].epochs):
            orders = [epoch_order(count, seed=one.seed, epoch=epoch) for one in self._settings]
            losses, right = self.network.epoch(
                self._train, self._labels, self._side_by_side(orders), self._starts, optimizer
            )
            self._note("train", losses / count, right / count)
            if self._validation:
                self._note("validation", *self._measure(self._validation, self._held_out))
            bad = ~np.isfinite(losses) & (self.diverged == 0)
            self.diverged[bad] = epoch + 1
        self.test_logits = self.network.logits(self._test)
        self.diverged[~np.isfinite(self.test_logits).all(axis=(1, 2)) & (self.diverged == 0)] = epoch + 1

    def series(self, place: int) -> dict[str, NDArray[Any]]:
        """The curves of one network."""
        return {name: np.array([point[place] for point in points], np.float32) for name, points in self._curves.items()}

    def _measure(
        self, images: Sequence[NDArray[np.float32]], labels: Sequence[NDArray[np.int64]]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        logits = torch.from_numpy(self.network.logits(images)).double()  # (M, N, K)
        given = torch.from_numpy(np.stack(labels))  # (M, N)
        losses = -logits.log_softmax(dim=2).gather(2, given[..., None]).mean(dim=(1, 2))
        return losses.numpy(), (logits.argmax(dim=2) == given).double().mean(dim=1).numpy()

    def _note(self, split: str, loss: NDArray[np.float64], accuracy: NDArray[np.float64]) -> None:
        self._curves.setdefault(f"{split}_loss", []).append(loss)
        self._curves.setdefault(f"{split}_accuracy", []).append(accuracy)

    def _side_by_side(self, columns: Any) -> NDArray[Any]:
        """Columns (networks, N) as (N, M); places that no network uses repeat the last."""
        stacked = np.stack(columns)
        rows = np.minimum(np.arange(self.network.width), len(stacked) - 1)
        kind = np.int32 if stacked.dtype.kind == "i" else stacked.dtype
        return np.ascontiguousarray(stacked[rows].T, kind)


def _flat(data: ImageData) -> NDArray[np.float32]:
    return np.ascontiguousarray(data.batch(slice(0, len(data))).reshape(len(data), -1))


def _starts(count: int, batch_size: int) -> NDArray[np.int32]:
    sizes = [len(batch) for batch in cut_into_batches(np.arange(count), batch_size)]
    return np.concatenate([[0], np.cumsum(sizes)]).astype(np.int32)
