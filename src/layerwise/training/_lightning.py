"""The one import of Lightning, made when a network is trained: make_fabric, tensorboard_logger."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

from layerwise.errors import MissingExtraError

_PRECISIONS = {"32": "32-true", "bf16": "bf16-mixed"}


def make_fabric(*, device: str, precision: str) -> Any:
    """A `lightning.fabric.Fabric` for one device.

    Raises:
        MissingExtraError: Lightning is not installed.
    """
    if importlib.util.find_spec("lightning") is None:
        raise MissingExtraError("lightning", "train", "training")
    # Lightning imports torchvision, which has to be made importable first.
    from layerwise._torchvision import torchvision  # noqa: F401

    fabric = importlib.import_module("lightning.fabric")
    return fabric.Fabric(accelerator=device, devices=1, precision=_PRECISIONS[precision])


def tensorboard_logger(folder: Path) -> Any | None:
    """Lightning's TensorBoard logger that writes to `folder`, or None where TensorBoard is not installed."""
    if importlib.util.find_spec("tensorboard") is None:
        return None
    loggers = importlib.import_module("lightning.fabric.loggers")
    return loggers.TensorBoardLogger(folder.parent, name=folder.name, version="")
