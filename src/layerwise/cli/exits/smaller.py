"""Smaller networks for `layerwise exits evaluate`: which are asked for, and how the run's own network was trained."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from layerwise.cli.console import say
from layerwise.errors import FileError, InputError, ModelError, RunError

if TYPE_CHECKING:
    from torch import nn

    from layerwise.cli.sources import Source
    from layerwise.progress import Progress
    from layerwise.training.settings import TrainSettings


def read_wanted(text: str) -> list[float | str]:
    """Shares of the channels, and names of networks; none for "none".

    Raises:
        InputError: a share is not between 0 and 1.

    >>> read_wanted("0.75, resnet14"), read_wanted("none")
    ([0.75, 'resnet14'], [])
    """
    found: list[float | str] = []
    for part in [] if text.strip() == "none" else text.split(","):
        name = part.strip()
        try:
            share = float(name)
        except ValueError:
            if not name:
                raise InputError(f'--smaller "{text}" has an empty part; write 0.75,0.5 or none.') from None
            found.append(name)
            continue
        if not 0 < share < 1:
            raise InputError(f'--smaller "{name}": a share of the channels lies between 0 and 1, such as 0.5.')
        found.append(share)
    return found


def draw_smaller(run: Path, source: Source, wanted: Sequence[float | str]) -> tuple[dict[str, nn.Module], str]:
    """The smaller networks by name, not trained yet; and what is to be said of them, or why there are none.

    Raises:
        UnknownNameError: no network is called so.
    """
    from layerwise.runs import steps_of

    if not wanted:
        return {}, "no smaller network was asked for"
    phases = _phases(run, source)
    if not phases:
        return {}, "how this network was trained is not known, so none can be trained the same way"
    name_to_network: dict[str, nn.Module] = {}
    notes = []
    for one in wanted:
        name = f"{one:g} of the channels" if isinstance(one, float) else one
        try:
            name_to_network[name] = _draw(source, one, seed=phases[0].seed)
        except ModelError as error:
            notes.append(f"not with {name}: {error} A network by name can be compared: --smaller NAME")
    if steps_of(run)["train"].get("weights") and name_to_network:
        notes.append("this network began with weights from a file, the smaller ones did not")
    said = "; ".join(notes)
    return name_to_network, f"{said}; " if said and name_to_network else said


def train_smaller(
    run: Path, source: Source, name_to_network: dict[str, nn.Module], *, progress: Progress
) -> dict[str, nn.Module]:
    """Train them the way the run's own network was, unless they are trained already.

    Raises:
        FileError, RunError: what is kept of a training cannot be used; says which folder to remove.
    """
    from layerwise.exits.folder import exits_folder
    from layerwise.exits.smaller import train_in_phases

    phases = _phases(run, source)
    for name, model in name_to_network.items():
        folder = exits_folder(run) / "smaller" / re.sub(r"[^\w.-]+", "-", name)
        say(f"Comparing with {name}, trained the way this network was, once for a run; for none: --smaller none")
        try:
            train_in_phases(model, source.data, phases, run=folder, progress=progress)
        except (FileError, RunError) as error:
            raise type(error)(f"{error}\n    To train this smaller network anew, remove {folder}.") from error
    return name_to_network


def _draw(source: Source, wanted: float | str, *, seed: int) -> nn.Module:
    from layerwise.models.catalog import load_model
    from layerwise.models.narrower import narrower

    described = source.description
    spec = wanted if isinstance(wanted, str) else described.spec
    if spec is None:
        raise ModelError("The network was made in Python, and cannot be drawn anew.")
    model = load_model(spec, num_classes=described.num_classes, in_channels=described.in_channels, seed=seed)
    return model if isinstance(wanted, str) else narrower(model, described.image_shape, wanted, seed=seed)


def _phases(run: Path, source: Source) -> list[TrainSettings]:
    """The settings of the run's own training, then of the training with exits unless the network was frozen."""
    from layerwise.runs import RUN_FILE, steps_of
    from layerwise.training.settings import TrainSettings

    steps = steps_of(run)
    made = [steps[name].get("settings") for name in ("train", "exits") if name in steps]
    if len(made) < 2 or None in made:
        return []
    if steps["exits"].get("frozen"):
        made = made[:1]
    try:
        settings = [TrainSettings(**{**one, "device": "auto"}) for one in made]
    except TypeError as error:
        raise FileError(f"{run / RUN_FILE} holds settings of a training that are not known ({error}).") from None
    return [replace(one, preprocessing=source.description.preprocessing) for one in settings]
