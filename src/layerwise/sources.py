"""source_of_run: the network and the images of a run folder, from where they lie now."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from torch import nn

from layerwise.data.catalog import load_data
from layerwise.data.images import ImageData
from layerwise.data.splits import hold_out
from layerwise.errors import DataError, FileError, RunError
from layerwise.models.catalog import load_model
from layerwise.models.saved import ModelDescription, SavedModel, read_description, read_model, visible
from layerwise.runs import RUN_FILE, steps_of
from layerwise.spec import parse_spec

Ask = Callable[[str], bool]
"""Asks the user a question that is answered by yes or no."""

DATA_FACTS = ("data", "data_seed", "validation")
"""What run.json says of where the images came from."""

FOLDER = "folder"
"""What run.json calls the folder in which the images were named: their path may be relative to it."""


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


def source_of_run(
    run: Path,
    data: str | None,
    *,
    seed: int,
    model: str | None,
    trust_code: bool,
    ask: Ask | None = None,
    same_images: bool = False,
    steps: Sequence[str] = ("train", "difficulty"),
) -> Source:
    """The network of a run, and the images that it was trained on unless others are given.

    Args:
        run: the run folder.
        data: other images; None for those of the run.
        seed: splits other images that come in one piece.
        model: the network that takes the run's weights; None for the one that the run names.
        trust_code: whether a `FILE.py` that the run names may be run.
        ask: asks the user for that; None if nobody may be asked.
        same_images: whether `data` only says where the run's own images lie now.
        steps: of the run; the first that is there says which images are its own.

    Raises:
        RunError: the run holds no trained network, or its images are not what they were.
        ModelError: the run names a `FILE.py` that may not be run, or its weights do not fit the network.
        DataError: other images were given, which do not fit the network.
        FileError: a file of the run is damaged, or the images are not where they were.
    """
    noted = steps_of(run)
    trained = next((noted[step] for step in steps if step in noted), None)
    if trained is None or not (run / "model.json").exists():
        raise RunError(
            f"{run} holds no trained network.\n    Train one: layerwise train MODEL DATA -o {run}. "
            f"Or name one: layerwise difficulty --model MODEL --weights FILE --data DATA -o {run}"
        )
    saved = _named_network(run, model) if model else _own_network(run, trust_code=trust_code, ask=ask)
    if data is not None and not same_images:
        images = _as_classes_of(load_images(data, seed=seed, validation=0), data, saved.description, run)
        return Source(saved.model, saved.description, images, given_here(data, seed))
    missing = [name for name in (*DATA_FACTS, "data_fingerprint") if name not in trained]
    if missing:
        raise FileError(f"{run / RUN_FILE} does not say {', '.join(missing)}.\n    Name the data to use: --data DATA")
    facts = {name: trained[name] for name in (*DATA_FACTS, FOLDER) if name in trained}
    if data is not None:
        facts |= {"data": data, FOLDER: str(Path.cwd())}
    images = _same_images(run, facts, trained["data_fingerprint"])
    return Source(saved.model, saved.description, images, facts)


def given_here(data: str, seed: int) -> dict[str, Any]:
    """What run.json is to say of images that are named now, in this folder."""
    return {"data": data, "data_seed": seed, "validation": 0, FOLDER: str(Path.cwd())}


def _same_images(run: Path, facts: Mapping[str, Any], fingerprint: str) -> ImageData:
    """The images that a run was made with, from where they lie now."""
    spec, folder = facts["data"], facts.get(FOLDER)
    made = f" in {folder}" if folder else ""
    try:
        images = load_images(_find_path(spec, folder), seed=facts["data_seed"], validation=facts["validation"])
    except FileError as error:
        raise FileError(
            f"{error}\n    {run} was made with {spec}{made}; if the images lie elsewhere now, say where: --data DATA"
        ) from error
    if images.fingerprint != fingerprint:
        raise RunError(
            f"the images of {spec} are not those that {run} was made with{made}: they have changed since.\n"
            f"    Name the data to use, as it is now: --data {spec}"
        )
    return images


def _find_path(spec: str, folder: str | None) -> str:
    """The spec, with its path in the folder where it was given if it lies there and not here."""
    parsed = parse_spec(spec)
    there = Path(folder or "", parsed.path)
    if not parsed.path or Path(parsed.path).exists() or not there.exists():
        return spec
    return f"{parsed.kind}:{there}{spec.removeprefix(f'{parsed.kind}:{parsed.path}')}"


def _named_network(run: Path, model: str) -> SavedModel:
    """The weights of a run in a network that the user names."""
    description = replace(read_description(run), spec=model)
    network = load_model(model, num_classes=description.num_classes, in_channels=description.in_channels)
    return SavedModel(read_model(run, network).model, description)


def _own_network(run: Path, *, trust_code: bool, ask: Ask | None) -> SavedModel:
    """The network that a run names."""
    description = read_description(run)
    if description.needs_code and ask is not None and not trust_code:
        named = visible(str(description.spec))
        trust_code = ask(f"{run} names {named} as its network. Run this file? A program can do anything.")
    return read_model(run, trust_code=trust_code)


def _as_classes_of(images: ImageData, data: str, description: ModelDescription, run: Path) -> ImageData:
    """Images with the classes of a network that was not trained on them, in its order; plain numbers are no names."""
    if images.image_shape[0] != description.in_channels:
        raise DataError(
            f"the images of {data} have {images.image_shape[0]} channels; the network in {run} takes "
            f"{description.in_channels}.\n    Give images of the kind that it was trained on."
        )
    names, known = images.class_names, description.class_names
    if _are_numbers(names) and len(names) <= len(known):
        return replace(images, class_names=known)
    if len(names) != len(known) or not (names == known or _are_numbers(known)):
        raise DataError(
            f"the classes of {data} are {_listed(names)}; those of the network in {run} are {_listed(known)}.\n"
            "    Give images of its classes, in its order."
        )
    return images


def _are_numbers(names: Sequence[str]) -> bool:
    return list(names) == [str(number) for number in range(len(names))]


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:10]) + (f" and {len(names) - 10} more" if len(names) > 10 else "")
