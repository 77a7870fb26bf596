"""The network and the images of a command: from a run folder, or named one by one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import nn

from layerwise.data.catalog import load_data
from layerwise.data.images import ImageData
from layerwise.data.splits import hold_out
from layerwise.errors import InputError, RunError
from layerwise.models.catalog import load_model
from layerwise.models.preprocessing import Preprocessing
from layerwise.models.saved import ModelDescription, read_model
from layerwise.runs import steps_of


@dataclass(frozen=True)
class Source:
    """A network, how its pixels are prepared, and labelled images, with the words that name them."""

    model: nn.Module
    description: ModelDescription
    data: ImageData
    facts: Mapping[str, Any]


def load_images(spec: str, *, seed: int, validation: float) -> ImageData:
    """The images of a spec, with a share of the training split held out for choices."""
    data = load_data(spec, seed=seed)
    return hold_out(data, validation, seed=seed) if validation > 0 else data


def source_of_run(run: Path, data: str | None, *, seed: int) -> Source:
    """The network of a run, and the images that it was trained on unless others are given.

    Raises:
        RunError: the run holds no trained network, or its images are not what they were.
    """
    steps = steps_of(run)
    trained = steps.get("train") or steps.get("difficulty")
    if trained is None or not (run / "model.json").exists():
        raise RunError(
            f"{run} holds no trained network.\n    Train one: layerwise train MODEL DATA -o {run}. "
            f"Or name one: layerwise difficulty --model MODEL --weights FILE --data DATA -o {run}"
        )
    saved = read_model(run)
    if data is not None:
        images = load_images(data, seed=seed, validation=0)
        return Source(saved.model, saved.description, images, {"data": data, "data_seed": seed, "validation": 0})
    facts = {name: trained[name] for name in ("data", "data_seed", "validation")}
    images = load_images(facts["data"], seed=facts["data_seed"], validation=facts["validation"])
    if images.fingerprint != trained["data_fingerprint"]:
        raise RunError(
            f"the images of {facts['data']} are not those of {run}: they have changed since.\n"
            f"    Name the data to use, as it is now: --data {facts['data']}"
        )
    return Source(saved.model, saved.description, images, facts)


def source_of_names(
    model: str, weights: Path | None, data: str, *, mean: str | None, std: str | None, seed: int
) -> Source:
    """A network by name, with weights from a file, and images by a spec.

    Raises:
        InputError: only one of `mean` and `std` is given, or they are not numbers.
    """
    images = load_images(data, seed=seed, validation=0)
    channels = images.image_shape[0]
    network = load_model(model, num_classes=images.num_classes, in_channels=channels, weights=weights, seed=seed)
    if (mean is None) != (std is None):
        raise InputError("--mean and --std go together; give both or neither.")
    preprocessing = Preprocessing(_numbers(mean), _numbers(std)) if mean is not None and std is not None else None
    description = ModelDescription(model, images.num_classes, images.image_shape, images.class_names, preprocessing)
    facts = {"model": model, "weights": str(weights), "data": data, "data_seed": seed, "validation": 0}
    return Source(network.eval(), description, images, facts)


def _numbers(text: str) -> tuple[float, ...]:
    try:
        return tuple(float(part) for part in text.split(","))
    except ValueError:
        raise InputError(f'"{text}" is not a list of numbers; write them as 0.485,0.456,0.406.') from None
