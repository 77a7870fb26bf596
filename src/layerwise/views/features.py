"""`read_filters` and `read_examples`: what `layerwise inside --filters --maps` left in a run folder."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from layerwise.errors import FileError
from layerwise.runs import read_array, read_json


@dataclass(frozen=True, eq=False)
class FiltersView:
    """Filters of one layer.

    Attributes:
        layer: its name.
        weights: shape (F, C, h, w).
        before: the same before training, if that is known.
    """

    layer: str
    weights: NDArray[np.float32]
    before: NDArray[np.float32] | None

    @property
    def moved(self) -> float | None:
        """How far training took the weights, in lengths of what they were; None where that is not known."""
        if self.before is None:
            return None
        length = float(np.linalg.norm(self.before))
        return float(np.linalg.norm(self.weights - self.before)) / length if length else None


@dataclass(frozen=True, eq=False)
class ExampleView:
    """What a network computes for one example.

    Attributes:
        word: what asked for it: right, wrong, unsure, or its id.
        id, label, prediction, confidence: the example's.
        tap_to_values: a tap's name to its value; of maps (C, H, W) at most the first 64.
        tap_to_maps: how many maps each tap has in all.
        image: shape (C, h, w), bytes.
        class_names: K names.
    """

    word: str
    id: str
    label: int
    prediction: int
    confidence: float
    tap_to_values: Mapping[str, NDArray[np.float32]]
    tap_to_maps: Mapping[str, int]
    image: NDArray[np.uint8]
    class_names: tuple[str, ...]

    @property
    def words(self) -> str:
        """Its id and what the network makes of it."""
        said = f"{self.id}: {self.class_names[self.prediction]} with {self.confidence:.3f}"
        return said if self.prediction == self.label else f"{said}, labelled {self.class_names[self.label]}"


def read_filters(run: Path) -> FiltersView | None:
    """Read the filters of a run; None if none were drawn.

    Raises:
        FileError: a file is damaged.
    """
    folder = run / "filters"
    if not (folder / "filters.json").exists():
        return None
    try:
        facts, weights = read_json(folder / "filters.json"), read_array(folder / "weights.npy")
        before = read_array(folder / "before.npy") if facts["before"] else None
        layer = str(facts["layer"])
    except (FileError, KeyError, TypeError) as error:
        raise FileError(
            f"the filters in {folder} cannot be read ({error}).\n"
            f"    Draw them again: layerwise inside {run} --filters first"
        ) from error
    if weights.ndim != 4 or (before is not None and before.shape != weights.shape):
        raise FileError(f"the files in {folder} do not belong together.\n    layerwise inside {run} --filters first")
    return FiltersView(layer, weights, before)


def read_examples(run: Path) -> tuple[ExampleView, ...]:
    """Read the examples that were looked at; none if none were.

    Raises:
        FileError: a file is damaged, or the files do not belong together.
    """
    folder = run / "features"
    if not (folder / "features.json").exists():
        return ()
    try:
        facts = read_json(folder / "features.json")
        values, images = read_array(folder / "values.npy"), read_array(folder / "images.npy")
        names = tuple(map(str, facts["class_names"]))
        found, start = [], 0
        for example, image in zip(facts["examples"], images, strict=True):
            tap_to_values = {}
            for tap in example["taps"]:
                end = start + math.prod(tap["shape"])
                tap_to_values[str(tap["tap"])] = values[start:end].reshape(tap["shape"])
                start = end
            whole = {str(tap["tap"]): int(tap["of"]) for tap in example["taps"]}
            numbers = int(example["label"]), int(example["prediction"]), float(example["confidence"])
            found.append(ExampleView(example["word"], example["id"], *numbers, tap_to_values, whole, image, names))
    except (FileError, KeyError, TypeError, ValueError) as error:
        raise FileError(
            f"the feature maps in {folder} cannot be read ({error}).\n"
            f"    Draw them again: layerwise inside {run} --maps right,wrong,unsure"
        ) from error
    if start != len(values) or any(max(one.label, one.prediction) >= len(names) for one in found):
        raise FileError(
            f"the files in {folder} do not belong together.\n"
            f"    Draw them again: layerwise inside {run} --maps right,wrong,unsure"
        )
    return tuple(found)
