"""Objective: what a training makes small, and which of a network's outputs counts as its answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor
from torch.nn import functional

from layerwise.training.settings import TrainSettings

__all__ = ["Objective", "plain_objective"]


@dataclass(frozen=True)
class Objective:
    """What is trained for.

    Attributes:
        loss: from what the network gives and the labels (B,) to a scalar.
        logits: from what the network gives to the logits (B, K) whose loss and accuracy the history tells.
        description: what must be the same for a training to go on; empty for plain cross-entropy.
    """

    loss: Callable[[Any, Tensor], Tensor]
    logits: Callable[[Any], Tensor]
    description: dict[str, Any] = field(default_factory=dict)


def plain_objective(settings: TrainSettings) -> Objective:
    """Cross-entropy of a network that gives logits (B, K)."""

    def loss(logits: Tensor, labels: Tensor) -> Tensor:
        return functional.cross_entropy(logits.float(), labels, label_smoothing=settings.label_smoothing)

    return Objective(loss=loss, logits=lambda logits: logits)
