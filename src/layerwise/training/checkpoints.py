"""Checkpoints: Position (where a training is), save_checkpoint, load_checkpoint, describe_job; kept_weights.

One file, replaced in one move, so that a kill at any moment leaves the one before or the one after. It holds plain
values and tensors and is read with `weights_only=True`: a checkpoint from a stranger cannot execute anything.
"""

from __future__ import annotations

import hashlib
import pickle
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from layerwise.data.images import ImageData
from layerwise.errors import FileError, RunError
from layerwise.runs import atomic_path
from layerwise.training.history import EpochRecord, read_records
from layerwise.training.objective import Objective
from layerwise.training.settings import TrainSettings

__all__ = [
    "Position",
    "checkpoint_path",
    "describe_job",
    "keep_weights",
    "kept_weights",
    "load_checkpoint",
    "save_checkpoint",
]

Job = dict[str, dict[str, Any]]
_VERSION = 1


@dataclass
class Position:
    """Where a training is: everything beside weights and optimiser that the rest of it depends on.

    Attributes:
        epoch: epochs that are over.
        batch: batches of the next one that are done.
        loss_sum: of the images of those batches.
        correct: how many of them were right.
        seen: how many they are.
        time_s: how long they took.
        records: of the epochs that are over.
        best_weights: of the epoch with the lowest validation loss, under early stopping.
        dynamics: the state of a DynamicsLog, where one notes this training.
    """

    epoch: int = 0
    batch: int = 0
    loss_sum: float = 0.0
    correct: int = 0
    seen: int = 0
    time_s: float = 0.0
    records: list[EpochRecord] = field(default_factory=list)
    best_weights: dict[str, Tensor] | None = None
    dynamics: dict[str, Any] | None = None

    def begin_next_epoch(self) -> None:
        """Count one more epoch as over; nothing of the next one is done."""
        self.epoch += 1
        self.batch = self.correct = self.seen = 0
        self.loss_sum = self.time_s = 0.0


def checkpoint_path(run: Path) -> Path:
    """Where a run keeps its only checkpoint."""
    return run / "checkpoints" / "last.ckpt"


def keep_weights(run: Path, epoch: int, model: nn.Module) -> None:
    """Write the weights after an epoch beside the checkpoint, from which nothing goes on: for scores over epochs."""
    tensors = {name: value.detach().cpu().contiguous().clone() for name, value in model.state_dict().items()}
    with atomic_path(_weights_folder(run) / f"{epoch:04d}.safetensors") as temporary:
        safetensors.torch.save_file(tensors, temporary)


def kept_weights(run: Path | str) -> tuple[Path, ...]:
    """The files of weights that a training kept, epoch by epoch, as `load_weights` reads them.

    Raises:
        RunError: none were kept; says how to keep them.
    """
    paths = tuple(sorted(_weights_folder(Path(run)).glob("*.safetensors")))
    if not paths:
        raise RunError(
            f"{run} kept no weights of its epochs.\n"
            "    Keep them while training: layerwise train MODEL DATA -o RUN --keep-weights\n"
            "    or lw.train(model, data, run=RUN, keep_weights=True)."
        )
    return paths


def _weights_folder(run: Path) -> Path:
    return run / "checkpoints" / "epochs"


def describe_job(
    model: nn.Module,
    train: ImageData,
    held_out: ImageData | None,
    settings: TrainSettings,
    objective: Objective,
    *,
    noted: bool = False,
) -> Job:
    """What must be the same for a training to go on: settings, data, the network's tensors, and what it is trained for.

    The device is left out: a training may go on elsewhere, though the last digits are then another machine's.
    """
    chosen = settings.to_dict()
    del chosen["device"]
    splits = [train] if held_out is None else [train, held_out]
    tensors = "\n".join(f"{name} {tuple(value.shape)} {value.dtype}" for name, value in model.state_dict().items())
    job: Job = {
        "settings": chosen,
        "data": {str(split.splits[0]): f"{len(split)} images, {split.fingerprint[:16]}" for split in splits},
        "network": {
            "class": type(model).__name__,
            "tensors": f"{len(model.state_dict())}, {hashlib.sha256(tensors.encode()).hexdigest()[:16]}",
        },
    }
    if objective.description:
        job["objective"] = objective.description
    if noted:
        job["dynamics"] = {"noted": True}
    return job


def save_checkpoint(path: Path, *, job: Job, model: nn.Module, optimizer: Optimizer, position: Position) -> None:
    """Write all that a training needs to go on, whole or not at all."""
    content = {
        "version": _VERSION,
        "job": job,
        "state_dict": model.state_dict(),
        "optimizer": optimizer.state_dict(),
        "position": {name: value for name, value in vars(position).items() if name != "records"},
        "records": [asdict(record) for record in position.records],
    }
    with atomic_path(path) as temporary:
        torch.save(content, temporary)


def load_checkpoint(path: Path, *, job: Job, model: nn.Module, optimizer: Optimizer) -> Position:
    """Put weights and optimiser back as they were, and say where the training was.

    Raises:
        FileError: the file is no checkpoint of layerwise, or is truncated.
        RunError: the checkpoint is of another training; the differences are listed.
    """
    content = _read(path)
    _refuse_other_job(path, stored=content["job"], asked=job)
    model.load_state_dict(content["state_dict"])
    optimizer.load_state_dict(content["optimizer"])
    return Position(**content["position"], records=read_records(content["records"]))


def _read(path: Path) -> dict[str, Any]:
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError, zipfile.BadZipFile) as error:
        raise FileError(f"{path} is not a checkpoint, or is truncated.\n    Train into another folder.") from error
    if not isinstance(content, dict) or content.get("version") != _VERSION:
        raise FileError(f"{path} is not a checkpoint of this version of layerwise.\n    Train into another folder.")
    return content


def _refuse_other_job(path: Path, *, stored: Job, asked: Job) -> None:
    differences = list(_differences(stored, asked))
    if differences:
        raise RunError(
            f"{path.parent.parent} holds a training with other settings (there → asked):"
            + "".join(f"\n    {difference}" for difference in differences)
            + "\n    Ask for the same, or choose another folder."
        )


def _differences(stored: Mapping[str, Any], asked: Mapping[str, Any]) -> Iterator[str]:
    for group in sorted(stored.keys() | asked.keys()):
        there, here = stored.get(group, {}), asked.get(group, {})
        for name in sorted(there.keys() | here.keys()):
            if there.get(name) != here.get(name):
                yield f"{group}.{name}: {there.get(name)} → {here.get(name)}"
