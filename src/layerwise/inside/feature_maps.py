"""read_features: the values of one example at every tap; telling_examples: which examples are worth looking at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from torch import nn

from layerwise.arrays.scores import max_probability
from layerwise.data.images import ImageData
from layerwise.errors import InputError
from layerwise.recording import record
from layerwise.taps import INPUT, find_taps
from layerwise.taps.borrowing import Preprocess


@dataclass(frozen=True, eq=False)
class Features:
    """What a network computes for one example.

    Attributes:
        id, label: the example's.
        tap_to_values: a tap's name to its value: maps (C, H, W), a vector (D,), or of any other shape.
        logits: shape (K,).
        class_names: K names.
    """

    id: str
    label: int
    tap_to_values: dict[str, NDArray[np.floating]]
    logits: NDArray[np.float32]
    class_names: tuple[str, ...]

    @property
    def prediction(self) -> int:
        """The class with the largest logit."""
        return int(self.logits.argmax())

    @property
    def confidence(self) -> float:
        """The probability of the prediction."""
        return float(max_probability(self.logits[None])[0])

    def table(self) -> pd.DataFrame:
        """A row per tap: `tap`, `shape`, `low`, `mean`, `high`, and `zero`, the share of values that are exactly 0."""
        return pd.DataFrame(
            [
                (
                    tap,
                    "×".join(map(str, value.shape)),
                    value.min(),
                    value.mean(),
                    value.max(),
                    (value == 0).mean(),
                )
                for tap, value in self.tap_to_values.items()
            ],
            columns=["tap", "shape", "low", "mean", "high", "zero"],
        )


def read_features(
    model: nn.Module,
    data: ImageData,
    row: int,
    place: str | Sequence[str] = "children",
    *,
    preprocessing: Preprocess | None = None,
) -> Features:
    """Run one example through a network, and keep what it gives at every tap.

    Args:
        model: any network from images to logits; left as it was.
        data: images.
        row: which of them.
        place: which taps.
        preprocessing: what the network expects to be done to pixels in [0, 1].

    Raises:
        InputError: there is no such row.
        The errors of `find_taps` and `record`.
    """
    if not 0 <= row < len(data):
        raise InputError(f"row {row} is outside the data: there are {len(data)} images, 0 to {len(data) - 1}.")
    one = data.select(slice(row, row + 1))
    taps = find_taps(model, one, place, preprocessing=preprocessing)
    activations = record(model, one, taps, preprocessing=preprocessing)
    values = {tap: np.asarray(activations[tap][0]) for tap in activations if tap != INPUT}
    return Features(str(one.ids[0]), int(one.labels[0]), values, activations.logits[0], data.class_names)


def telling_examples(logits: NDArray[np.floating], labels: NDArray[np.integer]) -> dict[str, int]:
    """Rows of the most confident right, the most confident wrong, and the least sure example.

    Args:
        logits: shape (N, K).
        labels: shape (N,).

    Returns:
        "right", "wrong" and "unsure" to a row; "right" or "wrong" is left out if there is none.

    >>> telling_examples(np.array([[5.0, 0.0], [0.0, 3.0], [0.1, 0.0]]), np.array([0, 0, 0]))
    {'right': 0, 'wrong': 1, 'unsure': 2}
    """
    confidence = max_probability(logits)
    right = logits.argmax(axis=1) == labels
    found = {}
    for name, mask in (("right", right), ("wrong", ~right)):
        if mask.any():
            found[name] = int(np.where(mask, confidence, -np.inf).argmax())
    found["unsure"] = int(confidence.argmin())
    return found
