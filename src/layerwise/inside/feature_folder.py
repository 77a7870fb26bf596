"""Filters and the values of single examples in a run folder, under RUN/filters/ and RUN/features/."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from layerwise.inside.feature_maps import Features
from layerwise.inside.filters import Filters
from layerwise.runs import write_all

MOST_MAPS = 64
"""Maps of a tap that are kept; no picture shows more."""


def save_filters(run: Path, found: Filters, before: Filters | None = None) -> None:
    """Write the filters of a layer, and what they were before training if that is known."""
    folder = run / "filters"
    (folder / "filters.json").unlink(missing_ok=True)  # first: it says that the others belong together
    (folder / "before.npy").unlink(missing_ok=True)
    arrays = {"weights.npy": found.weights} | ({} if before is None else {"before.npy": before.weights})
    write_all(folder, {"filters.json": {"layer": found.layer, "before": before is not None}, **arrays})


def save_features(run: Path, word_to_features: Mapping[str, Features], images: NDArray[np.uint8]) -> None:
    """Write what a network computes for some examples.

    Args:
        run: the run folder.
        word_to_features: by the word or id that asked for the example.
        images: shape (M, C, h, w), bytes, in the same order.
    """
    examples, values = [], []
    for word, features in word_to_features.items():
        taps = []
        for tap, value in features.tap_to_values.items():
            kept = value[:MOST_MAPS] if value.ndim == 3 else value
            taps.append({"tap": tap, "shape": kept.shape, "of": value.shape[0]})
            values.append(np.asarray(kept, np.float32).ravel())
        examples.append(
            {
                "word": word,
                "id": features.id,
                "label": features.label,
                "prediction": features.prediction,
                "confidence": features.confidence,
                "taps": taps,
            }
        )
    names = list(next(iter(word_to_features.values())).class_names) if word_to_features else []
    write_all(
        run / "features",
        {
            "features.json": {"class_names": names, "examples": examples},
            "values.npy": np.concatenate(values) if values else np.zeros(0, np.float32),
            "images.npy": images,
        },
    )
