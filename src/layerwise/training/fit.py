"""train: the one door to training; it checks what was given, and puts back what is the caller's."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Unpack

import numpy as np
import torch
from torch import nn

from layerwise.data.images import ImageData
from layerwise.errors import InputError, Interrupted, ModelError, RunExistsError
from layerwise.models.mode import evaluating
from layerwise.progress import Progress, silent
from layerwise.training._lightning import make_fabric
from layerwise.training.batches import load_batch
from layerwise.training.checkpoints import checkpoint_path, describe_job
from layerwise.training.dynamics_log import DynamicsLog
from layerwise.training.history import TrainingHistory
from layerwise.training.interrupts import interruptible
from layerwise.training.loop import Training, best_epoch
from layerwise.training.objective import Objective, plain_objective
from layerwise.training.settings import SettingsFields, TrainSettings, make_settings

__all__ = ["train"]


def train(
    model: nn.Module,
    data: ImageData,
    settings: TrainSettings | None = None,
    *,
    objective: Objective | None = None,
    log: DynamicsLog | None = None,
    run: Path | str | None = None,
    resume: bool = True,
    keep_weights: bool = False,
    progress: Progress = silent,
    **overrides: Unpack[SettingsFields],
) -> TrainingHistory:
    """Train a network in place.

    The order of the images, the augmentation and dropout depend on the seed, the epoch and the batch alone. With a run
    folder, the same call after a kill or Ctrl-C goes on from the last checkpoint (one an epoch, and one each five
    minutes), whatever the network holds by then. On the same CPU, with as many threads, it ends with the weights of an
    undisturbed training.

    Args:
        model: gives logits (N, K), or what the objective takes, for images (N, C, H, W).
        data: trained on "train"; measured after each epoch on "validation", or on "test" where there is none.
        settings: how to train; see `TrainSettings`.
        objective: what for; by default the cross-entropy of the network's logits.
        log: notes what each training image goes through, with its row in `data.train` as its id. With a run folder it
            is kept in the checkpoints, and written as `dynamics.parquet` at the end.
        run: folder for checkpoints, `history.parquet`, `history.csv` and TensorBoard logs; None keeps nothing.
        resume: whether to go on from a checkpoint in `run`; if not, one that is there is an error.
        keep_weights: whether `run` keeps the weights after each epoch, such as for `variance_of_gradients`.
        progress: shows the batches of each epoch as they go by.
        **overrides: fields of `TrainSettings`, instead of or on top of `settings`.

    Returns:
        Loss and accuracy by epoch, of training and held-out images.

    Raises:
        InputError: a setting that cannot be used; early stopping without a validation split; no GPU, but asked for.
        ModelError: the network does not fit the images or classes, or has nothing to train.
        NonFiniteError: the loss or a weight became NaN or infinite; the last good checkpoint is kept.
        RunError: `run` holds another training; the differences are listed.
        Interrupted: Ctrl-C; the message says what is kept and how to go on.
        MissingExtraError: Lightning is not installed.

    Example::

        history = lw.train(model, data, epochs=10, seed=0, run="runs/shapes")
        history.table()
    """
    chosen = make_settings(settings, overrides)
    aim = objective or plain_objective(chosen)
    folder = None if run is None else Path(run)
    train_split, held_out = data.train, _held_out(data, chosen)
    if keep_weights and folder is None:
        raise InputError("keep_weights needs a run folder to keep them in. Give one: run=FOLDER.")
    if folder is not None and not resume and checkpoint_path(folder).exists():
        raise RunExistsError(
            f"{folder} already holds a training.\n    Choose another folder, or go on with resume=True."
        )
    _check_model(model, train_split, chosen, aim)
    _check_log(log, train_split)
    fabric = make_fabric(device=_find_device(chosen), precision=chosen.precision)
    with _put_back(model), interruptible() as stop:
        training = Training(
            fabric=fabric,
            model=model,
            train=train_split,
            held_out=held_out,
            settings=chosen,
            objective=aim,
            job=describe_job(model, train_split, held_out, chosen, aim, noted=log is not None),
            folder=folder,
            progress=progress,
            stop=stop,
            log=log,
            keep_weights=keep_weights,
        )
        try:
            records = training.run()
        except KeyboardInterrupt:
            kept = f"the last checkpoint is kept in {folder}" if folder else "nothing is kept"
            raise Interrupted(
                f"stopped {training.where()}, at once; {kept}.\n    Go on: run the same command again."
            ) from None
    if log is not None and folder is not None:
        log.result().save(folder, train_split.ids)
    return TrainingHistory(tuple(records), best_epoch(records) if chosen.early_stop else records[-1].epoch)


def _check_log(log: DynamicsLog | None, train: ImageData) -> None:
    if log is None:
        return
    if not isinstance(log, DynamicsLog):
        raise InputError(
            f"log is a {type(log).__name__}; a DynamicsLog is expected: "
            "log=lw.DynamicsLog(len(data.train), data.num_classes)."
        )
    given, needed = (log.num_examples, log.num_classes), (len(train), train.num_classes)
    if given != needed:
        raise InputError(
            f"the log is of {given[0]} examples and {given[1]} classes; there are {needed[0]} training images of "
            f"{needed[1]}.\n    Make it for these: DynamicsLog(len(data.train), data.num_classes)."
        )
    if log.epochs or log.begun:
        held = f"{log.epochs} epochs" if log.epochs else "a part of an epoch"
        raise InputError(f"the log holds {held} already. Give a new one to each training.")


def _held_out(data: ImageData, settings: TrainSettings) -> ImageData | None:
    """The validation images, or else the test images, on which nothing may be chosen."""
    name = next((name for name in ("validation", "test") if name in data.split_names), None)
    if settings.early_stop is not None and name != "validation":
        raise InputError(
            f"early_stop={settings.early_stop} needs a validation split, and {data.name} has none: choosing an epoch "
            "on the test images would make their accuracy too good.\n"
            "    Hold some training images out: hold_out(data, 0.1)."
        )
    return None if name is None else data.split(name)


def _find_device(settings: TrainSettings) -> str:
    if settings.device == "cuda" and not torch.cuda.is_available():
        raise InputError('device "cuda" was asked for, and torch sees no GPU here.\n    Use device="cpu" or "auto".')
    if settings.device == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    return settings.device


def _check_model(model: nn.Module, data: ImageData, settings: TrainSettings, objective: Objective) -> None:
    """Run one image through, so that a wrong shape is an error at the start and not a broadcast in the loss."""
    if not any(parameter.requires_grad for parameter in model.parameters()):
        raise ModelError(f"{type(model).__name__} has no parameter to train: it has none, or all are frozen.")
    images, _ = load_batch(data, np.arange(1), settings)
    with evaluating(model), torch.no_grad():
        try:
            logits = objective.logits(model(images.to(next(model.parameters()).device)))
        except RuntimeError as error:
            raise ModelError(
                f"{type(model).__name__} cannot take images of shape {data.image_shape} (C, H, W): {error}"
            ) from error
    if not isinstance(logits, torch.Tensor) or logits.shape != (1, data.num_classes):
        given = tuple(logits.shape) if isinstance(logits, torch.Tensor) else type(logits).__name__
        raise ModelError(
            f"{type(model).__name__} must give logits of shape (1, {data.num_classes}) for one image, one for each "
            f"class of {data.name}; it gives {given}."
        )


@contextlib.contextmanager
def _put_back(model: nn.Module) -> Iterator[None]:
    """Give the caller back the network's mode and device, and torch's global generators; leave no gradients."""
    device = next(model.parameters()).device
    gpus = range(torch.cuda.device_count())
    with evaluating(model), torch.random.fork_rng(devices=gpus):
        try:
            yield
        finally:
            model.zero_grad()
            model.to(device)
