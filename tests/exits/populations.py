"""Recorded exits, given or drawn from a known population."""

from __future__ import annotations

import numpy as np

from layerwise.exits.costs import ExitCosts
from layerwise.exits.recorded import RecordedExits

COSTS = ExitCosts(network=np.array([100, 200, 400]), heads=np.array([10, 20]))


def recorded(logits: np.ndarray, labels: np.ndarray, *, split: str = "test", prefix: str = "t") -> RecordedExits:
    ids = np.array([f"{prefix}{n}" for n in range(len(labels))])
    return RecordedExits(logits.astype(np.float32), labels, ids, split, ("one", "two", "softmax"), COSTS)


def drawn(count: int, seed: int, *, split: str = "validation") -> RecordedExits:
    """Examples of differing ease: an exit is right with a probability that it knows, later ones more often."""
    random = np.random.default_rng(seed)
    ease = random.random(count)
    strength = np.array([1.0, 2.0, 4.0])[:, None] * ease  # (3, N)
    sure = 0.5 + 0.5 * (1 - np.exp(-strength))
    right = random.random(count) < sure  # the same luck for all exits: hard examples are hard everywhere
    logits = np.zeros((3, count, 2))
    logits[:, :, 0] = np.log(sure / (1 - sure)) * np.where(right, 1, -1)
    return recorded(logits, np.zeros(count, np.int64), split=split, prefix=f"{split}-{seed}-")
