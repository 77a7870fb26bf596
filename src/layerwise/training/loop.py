"""Training: the loop itself, one batch after the other, that can be left and taken up again after any batch."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.modules.batchnorm import _NormBase
from torch.optim import Optimizer

from layerwise.data.images import ImageData
from layerwise.errors import Interrupted, NonFiniteError
from layerwise.models.layout import fast_layout, laid_out
from layerwise.models.mode import evaluating
from layerwise.progress import Progress
from layerwise.seeds import stream_seed
from layerwise.training._lightning import tensorboard_logger
from layerwise.training.batches import cut_into_batches, epoch_order, load_batch, load_training_batch
from layerwise.training.checkpoints import (
    Job,
    Position,
    checkpoint_path,
    keep_weights,
    load_checkpoint,
    save_checkpoint,
)
from layerwise.training.dynamics_log import DynamicsLog
from layerwise.training.history import EpochRecord, write_history
from layerwise.training.interrupts import StopRequest
from layerwise.training.objective import Objective
from layerwise.training.schedule import learning_rate_at
from layerwise.training.settings import TrainSettings

__all__ = ["Training", "best_epoch", "make_optimizer"]

SAVE_EVERY_S = 300.0
FUSED_ON = ("cpu", "cuda")
# Reading a number from a GPU makes it wait, so the loss is not looked at after each batch.
_LOOK_EVERY = 20


def make_optimizer(model: nn.Module, settings: TrainSettings) -> Optimizer:
    """The optimiser of all parameters that are not frozen."""
    parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
    rate, decay = settings.learning_rate, settings.weight_decay
    # One pass over the memory instead of ten: on a processor a step of Adam takes a seventh of the time.
    fused = all(parameter.device.type in FUSED_ON for parameter in parameters)
    makers: dict[str, Callable[[], Optimizer]] = {
        "adam": lambda: torch.optim.Adam(parameters, lr=rate, weight_decay=decay, fused=fused),
        "adamw": lambda: torch.optim.AdamW(parameters, lr=rate, weight_decay=decay, fused=fused),
        "sgd": lambda: torch.optim.SGD(
            parameters, lr=rate, weight_decay=decay, momentum=settings.momentum, fused=fused
        ),
    }
    return makers[settings.optimizer]()


def best_epoch(records: list[EpochRecord]) -> int:
    """The first epoch with the lowest validation loss."""
    validation = [record for record in records if record.split == "validation"]
    return min(validation, key=lambda record: record.loss).epoch


@dataclass
class Training:
    """One training: give it its parts, then `run()`.

    Attributes:
        fabric: Lightning's Fabric, for device and precision.
        model: the network; trained in place.
        train: the training images.
        held_out: images that are measured after each epoch, if any.
        settings: how to train.
        objective: what for.
        job: what a checkpoint must be of to go on from it.
        folder: the run folder, or None to keep nothing.
        progress: shows the batches of each epoch as they go by.
        stop: asked after each batch.
        log: notes the logits of every training image, if given.
        keep_weights: whether the folder keeps the weights after each epoch.
    """

    fabric: Any
    model: nn.Module
    train: ImageData
    held_out: ImageData | None
    settings: TrainSettings
    objective: Objective
    job: Job
    folder: Path | None
    progress: Progress
    stop: StopRequest
    log: DynamicsLog | None = None
    keep_weights: bool = False
    position: Position = field(default_factory=Position)

    def __post_init__(self) -> None:
        self.module, self.optimizer = self.fabric.setup(self.model, make_optimizer(self.model, self.settings))
        self.batches = len(cut_into_batches(np.arange(len(self.train)), self.settings.batch_size))
        first, _ = self.fabric.to_device(load_batch(self.train, np.arange(1), self.settings))
        self.layout = fast_layout(self.model, first)
        self._board: Any = None
        self._saved_at = time.monotonic()

    def run(self) -> list[EpochRecord]:
        """Go on from the last checkpoint, or start; the records of all epochs."""
        self._take_up()
        while self.position.epoch < self.settings.epochs and not self._has_stopped_early():
            self._train_epoch()
            self._end_epoch()
        if self.position.best_weights is not None:
            self.model.load_state_dict(self.position.best_weights)
        return self.position.records

    def where(self) -> str:
        """How far it is, in words."""
        done, epochs = self.position, self.settings.epochs
        return f"after {done.epoch} of {epochs} epochs and {done.batch} of {self.batches} batches"

    def _take_up(self) -> None:
        if self.folder is None:
            return
        path = checkpoint_path(self.folder)
        if path.exists():
            self.position = load_checkpoint(path, job=self.job, model=self.model, optimizer=self.optimizer)
            if self.log is not None and self.position.dynamics is not None:
                self.log.load_state_dict(self.position.dynamics)
        else:
            self._save()
        # The checkpoint leads: files that a kill left behind it, or before it, are written anew.
        write_history(self.folder, self.position.records)
        shutil.rmtree(self.folder / "tensorboard", ignore_errors=True)
        self._board = tensorboard_logger(self.folder / "tensorboard")
        for record in self.position.records:
            self._log(record)

    def _train_epoch(self) -> None:
        done, settings = self.position, self.settings
        self.model.train()
        order = epoch_order(len(self.train), seed=settings.seed, epoch=done.epoch)
        index = cut_into_batches(order, settings.batch_size)[done.batch :]
        what = f"epoch {done.epoch + 1} of {settings.epochs}"
        sums = torch.tensor([done.loss_sum, done.correct], dtype=torch.float64, device=self.fabric.device)
        started = time.monotonic() - done.time_s
        for rows in self.progress(index, total=len(index), what=what):
            sums += self._step(rows)
            done.batch += 1
            done.seen += len(rows)
            done.time_s = time.monotonic() - started
            self._end_batch(sums)

    def _end_batch(self, sums: Tensor) -> None:
        done = self.position
        stopping, due = self.stop.made, time.monotonic() - self._saved_at > SAVE_EVERY_S
        if stopping or due or done.batch % _LOOK_EVERY == 0 or done.batch == self.batches:
            done.loss_sum, done.correct = float(sums[0]), int(sums[1])
            self._refuse_divergence(done.loss_sum)
        if stopping or due:
            self._save()
        if stopping:
            raise Interrupted(self._interrupted())

    def _step(self, rows: NDArray[np.int64]) -> Tensor:
        """One step of the optimiser; the sum of the losses, and how many are right: (2,) float64."""
        done, settings = self.position, self.settings
        images, labels = load_training_batch(self.train, rows, settings, epoch=done.epoch, batch=done.batch)
        images, labels = self.fabric.to_device((images, labels))
        # Dropout draws from torch's global generator, which the caller gets back as it was.
        self._seed_generator(stream_seed(settings.seed, "dropout", done.epoch, done.batch))
        step = done.epoch * self.batches + done.batch
        for group in self.optimizer.param_groups:
            group["lr"] = learning_rate_at(step, self.batches * settings.epochs, settings)
        output = self.module(laid_out(images, self.layout))
        self.optimizer.zero_grad()
        self.fabric.backward(self.objective.loss(output, labels))
        self.optimizer.step()
        logits = self.objective.logits(output).detach()
        if self.log is not None:
            self.log.update(rows, logits, labels)
        return _sums(logits.float(), labels)

    def _seed_generator(self, seed: int) -> None:
        """torch.manual_seed asks every kind of device there is, which takes a third of a small network's step."""
        if self.fabric.device.type == "cpu":
            torch.default_generator.manual_seed(seed)
        else:
            torch.manual_seed(seed)

    def _end_epoch(self) -> None:
        done = self.position
        rate = float(self.optimizer.param_groups[0]["lr"])
        self._refuse_infinite_weights()
        new = [_record(done.epoch + 1, "train", done.loss_sum, done.correct, done.seen, rate, done.time_s)]
        if self.held_out is not None:
            new.append(self._measure(self.held_out, rate))
        done.records += new
        if self.settings.early_stop is not None and best_epoch(done.records) == done.epoch + 1:
            done.best_weights = {name: value.detach().cpu().clone() for name, value in self.model.state_dict().items()}
        done.begin_next_epoch()
        if self.folder is not None and self.keep_weights:
            keep_weights(self.folder, done.epoch, self.model)
        self._save()
        if self.folder is not None:
            write_history(self.folder, done.records)
        for record in new:
            self._log(record)

    @torch.no_grad()
    def _measure(self, data: ImageData, rate: float) -> EpochRecord:
        started = time.monotonic()
        total = torch.zeros(2, dtype=torch.float64, device=self.fabric.device)
        with evaluating(self.model):
            for rows in cut_into_batches(np.arange(len(data)), self.settings.batch_size):
                images, labels = self.fabric.to_device(load_batch(data, rows, self.settings))
                output = self.module(laid_out(images, self.layout))
                total += _sums(self.objective.logits(output).float(), labels)
        loss_sum, correct = total.tolist()
        self._refuse_divergence(loss_sum)
        split = str(data.splits[0])
        return _record(self.position.epoch + 1, split, loss_sum, correct, len(data), rate, time.monotonic() - started)

    def _save(self) -> None:
        if self.folder is None:
            return
        self._refuse_infinite_weights()
        path = checkpoint_path(self.folder)
        self.position.dynamics = None if self.log is None else self.log.state_dict()
        save_checkpoint(path, job=self.job, model=self.model, optimizer=self.optimizer, position=self.position)
        self._saved_at = time.monotonic()

    def _log(self, record: EpochRecord) -> None:
        if self._board is None:
            return
        numbers = {f"{name}/{record.split}": getattr(record, name) for name in ("loss", "accuracy")}
        self._board.log_metrics(numbers | {"lr": record.lr}, step=record.epoch)
        self._board.save()

    def _has_stopped_early(self) -> bool:
        patience, records = self.settings.early_stop, self.position.records
        return patience is not None and bool(records) and self.position.epoch - best_epoch(records) >= patience

    def _refuse_divergence(self, loss_sum: float) -> None:
        if not np.isfinite(loss_sum):
            raise self._diverged("the loss")

    def _refuse_infinite_weights(self) -> None:
        """The loss can stay finite: batch norm whose running variance is infinite answers 0.

        Other buffers may hold infinity on purpose, as masks do.
        """
        norms = [module for module in self.model.modules() if isinstance(module, _NormBase)]
        tensors = [*self.model.parameters(), *(average for norm in norms for average in norm.buffers())]
        if not all(bool(tensor.isfinite().all()) for tensor in tensors):
            raise self._diverged("a weight or an average of batch norm")

    def _diverged(self, what: str) -> NonFiniteError:
        kept = f"The checkpoint in {self.folder} is from before that. " if self.folder else ""
        return NonFiniteError(
            f"{what} became NaN or infinite in epoch {self.position.epoch + 1}, "
            f"at learning_rate {self.settings.learning_rate:g}.\n"
            f"    {kept}Lower learning_rate, and give a preprocessing if the pixels are not of the order of 1."
        )

    def _interrupted(self) -> str:
        if self.folder is None:
            return (
                f"stopped {self.where()}; nothing is kept, because no run folder was given.\n    Give one: run=FOLDER."
            )
        return f"stopped {self.where()}; all of it is kept in {self.folder}.\n    Go on: run the same command again."


def _sums(logits: Tensor, labels: Tensor) -> Tensor:
    """The sum of the cross-entropies, and how many predictions are right: (2,) float64."""
    losses = functional.cross_entropy(logits, labels, reduction="none").double()
    return torch.stack([losses.sum(), (logits.argmax(dim=1) == labels).sum().double()])


def _record(
    epoch: int, split: str, loss_sum: float, correct: float, count: int, rate: float, time_s: float
) -> EpochRecord:
    return EpochRecord(epoch, split, loss=loss_sum / count, accuracy=correct / count, lr=rate, time_s=time_s)
