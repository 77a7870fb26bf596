"""TrainSettings: everything that decides which weights come out of a training; SettingsFields types its easy door."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal, TypedDict, get_args

from layerwise.errors import InputError, did_you_mean
from layerwise.models.preprocessing import Preprocessing

__all__ = ["SettingsFields", "TrainSettings"]

Optimizer = Literal["adam", "adamw", "sgd"]
Schedule = Literal["none", "cosine", "onecycle"]
Augmentation = Literal["none", "flip-crop"]
Device = Literal["auto", "cpu", "cuda"]
Precision = Literal["32", "bf16"]

_CHOICES: dict[str, tuple[str, ...]] = {
    "optimizer": get_args(Optimizer),
    "schedule": get_args(Schedule),
    "augment": get_args(Augmentation),
    "device": get_args(Device),
    "precision": get_args(Precision),
}


class SettingsFields(TypedDict, total=False):
    """The fields of `TrainSettings` as keyword arguments."""

    epochs: int
    batch_size: int
    optimizer: Optimizer
    learning_rate: float
    weight_decay: float
    momentum: float
    schedule: Schedule
    label_smoothing: float
    augment: Augmentation
    preprocessing: Preprocessing | None
    early_stop: int | None
    seed: int
    device: Device
    precision: Precision


@dataclass(frozen=True)
class TrainSettings:
    """How to train.

    Attributes:
        epochs: passes over the training images, at least 1.
        batch_size: images a step, at least 1. A last batch of one image is joined to the batch before it.
        optimizer: "adam", "adamw" or "sgd".
        learning_rate: above 0; the highest one when there is a schedule.
        weight_decay: 0 or more.
        momentum: of "sgd", from 0 to below 1.
        schedule: "none"; "cosine", down to 0; "onecycle", up for 30 % of the steps and down to 0.
        label_smoothing: from 0 to below 1. Losses in the history are without it, so that they compare.
        augment: "none", or "flip-crop": mirrored half of the time, and moved by up to 4 pixels.
        preprocessing: applied to the pixels in [0, 1] before the network; None for none.
        early_stop: end when the validation loss was not the lowest for this many epochs, and keep the weights of the
            best epoch; None for all epochs.
        seed: of the order of the images, the augmentation and dropout. The initial weights are the caller's.
        device: "cpu", "cuda", or "auto": a GPU where there is one.
        precision: "32", or "bf16" for mixed precision.

    Raises:
        InputError: values that cannot be used; all of them are listed.

    >>> TrainSettings(epochs=3, optimizer="sgd", learning_rate=0.1).momentum
    0.9
    """

    epochs: int = 10
    batch_size: int = 128
    optimizer: Optimizer = "adam"
    learning_rate: float = 1e-3
    weight_decay: float = 0.0
    momentum: float = 0.9
    schedule: Schedule = "none"
    label_smoothing: float = 0.0
    augment: Augmentation = "none"
    preprocessing: Preprocessing | None = None
    early_stop: int | None = None
    seed: int = 0
    device: Device = "auto"
    precision: Precision = "32"

    def __post_init__(self) -> None:
        faults = list(self._find_faults())
        if faults:
            raise InputError("training settings that cannot be used:" + "".join(f"\n    {fault}" for fault in faults))

    def to_dict(self) -> dict[str, Any]:
        """As plain values, for JSON."""
        return asdict(self) | {"preprocessing": self.preprocessing and self.preprocessing.to_dict()}

    def _find_faults(self) -> Iterator[str]:
        for name, choices in _CHOICES.items():
            value = getattr(self, name)
            if value not in choices:
                yield f'{name} "{value}" is not one of {", ".join(choices)}.{did_you_mean(str(value), choices)}'
        for name in ("epochs", "batch_size", "early_stop"):
            value = getattr(self, name)
            if value is None and name == "early_stop":
                continue
            if not _is_whole(value) or value < 1:
                yield f"{name} must be a whole number of at least 1; got {value!r}."
        if not _is_whole(self.seed):
            yield f"seed must be a whole number; got {self.seed!r}."
        if not _is_number(self.learning_rate) or self.learning_rate <= 0:
            yield f"learning_rate must be a number above 0; got {self.learning_rate!r}."
        if not _is_number(self.weight_decay) or self.weight_decay < 0:
            yield f"weight_decay must be a number of at least 0; got {self.weight_decay!r}."
        for name in ("momentum", "label_smoothing"):
            value = getattr(self, name)
            if not _is_number(value) or not 0 <= value < 1:
                yield f"{name} must be a number from 0 to below 1; got {value!r}."


def make_settings(settings: TrainSettings | None, overrides: SettingsFields) -> TrainSettings:
    """The settings with some fields changed.

    Raises:
        InputError: a name that is no field, or a value that cannot be used.
    """
    known = [field.name for field in fields(TrainSettings)]
    unknown = [
        f'"{name}" is not a training setting.{did_you_mean(name, known)}' for name in overrides if name not in known
    ]
    if unknown:
        raise InputError("\n    ".join(unknown) + f"\n    The settings are: {', '.join(known)}.")
    given = {field.name: getattr(settings, field.name) for field in fields(TrainSettings)} if settings else {}
    return TrainSettings(**(given | dict(overrides)))


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
