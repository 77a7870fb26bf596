"""Training dynamics that are made up, so that one knows which labels are wrong and which images ambiguous."""

from __future__ import annotations

import numpy as np

from layerwise.seeds import stream
from layerwise.training.dynamics import Dynamics
from layerwise.training.dynamics_log import DynamicsLog

FINE, WRONG, AMBIGUOUS, CLASSES, EPOCHS = 80, 10, 10, 4, 8


def kinds() -> np.ndarray:
    """What each of the 100 examples is."""
    return np.repeat(["fine", "mislabelled", "ambiguous"], [FINE, WRONG, AMBIGUOUS])


def made_up() -> Dynamics:
    """A network that learns the fine ones soon, gives wrong ones the next class, and wavers on ambiguous ones."""
    generator, of_kind = stream(0, "dynamics"), kinds()
    rows = np.arange(len(of_kind))
    labels = rows % CLASSES
    log = DynamicsLog(len(rows), CLASSES, curves=True)
    wavers = of_kind == "ambiguous"
    seen = np.where(of_kind == "mislabelled", (labels + 1) % CLASSES, labels)
    for epoch in range(EPOCHS):
        sure = 4.0 * (epoch + 1) / EPOCHS
        logits = generator.normal(0, 0.3, (len(rows), CLASSES))
        logits[rows, seen] += np.where(wavers, sure / 4, sure)
        logits[rows, (labels + 2) % CLASSES] += np.where(wavers, sure / 4, 0.0)
        log.update(rows, logits, labels)
    return log.result()
