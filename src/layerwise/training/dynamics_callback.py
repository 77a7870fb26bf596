"""dynamics_callback: a DynamicsLog in Lightning's Trainer, kept in its checkpoints."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable
from typing import Any

from numpy.typing import ArrayLike
from torch import Tensor

from layerwise.errors import MissingExtraError
from layerwise.training.dynamics_log import DynamicsLog

__all__ = ["dynamics_callback"]

Noted = tuple[ArrayLike | Tensor, Tensor, ArrayLike | Tensor]
Read = Callable[[Any, Any], Noted]


def dynamics_callback(log: DynamicsLog, read: Read) -> Any:
    """A Lightning callback that notes every training batch, and goes on from Lightning's own checkpoints.

    Args:
        log: what is noted into.
        read: from what `training_step` returned, and the batch, to ids (B,), logits (B, K) and labels (B,).

    Raises:
        MissingExtraError: Lightning is not installed.

    Example::

        log = lw.DynamicsLog(len(train_set), num_classes=10)
        note = lw.dynamics_callback(log, lambda outputs, batch: (batch["id"], outputs["logits"], batch["label"]))
        Trainer(callbacks=[note]).fit(module, loader)
    """
    if importlib.util.find_spec("lightning") is None:
        raise MissingExtraError("lightning", "train", "this callback")
    from layerwise._torchvision import torchvision  # noqa: F401 - Lightning imports it

    callback = importlib.import_module("lightning.pytorch").Callback

    class NoteDynamics(callback):  # type: ignore[misc, valid-type]
        def on_train_batch_end(self, _trainer: Any, _module: Any, outputs: Any, batch: Any, _batch_idx: int) -> None:
            log.update(*read(outputs, batch))

        def on_train_epoch_end(self, _trainer: Any, _module: Any) -> None:
            log.end_epoch()

        def state_dict(self) -> dict[str, Any]:
            return log.state_dict()

        def load_state_dict(self, state_dict: dict[str, Any]) -> None:
            log.load_state_dict(state_dict)

    return NoteDynamics()
