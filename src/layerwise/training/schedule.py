"""learning_rate_at: the schedules as functions of the step, so that there is no state to lose in a resume."""

from __future__ import annotations

import math

from layerwise.training.settings import TrainSettings

__all__ = ["learning_rate_at"]

_WARM_UP = 0.3
_LOWEST = 1 / 25


def learning_rate_at(step: int, steps: int, settings: TrainSettings) -> float:
    """The learning rate of one step.

    Args:
        step: from 0 to `steps` - 1.
        steps: of the whole training.
        settings: gives the schedule and the highest learning rate.

    Source: "cosine" is Loshchilov and Hutter (2017), section 3, without restarts; "onecycle" follows Smith and Topin
    (2019): from 1/25 of the highest rate up to it in the first 30 % of the steps, then a cosine down to 0.
    """
    if settings.schedule == "none":
        return settings.learning_rate
    if settings.schedule == "cosine":
        return settings.learning_rate * _cosine(step / steps)
    peak = _WARM_UP * steps
    if step < peak:
        return settings.learning_rate * (_LOWEST + (1 - _LOWEST) * step / peak)
    return settings.learning_rate * _cosine((step - peak) / (steps - peak))


def _cosine(part: float) -> float:
    """From 1 at part 0 to 0 at part 1."""
    return (1 + math.cos(math.pi * part)) / 2
