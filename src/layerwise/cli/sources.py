"""The network and the images of a command: from a run folder, or named one by one."""

from __future__ import annotations

import shlex
from pathlib import Path

from layerwise.cli.console import confirm
from layerwise.errors import FileError, InputError
from layerwise.models.catalog import load_model
from layerwise.models.from_file import is_file_spec
from layerwise.models.preprocessing import Preprocessing
from layerwise.models.saved import ModelDescription, read_description
from layerwise.sources import Source, given_here, load_images
from layerwise.sources import source_of_run as _source_of_run
from layerwise.taps.placing import PLACEMENTS

__all__ = ["Source", "load_images", "named_model", "read_place", "source_of_names", "source_of_run"]


def read_place(text: str) -> str | list[str]:
    """A placement by its name, or names of taps with commas between.

    >>> read_place("blocks"), read_place("conv1, layer1")
    ('blocks', ['conv1', 'layer1'])
    """
    return text if text in PLACEMENTS else [name.strip() for name in text.split(",")]


def named_model(run: Path) -> str:
    """What a printed command for a run has to say besides: of which file its network is; nothing of a named network."""
    try:
        spec = read_description(run).spec
    except FileError:
        return ""  # what was done is not undone by words about it
    return f" --model {shlex.quote(spec)}" if spec is not None and is_file_spec(spec) else ""


def source_of_run(
    run: Path,
    data: str | None,
    *,
    seed: int,
    model: str | None,
    trust_code: bool,
    may_ask: bool,
    same_images: bool = False,
) -> Source:
    """The network of a run, and the images that it was trained on unless others are given.

    Args and raises: as `layerwise.sources.source_of_run`; a user who may be asked is asked on the terminal.
    """
    ask = confirm if may_ask else None
    return _source_of_run(run, data, seed=seed, model=model, trust_code=trust_code, ask=ask, same_images=same_images)


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
    facts = {"model": model, "weights": str(weights), **given_here(data, seed)}
    return Source(network.eval(), description, images, facts)


def _numbers(text: str) -> tuple[float, ...]:
    try:
        return tuple(float(part) for part in text.split(","))
    except ValueError:
        raise InputError(f'"{text}" is not a list of numbers; write them as 0.485,0.456,0.406.') from None
